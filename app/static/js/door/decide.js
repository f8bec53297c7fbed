// The verdict of this phone alone, from what it knows; kept as a fact for the server in the same transaction.
import { openBox } from "./box.js";
import { isShortCode, isUnsignedCode, parseCode, verifyCode } from "./codes.js";
import { judge, openGate } from "./rules.js";
import { ownerOf, readBox, readMeta, result, transact } from "./store.js";
import { correctedTime } from "./sync-clock.js";

/** Of a code, as the server takes it. */
export const MOST_CHARACTERS = 200;
const MOST_KEPT = 40; // of a text nobody has verified: of a ticket's code too little to open a name

/**
 * @typedef {object} Verdict
 * @property {"admitted" | "refused" | "unchecked"} result unchecked: nobody decided, nothing is kept here
 * @property {string | null} reason a ScanReason; unchecked: "needs_network", "not_prepared" or "gate_gone"
 * @property {string | null} attendee
 * @property {string | null} type
 * @property {string | null} code the short code
 * @property {string | null} admittedAt the entry that stands, or stood in the way
 * @property {string | null} gate of that entry
 * @property {number | null} seatId as far as this phone knows
 * @property {string | null} lane of the ticket
 * @property {string | null} lanes those this phone serves; null: all
 * @property {{name: string, gate: string | null}[]} sendTo phones that serve a ticket of another lane
 * @property {"server" | "device" | null} source null: nobody decided
 * @property {string} scanId
 * @property {"in" | "out"} direction
 */

/**
 * @typedef {object} QueuedScan a scan decided here; `problem` is set once the server would not take it
 * @property {number} number
 * @property {string} scanId
 * @property {string} [code] the text, when it is no ticket of ours as far as this phone knows
 * @property {number} [seatId] of a ticket; its code is not kept: it would open the guest's name
 * @property {number} [keyId] of the key that signed that code
 * @property {string} [owner] who decided (`ownerOf`)
 * @property {string} at by the server's clock
 * @property {string | null} gate
 * @property {"in" | "out"} direction
 * @property {"admitted" | "refused"} result
 * @property {string | null} reason
 * @property {string} [problem]
 */

/** @typedef {import("./store.js").DoorState} DoorState */
/** @typedef {{admittedAt: string | null, gate: string | null, isInside: boolean, known: number}} Standing */

/**
 * Decide about a scanned text, and queue what was decided for the server.
 *
 * Deciding and queueing are one transaction: of two tabs, one admits a seat.
 * @param {string} text
 * @param {"in" | "out"} direction
 * @param {string} [scanId]
 * @returns {Promise<Verdict>}
 */
export async function decideOffline(text, direction, scanId = crypto.randomUUID()) {
  const [state, chosen] = await readMeta("state", "gate");
  const blank = blankVerdict({ scanId, direction, source: null, lanes: state?.device.lanes ?? null });
  const code = parseCode(text.toUpperCase()); // as the server reads it
  if (needsServer(text)) return { ...blank, reason: "needs_network" };
  if (!state) return { ...blank, reason: "not_prepared" };
  if (isGateGone(state, chosen)) return { ...blank, reason: "gate_gone" };
  const isTrue = code !== null && (await verifyCode(code, state.keys));
  const decided = await decideAndQueue({ text, direction, scanId }, isTrue ? code : null);
  if (!decided) return { ...blank, reason: "not_prepared" };
  const names = isTrue && (await namesOf(code, text).catch(() => ({}))); // decided it is, with or without a name
  return { ...blank, source: "device", ...decided, ...names };
}

/**
 * Tell whether only the server knows this kind of code. No list of short codes is on the phone: there
 * are so few possible ones that a thief could try them all.
 * @param {string} text
 */
export function needsServer(text) {
  return isShortCode(text) || isUnsignedCode(text.toUpperCase());
}

/**
 * Return a verdict with nothing known yet.
 * @param {{scanId: string, direction: "in" | "out", source: "server" | null, lanes: string | null}} known
 * @returns {Verdict}
 */
export function blankVerdict(known) {
  const nothing = { seatId: null, attendee: null, type: null, code: null, admittedAt: null, gate: null, lane: null };
  return { result: "unchecked", reason: null, ...nothing, sendTo: [], ...known };
}

/**
 * Return the phones that serve a lane, for a guest who stands before another one.
 * @param {DoorState} state
 * @param {string} lane
 */
export function phonesOf(state, lane) {
  return state.phones.filter(({ lanes }) => lanes.includes(lane)).map(({ name, gate }) => ({ name, gate }));
}

/**
 * Return the gate this phone stands at: that of the device, else the one chosen here.
 * @param {DoorState | undefined} state
 * @param {string | undefined} chosen
 */
export function gateName(state, chosen) {
  return state?.device.gate?.name ?? chosen ?? null;
}

/**
 * Tell whether the gate chosen here is not in use any more, or has another name: then its rules are nobody's, and
 * nobody is let in before somebody says where this phone stands.
 * @param {DoorState | undefined} state
 * @param {string | undefined} chosen
 */
export function isGateGone(state, chosen) {
  return Boolean(chosen && state && !state.device.gate && !state.gates.some(({ name }) => name === chosen));
}

/**
 * @param {{text: string, direction: "in" | "out", scanId: string}} scan
 * @param {import("./codes.js").SeatCode | null} code null when it is not true
 * @returns {Promise<Partial<Verdict> | null>} null when the data was wiped meanwhile
 */
function decideAndQueue({ text, direction, scanId }, code) {
  return transact("readwrite", ["meta", "refused", "standing", "queue"], async (meta, refused, standing, queue) => {
    const [state, clock, chosen] = await Promise.all(["state", "clock", "gate"].map((name) => result(meta.get(name))));
    if (!state) return null;
    const repeated = await result(queue.index("scanId").get(scanId));
    if (repeated) return answerOf(repeated, code, state, null);
    const at = correctedTime(clock);
    const name = gateName(state, chosen);
    const past = code && (await pastOf(code.seatId, refused, standing, queue));
    const seat = code && past && { ...seatFacts(code, state), ...past.facts };
    const reason = judge(seat, gateRules(state, name), at, { direction, lanes: state.device.lanes });
    const what = code ? { seatId: code.seatId, keyId: code.keyId } : { code: keptText(text) };
    const scan = { scanId, owner: ownerOf(state.device), ...what, at, gate: name, direction, result: reason ? "refused" : "admitted", reason };
    queue.add(scan);
    return answerOf(scan, code, state, past?.facts.admittedAt ? past : null);
  });
}

/** @param {string} text that this phone has not verified; it may be a true ticket's all the same */
function keptText(text) {
  return text.length > MOST_KEPT ? `${text.slice(0, MOST_KEPT)}…` : text;
}

/**
 * Return what is known of a seat: what the server told, and what was decided here since.
 * @param {number} seatId
 * @param {IDBObjectStore} refused
 * @param {IDBObjectStore} standing
 * @param {IDBObjectStore} queue
 */
async function pastOf(seatId, refused, standing, queue) {
  const [barred, told, here] = await Promise.all([
    result(refused.get(seatId)),
    result(standing.get(seatId)),
    result(queue.index("seatId").getAll(seatId)),
  ]);
  let { admittedAt, gate, isInside } = told ?? { admittedAt: null, gate: null, isInside: false };
  for (const scan of here.sort((a, b) => a.number - b.number)) {
    if (scan.result !== "admitted") continue;
    isInside = scan.direction === "in";
    if (isInside && !admittedAt) ({ at: admittedAt, gate } = scan);
  }
  const isBarred = { revoked: barred === "revoked", orderCancelled: barred === "order_cancelled" };
  return { facts: { ...isBarred, admittedAt, isInside }, gate };
}

/**
 * The period is what the catalogue says now: an event that moved needs no new tickets.
 * @param {import("./codes.js").SeatCode} code
 * @param {DoorState} state
 */
function seatFacts({ ticketId, lane, admitFrom, admitUntil }, state) {
  const kind = state.tickets[ticketId] ?? { admitFrom, admitUntil };
  return { ticketId, lane, admitFrom: kind.admitFrom, admitUntil: kind.admitUntil };
}

/**
 * @param {DoorState} state
 * @param {string | null} name
 */
function gateRules(state, name) {
  const known = [state.device.gate, ...state.gates]; // the device's own may have been retired meanwhile
  return known.find((gate) => gate?.name === name) ?? openGate(name ?? "");
}

/**
 * @param {any} scan
 * @param {import("./codes.js").SeatCode | null} code
 * @param {DoorState} state
 * @param {{facts: {admittedAt: string | null}, gate: string | null} | null} entry that stood before
 * @returns {Partial<Verdict>}
 */
function answerOf(scan, code, state, entry) {
  const isEntry = scan.result === "admitted" && scan.direction === "in";
  return {
    result: scan.result,
    reason: scan.reason,
    type: (code && state.tickets[code.ticketId]?.type) ?? null,
    lane: code?.lane ?? null,
    seatId: code?.seatId ?? null,
    admittedAt: entry?.facts.admittedAt ?? (isEntry ? scan.at : null),
    gate: entry ? entry.gate : scan.gate,
    sendTo: code && scan.reason === "wrong_lane" ? phonesOf(state, code.lane) : [],
  };
}

/**
 * @param {import("./codes.js").SeatCode} code
 * @param {string} text
 */
async function namesOf({ seatId }, text) {
  const box = await readBox(seatId);
  const inside = box && (await openBox(box, text.toUpperCase(), seatId));
  return inside ? { attendee: inside.attendee, code: inside.code } : {};
}
