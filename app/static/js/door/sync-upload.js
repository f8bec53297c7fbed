// Sends what was decided on this phone, oldest first, in small batches; only what the server answered goes.
import { call } from "./sync-link.js";
import { deviceTime, timeOfScan } from "./sync-clock.js";
import { ownerOf, readMeta, readQueue, result, transact } from "./store.js";

const BATCH = 50;

/**
 * Send what waits here of whoever may scan with this phone now. What somebody else decided is theirs to answer for:
 * it stays until they are back, or somebody takes it over.
 * @param {() => Promise<any>} hear learns who that is, and measures the clock, on which sending depends
 * @param {() => Promise<void>} tell
 */
export async function upload(hear, tell) {
  const [state] = await readMeta("state");
  if (!(await readQueue(state && ownerOf(state.device), 1)).length) return;
  const owner = ownerOf(await hear());
  for (;;) {
    const scans = await readQueue(owner, BATCH);
    if (!scans.length) return;
    await settle(await send(scans));
    await tell();
  }
}

/** Let whoever may scan now send what others decided on this phone, and answer for it. */
export function takeOver() {
  return transact("readwrite", ["meta", "queue"], async (meta, queue) => {
    const state = await result(meta.get("state"));
    if (!state) return;
    for (const scan of await result(queue.getAll())) queue.put({ ...scan, owner: ownerOf(state.device) });
  });
}

/** @param {import("./decide.js").QueuedScan[]} scans */
async function send(scans) {
  const [clock] = await readMeta("clock");
  const sentAt = deviceTime(clock);
  const checkIns = scans.map(({ scanId, at, gate, direction, result, reason, ...scan }) => {
    return { ...ticketOf(scan), scanId, scannedAt: timeOfScan(clock, at, sentAt), gate, direction, result, reason };
  });
  const { results } = await call("/api/check-ins/batch", { sentAt, checkIns });
  return results;
}

/**
 * The server takes a seat or a code, never both; phones of an older version kept both.
 * @param {{seatId?: number, keyId?: number, code?: string}} scan
 */
function ticketOf({ seatId, keyId, code }) {
  return seatId === undefined ? { code } : { seatId, keyId };
}

/**
 * Keep what the server now says of each seat in place of what was decided here. A scan it cannot
 * read stays, marked, so that it does not keep the others here for ever.
 * @param {any[]} answers
 */
export async function settle(answers) {
  await transact("readwrite", ["queue", "standing", "meta"], async (queue, standing, meta) => {
    let sent = (await result(meta.get("sent"))) ?? 0;
    for (const answer of answers) {
      const scan = await result(queue.index("scanId").get(answer.scanId));
      if (!scan) continue;
      if (answer.problem) {
        queue.put({ ...scan, problem: answer.problem });
        continue;
      }
      queue.delete(scan.number);
      sent += 1;
      if (scan.seatId !== undefined) noteAnswer(standing, await result(standing.get(scan.seatId)), scan, answer);
    }
    meta.put(sent, "sent");
  });
}

/**
 * @param {IDBObjectStore} standing
 * @param {import("./decide.js").Standing | undefined} known
 * @param {import("./decide.js").QueuedScan} scan
 * @param {any} answer
 */
function noteAnswer(standing, known, scan, answer) {
  const admittedAt = answer.admittedAt ?? known?.admittedAt ?? null;
  if (scan.result !== "admitted" && !admittedAt) return;
  const isInside = scan.result === "admitted" ? scan.direction === "in" : (known?.isInside ?? true);
  standing.put({ admittedAt, gate: answer.gate ?? known?.gate ?? null, isInside, known: Date.now() }, scan.seatId);
}
