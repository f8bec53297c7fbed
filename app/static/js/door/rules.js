// Whether a guest is let through: the same rules, in the same order, as
// app/services/door/rules.py; tests/door/vectors/rules.json holds both.

/**
 * @typedef {object} SeatFacts
 * @property {number} ticketId
 * @property {string} lane
 * @property {boolean} revoked
 * @property {boolean} orderCancelled
 * @property {string | null} admitFrom ISO 8601; null does not limit
 * @property {string | null} admitUntil exclusive
 * @property {string | null} admittedAt the first entry that stands
 * @property {boolean} isInside
 */

/**
 * @typedef {object} Gate
 * @property {string} name
 * @property {number[]} ticketIds none means every ticket
 * @property {string | null} opensAt
 * @property {string | null} closesAt exclusive
 * @property {boolean} hasReentry
 * @property {boolean} hasExit
 */

/**
 * @typedef {"unknown_code" | "revoked" | "order_cancelled" | "wrong_ticket" | "outside_period"
 *   | "wrong_lane" | "already_admitted" | "not_inside"} ScanReason
 */

/**
 * Return why the guest is not let through; null lets through.
 * @param {SeatFacts | null} seat null when the code is unknown or was not signed by us
 * @param {Gate} gate
 * @param {string} at ISO 8601
 * @param {{direction: "in" | "out", lanes: string | null}} how lanes: null admits all
 * @returns {ScanReason | null}
 */
export function judge(seat, gate, at, { direction, lanes }) {
  if (!seat) return "unknown_code";
  if (seat.revoked) return "revoked";
  if (seat.orderCancelled) return "order_cancelled";
  if (gate.ticketIds.length && !gate.ticketIds.includes(seat.ticketId)) return "wrong_ticket";
  if (!isWithin(at, seat.admitFrom, seat.admitUntil)) return "outside_period";
  if (!isWithin(at, gate.opensAt, gate.closesAt)) return "outside_period";
  if (lanes !== null && !lanes.includes(seat.lane)) return "wrong_lane";
  if (direction === "out") return seat.isInside ? null : "not_inside";
  if (seat.admittedAt && (!gate.hasReentry || seat.isInside)) return "already_admitted";
  return null;
}

/**
 * Return the rules of a gate nobody configured: every ticket, at any time, once.
 * @param {string} name
 * @returns {Gate}
 */
export function openGate(name) {
  return { name, ticketIds: [], opensAt: null, closesAt: null, hasReentry: false, hasExit: false };
}

/**
 * @param {string} at
 * @param {string | null} from
 * @param {string | null} until exclusive
 */
function isWithin(at, from, until) {
  const moment = Date.parse(at);
  return (!from || Date.parse(from) <= moment) && (!until || moment < Date.parse(until));
}
