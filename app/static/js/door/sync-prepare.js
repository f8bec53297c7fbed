// Loads the sealed boxes of all seats onto this phone, page by page, and later those sold since.
import { call } from "./sync-link.js";
import { insistOn, readEpoch, readMeta, readSeatIds, result, transact } from "./store.js";

const CHECK_MODULUS = 1_000_003; // as in app/services/door/offline.py
const WHOLE_AGAIN_MS = 10 * 60_000;

/**
 * @typedef {object} Preparation
 * @property {number} after where the next page begins
 * @property {number} settled where a later run begins: of a lower cursor no seat can still appear
 * @property {number} done seats loaded in this run
 * @property {boolean} isComplete
 * @property {number} wholeAt device time in ms when loading all from the beginning began
 * @property {string} [verified] what the server counted when this phone had the same
 */

/**
 * Load every seat, or the missing ones; a try that broke off is resumed.
 * @param {(progress: {done: number, total: number}) => void} onProgress
 */
export async function loadSeats(onProgress) {
  const [known, state] = await readMeta("preparation", "state");
  if (!known?.isComplete) await load(known ?? null, onProgress);
  await topUp();
  onProgress({ done: (await readSeatIds()).length, total: state.seats });
}

/** Load the seats sold since, and all of them again when what is here is not what there is. */
export async function topUp() {
  const [preparation, state] = await readMeta("preparation", "state");
  if (!preparation || !state || (await hasAll(preparation, state))) return;
  const { isComplete, settled } = preparation;
  await load(isComplete ? { ...preparation, after: settled, isComplete: false } : preparation);
  const [after] = await readMeta("preparation");
  const isRecent = Date.now() - after.wholeAt < WHOLE_AGAIN_MS;
  if (!isRecent && !(await hasAll(after, state))) await load(null);
}

/**
 * @param {Preparation | null} from null: from the beginning, forgetting what is here
 * @param {(progress: {done: number, total: number}) => void} [onProgress]
 */
async function load(from, onProgress = () => {}) {
  const epoch = await readEpoch();
  let preparation = from ?? (await begin(epoch));
  while (!preparation.isComplete) {
    const page = await call(`/api/door/tickets?after=${preparation.after}`);
    preparation = advance(preparation, page);
    await keepPage(page.seats, preparation, epoch);
    onProgress({ done: Math.min(preparation.done, page.total), total: page.total });
  }
}

/**
 * @param {string} epoch
 * @returns {Promise<Preparation>}
 */
async function begin(epoch) {
  const preparation = { after: 0, settled: 0, done: 0, isComplete: false, wholeAt: Date.now() };
  await transact("readwrite", ["meta", "seats"], async (meta, seats) => {
    await insistOn(meta, epoch);
    seats.clear();
    meta.put(preparation, "preparation");
  });
  return preparation;
}

/**
 * A later run begins where the first page of this one knew that all was committed.
 * @param {Preparation} before
 * @param {any} page
 * @returns {Preparation}
 */
function advance(before, page) {
  const isFirst = before.after === before.settled;
  return {
    ...before,
    after: page.next ?? before.after,
    settled: isFirst ? Math.max(before.settled, page.settled) : before.settled,
    done: before.done + page.seats.length,
    isComplete: page.next === null,
  };
}

/**
 * @param {[number, string][]} page
 * @param {Preparation} preparation
 * @param {string} epoch
 */
function keepPage(page, preparation, epoch) {
  return transact("readwrite", ["meta", "seats", "refused"], async (meta, seats, refused) => {
    await insistOn(meta, epoch);
    const barred = new Set(await result(refused.getAllKeys()));
    for (const [seatId, box] of page) if (!barred.has(seatId)) seats.put(box, seatId);
    meta.put(preparation, "preparation");
  });
}

/**
 * Compare count and checksum with the server's; the ids are only read when those are new.
 * @param {Preparation} preparation
 * @param {import("./store.js").DoorState} state
 */
async function hasAll(preparation, state) {
  const counted = `${state.seats}:${state.seatsChecksum}`;
  if (!preparation.isComplete) return false;
  if (preparation.verified === counted) return true;
  const ids = await readSeatIds();
  const checksum = ids.reduce((sum, seatId) => (sum + (seatId % CHECK_MODULUS)) % CHECK_MODULUS, 0);
  if (`${ids.length}:${checksum}` !== counted) return false;
  await transact("readwrite", ["meta"], async (meta) => {
    const latest = await result(meta.get("preparation"));
    if (latest) meta.put({ ...latest, verified: counted }, "preparation");
  });
  return true;
}
