// Whether this phone is ready for a door without a network: the facts behind its checklist.
import { countQueue, countSeats, readMeta } from "./store.js";
import { correctedTime } from "./sync-clock.js";
import { endedBy, isLinkUp } from "./sync-link.js";

/**
 * @typedef {object} Status
 * @property {boolean} isOnline false: this phone decides
 * @property {number} seats tickets on this phone
 * @property {number} total tickets there are
 * @property {boolean} isPrepared all of them were loaded once; what was sold since follows by itself
 * @property {string | null} updatedAt when it last heard of the server, by the server's clock
 * @property {number | null} age seconds since then
 * @property {number | undefined} clockOff milliseconds this phone's clock is behind the server's
 * @property {number | null} battery percent; null where the browser does not tell
 * @property {boolean | null} isCharging
 * @property {boolean | null} storageKept whether the browser promised to keep the data
 * @property {number} queued scans that are here and not on the server yet
 * @property {number} held of these: scans the server would not take; they stay for the organiser
 * @property {number} others of these: scans decided under another log-in, which has to send them
 * @property {number} sent scans decided here that are on the server
 * @property {any} device its name, role, gate and lanes, as the server last told; null before
 * @property {boolean} isLaneMode
 * @property {string | null} locked why this phone may not scan: "device_cut_off",
 *   "door_login_required", "signed_out" or "leaving" (signed out, but the server does not know yet)
 */

/** @returns {Promise<Status>} */
export async function currentStatus() {
  const [state, clock, sent, preparation] = await readMeta("state", "clock", "sent", "preparation");
  const { queued, held, others } = await countQueue();
  return {
    isOnline: isLinkUp(),
    seats: await countSeats(),
    total: state?.seats ?? 0,
    isPrepared: preparation?.isComplete ?? false,
    updatedAt: state?.syncedAt ?? null,
    age: state ? secondsBetween(state.syncedAt, correctedTime(clock)) : null,
    clockOff: clock && Math.abs(clock.offset) > clock.uncertainty ? clock.offset : clock && 0,
    ...(await batteryNow()),
    storageKept: (await navigator.storage?.persisted?.()) ?? null,
    queued: queued + held + others,
    held,
    others,
    sent: sent ?? 0,
    device: state?.device ?? null,
    isLaneMode: state?.laneMode ?? false,
    locked: endedBy(),
  };
}

/** @returns {Promise<{battery: number | null, isCharging: boolean | null}>} */
async function batteryNow() {
  const battery = await /** @type {any} */ (navigator).getBattery?.();
  return { battery: battery ? Math.round(battery.level * 100) : null, isCharging: battery?.charging ?? null };
}

/**
 * @param {string} from
 * @param {string} until
 */
function secondsBetween(from, until) {
  return Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 1000));
}
