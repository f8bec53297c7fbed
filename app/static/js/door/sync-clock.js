// The time by the server's clock: a phone at the door may be minutes off, and decides rightly all the same.
import { readMeta, writeMeta } from "./store.js";

const COARSE_MS = 2_000; // an answer that took longer says too little to replace what is known
const OLDEST_MS = 366 * 24 * 3_600_000; // as in app/services/door/batch.py
const CREDIBLE = [Date.UTC(2000), Date.UTC(2100)]; // a clock that shows another year tells nobody anything

/**
 * @typedef {object} Clock milliseconds
 * @property {number} offset server = device + offset
 * @property {number} uncertainty
 * @property {number} heardAt the server's time of its last answer: it is later now, whatever the device says
 */

/** The same for this page alone, by a clock that nobody can set; it may stand still while the phone sleeps. */
let heard = { server: 0, at: 0 };

/**
 * Learn from an answer how far off this phone is.
 * @param {string} serverTime its `now`
 * @param {number} askedAt device time in ms
 * @param {number} answeredAt
 * @returns {Promise<Clock>}
 */
export async function noteServerTime(serverTime, askedAt, answeredAt) {
  const uncertainty = (answeredAt - askedAt) / 2;
  const heardAt = Date.parse(serverTime);
  heard = { server: heardAt, at: performance.now() };
  const fresh = { offset: heardAt - (askedAt + uncertainty), uncertainty, heardAt };
  const [known] = await readMeta("clock");
  const agrees = known && Math.abs(known.offset - fresh.offset) <= uncertainty + known.uncertainty;
  const clock = agrees && uncertainty > COARSE_MS ? { ...known, heardAt } : fresh;
  await writeMeta("clock", clock);
  return clock;
}

/**
 * Return the time by the server's clock, as far as this phone knows: never before the server's last answer, even
 * when the phone's own clock was reset since.
 * @param {Clock | undefined} clock
 */
export function correctedTime(clock) {
  const byDevice = Date.now() + (clock?.offset ?? 0);
  const byPage = heard.server + performance.now() - heard.at;
  return new Date(Math.max(isCredible(byDevice) ? byDevice : 0, byPage, clock?.heardAt ?? 0)).toISOString();
}

/**
 * Return this phone's time as it may be sent: by its own clock, unless that shows a year no server takes.
 * @param {Clock | undefined} clock
 */
export function deviceTime(clock) {
  const now = Date.now();
  return isCredible(now) ? new Date(now).toISOString() : correctedTime(clock);
}

/** @param {number} moment */
const isCredible = (moment) => CREDIBLE[0] < moment && moment < CREDIBLE[1];

/**
 * Return a corrected time as this phone's clock shows it now, where it shows `sentAt`.
 *
 * A phone often sets its clock right in the moment it finds a network: between a scan and its
 * sending. Told in the clock of the sending, the moment of the scan stays what it was. It is never
 * later than the sending, nor older than the server believes: no scan is refused for its time.
 * @param {Clock | undefined} clock as measured now
 * @param {string} at corrected
 * @param {string} sentAt of `deviceTime`
 */
export function timeOfScan(clock, at, sentAt) {
  const age = Date.parse(correctedTime(clock)) - Date.parse(at);
  return new Date(Date.parse(sentAt) - Math.min(Math.max(age, 0), OLDEST_MS)).toISOString();
}
