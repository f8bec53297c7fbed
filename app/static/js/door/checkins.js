// One scan, one verdict: the server's when it answers soon, else this phone's. Nobody waits for a network.
import { parseCode } from "./codes.js";
import { blankVerdict, decideOffline, gateName, isGateGone, MOST_CHARACTERS, needsServer, phonesOf } from "./decide.js";
import { call, CallFailed, isLinkUp, noteSlow, PATIENCE_MS } from "./sync-link.js";
import { readMeta, result, transact } from "./store.js";
import { tell } from "./sync.js";
import { deviceTime } from "./sync-clock.js";
import { settle } from "./sync-upload.js";
import { keepScanId, takeScanId } from "./undecided.js";

const LONG_PATIENCE_MS = 8_000; // for what only the server can tell

/** @typedef {import("./decide.js").Verdict} Verdict */
/** @typedef {{text: string, direction: "in" | "out", scanId: string, state: import("./store.js").DoorState | undefined, gate: string | null, clock: import("./sync-clock.js").Clock | undefined}} Scan */

/**
 * Ask the server about a code; when it does not answer in time, decide here under the same scanId. A scan that
 * ends without an answer keeps its scanId for the next try with this code.
 *
 * Throws CallFailed when this phone may not scan, or the server cannot read what was sent.
 * @param {{code: string, direction?: "in" | "out"}} scan
 * @returns {Promise<Verdict>}
 */
export async function submit({ code, direction = "in" }) {
  const text = code.trim().slice(0, MOST_CHARACTERS);
  const scanId = takeScanId(text, direction);
  let isDecided = false;
  try {
    const verdict = await check(text, direction, scanId);
    isDecided = verdict.result !== "unchecked";
    return verdict;
  } catch (error) {
    isDecided = error instanceof CallFailed && !error.isPassing;
    throw error;
  } finally {
    if (!isDecided) keepScanId(text, direction, scanId);
  }
}

/**
 * @param {string} text
 * @param {"in" | "out"} direction
 * @param {string} scanId
 * @returns {Promise<Verdict>}
 */
async function check(text, direction, scanId) {
  const [state, chosen, leaving, clock] = await readMeta("state", "gate", "leaving", "clock").catch(() => []); // a full phone scans online
  if (leaving) throw new CallFailed("leaving", 401);
  const scan = { text, direction, scanId, state, gate: gateName(state, chosen), clock };
  const isOurs = state && !needsServer(text);
  if (isGateGone(state, chosen)) return decideHere(scan);
  if (isOurs && !isLinkUp()) return decideHere(scan);
  const asked = askServer(scan);
  try {
    return (await withinPatience(asked, isOurs ? PATIENCE_MS : LONG_PATIENCE_MS)) ?? (await decideMeanwhile(scan, asked));
  } catch (error) {
    if (!(error instanceof CallFailed) || error.status === 401 || !error.isPassing) throw error;
    return decideHere(scan);
  }
}

/** @param {Scan} scan */
async function decideHere({ text, direction, scanId }) {
  const verdict = await decideOffline(text, direction, scanId);
  tell();
  return verdict;
}

/**
 * Decide although the server was asked; what it answers later is not lost.
 * @param {Scan} scan
 * @param {Promise<Verdict>} asked
 */
async function decideMeanwhile(scan, asked) {
  noteSlow();
  const verdict = await decideHere(scan);
  asked.then(reconcile).catch(() => {}); // it stays in the queue
  return verdict;
}

/**
 * A late answer that agrees is the record. One that differs is about a guest who has been told
 * otherwise: what happened stays in the queue, and goes to the server as a fact.
 * @param {Verdict} late
 */
async function reconcile(late) {
  const scan = await transact("readonly", ["queue"], (queue) => result(queue.index("scanId").get(late.scanId)));
  if (scan?.result !== late.result) return;
  await settle([late]);
  await tell();
}

/**
 * @param {Scan} scan
 * @returns {Promise<Verdict>}
 */
async function askServer({ text, direction, scanId, state, gate, clock }) {
  const scannedAt = deviceTime(clock);
  const answer = await call("/api/check-ins", { code: text, scanId, scannedAt, ...(gate && { gate }), direction });
  const { lane = null, seatId = null } = parseCode(text) ?? {};
  const verdict = {
    ...blankVerdict({ scanId, direction, source: "server", lanes: state?.device.lanes ?? null }),
    result: answer.result,
    reason: answer.reason,
    attendee: answer.eTicket?.attendee ?? null,
    type: answer.eTicket?.type ?? null,
    code: answer.eTicket?.code ?? null,
    admittedAt: answer.admittedAt,
    gate: answer.gate,
    lane,
    seatId,
    sendTo: state && lane && answer.reason === "wrong_lane" ? phonesOf(state, lane) : [],
  };
  noteStanding(text, verdict).catch(() => {}); // the next sync tells again
  return verdict;
}

/**
 * Remember who entered, for the moment the network goes.
 * @param {string} text
 * @param {Verdict} verdict
 */
async function noteStanding(text, { result: outcome, admittedAt, gate, direction }) {
  const seatId = parseCode(text)?.seatId;
  if (seatId === undefined || !admittedAt) return;
  await transact("readwrite", ["meta", "standing"], async (meta, standing) => {
    if (!(await result(meta.get("state")))) return;
    const known = await result(standing.get(seatId));
    const isInside = outcome === "admitted" ? direction === "in" : (known?.isInside ?? true);
    standing.put({ admittedAt, gate, isInside, known: Date.now() }, seatId);
  });
}

/**
 * Return what a promise gives within some milliseconds; null when it takes longer.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} milliseconds
 * @returns {Promise<T | null>}
 */
async function withinPatience(promise, milliseconds) {
  let timer = 0;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, milliseconds, null); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
