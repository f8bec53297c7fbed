// The time by the server's clock: a phone at the door may be minutes off, and decides rightly all the same.
import { readMeta, writeMeta } from "./store.js";

const COARSE_MS = 2_000; // an answer that took longer says too little to replace what is known

/** @typedef {{offset: number, uncertainty: number}} Clock milliseconds: server = device + offset */

/**
 * Learn from an answer how far off this phone is.
 * @param {string} serverTime its `now`
 * @param {number} askedAt device time in ms
 * @param {number} answeredAt
 * @returns {Promise<Clock>}
 */
export async function noteServerTime(serverTime, askedAt, answeredAt) {
  const uncertainty = (answeredAt - askedAt) / 2;
  const fresh = { offset: Date.parse(serverTime) - (askedAt + uncertainty), uncertainty };
  const [known] = await readMeta("clock");
  const agrees = known && Math.abs(known.offset - fresh.offset) <= uncertainty + known.uncertainty;
  if (agrees && uncertainty > COARSE_MS) return known;
  await writeMeta("clock", fresh);
  return fresh;
}

/**
 * Return the time by the server's clock, as far as this phone knows.
 * @param {Clock | undefined} clock
 * @param {number} [deviceTime] ms
 */
export function correctedTime(clock, deviceTime = Date.now()) {
  return new Date(deviceTime + (clock?.offset ?? 0)).toISOString();
}

/**
 * Return a corrected time as this phone's clock shows it now.
 *
 * A phone often sets its clock right in the moment it finds a network: between a scan and its
 * sending. Told in the clock of the sending, the moment of the scan stays what it was.
 * @param {Clock | undefined} clock as measured now
 * @param {string} at corrected
 */
export function deviceTime(clock, at) {
  return new Date(Date.parse(at) - (clock?.offset ?? 0)).toISOString();
}
