// The box of a seat: its name and short code, sealed under a key that comes from the text of its QR
// code. Only a ticket before the camera opens it. Sealed by app/services/door/offline.py.

const NONCE_BYTES = 12;
const utf8 = new TextEncoder();
const HKDF = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8.encode("tedx-door-1") };

/**
 * Return what a box holds; null when this code does not open it.
 * @param {string} box base64 of nonce and AES-128-GCM
 * @param {string} code the text of the QR code
 * @param {number} seatId
 * @returns {Promise<{attendee: string, ticketId: number, code: string} | null>}
 */
export async function openBox(box, code, seatId) {
  const sealed = Uint8Array.from(atob(box), (char) => char.charCodeAt(0));
  const secret = await crypto.subtle.importKey("raw", utf8.encode(code), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(HKDF, secret, { name: "AES-GCM", length: 128 }, false, ["decrypt"]);
  const how = { name: "AES-GCM", iv: sealed.subarray(0, NONCE_BYTES), additionalData: utf8.encode(String(seatId)) };
  try {
    const plain = await crypto.subtle.decrypt(how, key, sealed.subarray(NONCE_BYTES));
    const { n, t, c } = JSON.parse(new TextDecoder().decode(plain));
    return { attendee: n, ticketId: t, code: c };
  } catch {
    return null;
  }
}
