// What the QR of an e-ticket says, and whether one of our keys signed it. No network needed.
// The same rules stand in app/integrations/signing.py; tests/door/vectors/codes.json holds both.

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LANES = "ABCDEFGHIJKL";
const CODE = /^[A-Z2-7]{122}$/;
const CODE_BYTES = 76;
const PAYLOAD_BYTES = 12;
const UNLIMITED = 255;
const HOUR = 3_600_000;
const PREFIX = new TextEncoder().encode("tedx-ticket-1");

/**
 * @typedef {object} SeatCode what a code says; nobody has checked it yet
 * @property {number} keyId
 * @property {number} seatId
 * @property {number} ticketId
 * @property {string} lane
 * @property {string | null} admitFrom ISO 8601, null where not limited
 * @property {string | null} admitUntil exclusive
 * @property {Uint8Array} payload
 * @property {Uint8Array} signature
 */

/** @typedef {{id: number, publicKey: string}} PublicKey 32 bytes in hex */

/** @typedef {(signature: Uint8Array, message: Uint8Array, key: Uint8Array) => Promise<boolean>} Verify */

/**
 * Return what a scanned text says; null when it is no signed code.
 * @param {string} text
 * @returns {SeatCode | null}
 */
export function parseCode(text) {
  const bytes = CODE.test(text) ? fromBase32(text) : null;
  if (!bytes) return null;
  const view = new DataView(bytes.buffer);
  const seatId = view.getUint8(1) * 2 ** 32 + view.getUint32(2);
  const start = view.getUint8(8) * 2 ** 16 + view.getUint16(9);
  const length = view.getUint8(11);
  return {
    keyId: view.getUint8(0),
    seatId,
    ticketId: view.getUint16(6),
    lane: laneOf(seatId),
    admitFrom: start ? isoHour(start) : null,
    admitUntil: length === UNLIMITED ? null : isoHour(start + length),
    payload: bytes.subarray(0, PAYLOAD_BYTES),
    signature: bytes.subarray(PAYLOAD_BYTES),
  };
}

/**
 * Tell whether one of these keys, by its id, really signed it.
 * @param {SeatCode} code
 * @param {PublicKey[]} keys those whose codes are good
 * @param {Verify} [verify]
 * @returns {Promise<boolean>}
 */
export async function verifyCode(code, keys, verify = verifySignature) {
  const key = keys.find(({ id }) => id === code.keyId);
  if (!key) return false;
  const message = new Uint8Array([...PREFIX, ...code.payload]);
  return verify(code.signature, message, fromHex(key.publicKey));
}

/**
 * Return the letter of the queue a seat belongs to.
 * @param {number} seatId
 */
export function laneOf(seatId) {
  return LANES[seatId % LANES.length];
}

/**
 * Tell whether somebody typed the short code that is printed under the QR.
 * @param {string} text
 */
export function isShortCode(text) {
  return /^[A-Z0-9]{8}$/.test(text.toUpperCase().replace(/[\s-]/g, ""));
}

/**
 * Tell whether a text is a QR code from before they were signed: only the server knows those.
 * @param {string} text
 */
export function isUnsignedCode(text) {
  return /^[A-Z2-7]{26}$/.test(text);
}

/** @type {Map<string, Promise<CryptoKey>>} */
const imported = new Map();
let hasEd25519 = true;

/**
 * Verify by the browser's own Ed25519, and by the vendored one where it has none.
 * @type {Verify}
 */
async function verifySignature(signature, message, key) {
  if (hasEd25519) {
    try {
      return await crypto.subtle.verify("Ed25519", await importedKey(key), signature, message);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "NotSupportedError")) throw error;
      hasEd25519 = false;
    }
  }
  return verifyByFallback(signature, message, key);
}

/**
 * Verify without the browser's help, as strictly (RFC 8032).
 * @type {Verify}
 */
export async function verifyByFallback(signature, message, key) {
  const noble = await import("../../vendor/noble/ed25519-3.2.0.js");
  return noble.verifyAsync(signature, message, key, { zip215: false });
}

/** @param {Uint8Array} key */
function importedKey(key) {
  const name = key.join();
  const known = imported.get(name) ?? crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  imported.set(name, known);
  return known;
}

/**
 * Return the bytes, or null when bits beyond the last byte are set: no code has two spellings.
 * @param {string} text
 */
function fromBase32(text) {
  const bytes = new Uint8Array(CODE_BYTES);
  let bits = 0, held = 0, at = 0;
  for (const letter of text) {
    held = (held << 5) | BASE32.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return held ? null : bytes;
}

/** @param {string} hex */
function fromHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {number} hours whole hours since 1970 */
function isoHour(hours) {
  return new Date(hours * HOUR).toISOString();
}
