// Keeps this phone and the server in step: every 15 seconds, and as soon as there is a network again.
// What was decided here goes up first, so that what comes down knows of it.
import { currentStatus } from "./preflight.js";
import { call, CallFailed, endedBy, forgetAll, giveUpAccess, link } from "./sync-link.js";
import { deviceTime, noteServerTime } from "./sync-clock.js";
import { countQueue, insistOn, letStorageFail, readEpoch, readMeta, result, transact, Wiped, writeMeta } from "./store.js";
import { loadSeats, topUp } from "./sync-prepare.js";
import { upload } from "./sync-upload.js";

const EVERY_MS = 15_000;
const LONGEST_MS = 60_000;

/** "status": something of it may have changed; detail is the Status of preflight.js. */
export const events = new EventTarget();

let timer = 0;
let failures = 0;
let isStarted = false;
let isAgain = false;
/** @type {Promise<boolean> | null} */
let running = null;

/** Begin to keep in step, and go on until `stop`. */
export function start() {
  if (isStarted) return;
  isStarted = true;
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurryWhenSeen);
  link.addEventListener("link", tell);
  link.addEventListener("ended", tell);
  hurry();
}

export function stop() {
  isStarted = false;
  clearTimeout(timer);
  removeEventListener("online", hurry);
  document.removeEventListener("visibilitychange", hurryWhenSeen);
  link.removeEventListener("link", tell);
  link.removeEventListener("ended", tell);
}

/**
 * Send what waits and learn what is new, now. Resolves to whether that worked.
 * @returns {Promise<boolean>}
 */
export function syncNow() {
  if (running) isAgain = true; // what happened since it began goes with the next one
  running ??= cycle().finally(() => {
    running = null;
    if (isStarted) plan();
    isAgain = false;
  });
  return running;
}

/**
 * Load every ticket onto this phone, resuming where a broken try ended.
 * @param {(progress: {done: number, total: number}) => void} [onProgress]
 */
export async function prepare(onProgress = () => {}) {
  await navigator.storage?.persist?.();
  await download();
  await loadSeats(onProgress);
  await tell();
}

/**
 * Forget everything on this phone, and give up its access: now, or as soon as there is a network. Scans nobody
 * has heard of are sent first; while some are left it does nothing and returns how many, unless `evenUnsent`.
 * @param {{evenUnsent?: boolean}} [options]
 * @returns {Promise<number>} scans not sent: 0 means that all is gone
 */
export async function signOut({ evenUnsent = false } = {}) {
  await upload(hear, tell).catch(() => {});
  const { queued, held, others } = await countQueue();
  const left = queued + held + others;
  if (left && !evenUnsent) return left;
  await forgetAll();
  await giveUpAccess().then(stop, () => {}); // else it is tried again with the next contact
  return 0;
}

/**
 * Let a phone without a gate of its own stand at one.
 * @param {string | null} name
 */
export async function chooseGate(name) {
  await writeMeta("gate", name ?? undefined);
}

/**
 * Call a listener with every Status from now on, the present one first.
 * @param {(status: import("./preflight.js").Status) => void} listener
 */
export function onStatus(listener) {
  events.addEventListener("status", (event) => listener(/** @type {CustomEvent} */ (event).detail));
  tell();
}

/** Tell whoever shows the status that it may have changed. */
export async function tell() {
  const status = await currentStatus().catch(letStorageFail);
  if (status) events.dispatchEvent(new CustomEvent("status", { detail: status }));
}

function hurry() {
  failures = 0;
  syncNow();
}

function hurryWhenSeen() {
  if (document.visibilityState === "visible") hurry();
}

function plan() {
  clearTimeout(timer);
  if (endedBy() && endedBy() !== "leaving") return; // until somebody logs in, on a page of its own
  timer = setTimeout(syncNow, isAgain ? 0 : failures ? pause() : EVERY_MS);
}

/** Return how long to leave a server in trouble alone: longer each time, and not all phones at once. */
function pause() {
  const longest = Math.min(LONGEST_MS, 1000 * 2 ** failures);
  return longest * (0.5 + Math.random() / 2);
}

/** One tab at a time; the others only look at what it did. */
async function cycle() {
  const work = async (/** @type {Lock | null} */ lock) => {
    if (!lock || (await giveUpAccess())) return;
    await upload(hear, tell);
    await download();
    await topUp();
  };
  try {
    await (navigator.locks ? navigator.locks.request("door-sync", { ifAvailable: true }, work) : work(/** @type {any} */ ({})));
    failures = 0;
    return true;
  } catch (error) {
    if (!(error instanceof CallFailed || error instanceof Wiped)) letStorageFail(error);
    failures += 1;
    return false;
  } finally {
    await tell();
  }
}

/** Learn who may scan with this phone now, and what time it is: scans still wait to go up first. */
const hear = () => download({ isKept: false });

/**
 * Learn how the door stands now.
 * @param {{isKept?: boolean}} [options]
 * @returns {Promise<any>} what the server told of this phone
 */
async function download({ isKept = true } = {}) {
  const epoch = await readEpoch();
  const [state] = await readMeta("state");
  const askedAt = Date.now();
  const answer = await call("/api/door/sync", { since: state?.cursor ?? null, report: await report() });
  await noteServerTime(answer.now, askedAt, Date.now());
  if (isKept) await keep(answer, epoch, { askedAt, isWhole: !state });
  return answer.device;
}

/**
 * @param {any} answer
 * @param {string} epoch
 * @param {{askedAt: number, isWhole: boolean}} how
 */
function keep(answer, epoch, { askedAt, isWhole }) {
  return transact("readwrite", ["meta", "seats", "refused", "standing"], async (meta, seats, refused, standing) => {
    await insistOn(meta, epoch);
    const { now, refused: barred, changes, ...rest } = answer;
    meta.put({ ...rest, syncedAt: now }, "state");
    refused.clear();
    for (const [seatId, reason] of barred) {
      refused.put(reason, seatId);
      seats.delete(seatId); // nobody enters on it: its box has no use here
    }
    if (isWhole) standing.clear();
    for (const [seatId, admittedAt, gate, isInside] of changes) {
      const known = isWhole ? null : await result(standing.get(seatId));
      const isNewer = known && known.known > askedAt && known.known <= Date.now();
      if (!isNewer) standing.put({ admittedAt, gate, isInside, known: askedAt }, seatId);
    }
  });
}

async function report() {
  const { battery, queued, isPrepared, seats, storageKept } = await currentStatus();
  const [clock] = await readMeta("clock");
  return { battery, queued, tickets: isPrepared ? seats : 0, clock: deviceTime(clock), storageKept };
}
