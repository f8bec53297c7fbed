// Takes a check-in back, on the server and in what this phone knows.
import { call } from "./sync-link.js";
import { result, transact } from "./store.js";
import { syncNow } from "./sync.js";

/**
 * Take a scan back. Throws CallFailed.
 * @param {{scanId: string, seatId: number | null, direction: "in" | "out"}} scan seatId: null when only the server
 *   knows it; this phone hears of it with the next contact, which is begun now
 */
export async function undo({ scanId, seatId, direction }) {
  const { admittedAt, gate } = await call(`/api/check-ins/${scanId}/undo`, {});
  if (seatId !== null) {
    const stands = { admittedAt, gate, isInside: direction === "out", known: Date.now() };
    await transact("readwrite", ["meta", "standing"], async (meta, standing) => {
      if (await result(meta.get("state"))) standing.put(stands, seatId);
    });
  }
  syncNow().catch(() => {}); // undone it is
}
