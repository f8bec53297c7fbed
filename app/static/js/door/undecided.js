// Scans nobody has answered: the server may have counted one all the same. When the same code comes again it goes
// under the same scanId, and gets the answer that was lost, not "already entered".

const MOST = 200;

/** @type {Map<string, string>} the code and direction -> scanId; in memory only: a code may open a name */
const kept = new Map();

const keyOf = (/** @type {string} */ code, /** @type {string} */ direction) => `${direction} ${code}`;

/**
 * Return the scanId an undecided scan of this code went by, else a new one. It is given out once: of two scans
 * under way at the same time, one is new.
 * @param {string} code
 * @param {"in" | "out"} direction
 * @returns {string}
 */
export function takeScanId(code, direction) {
  const key = keyOf(code, direction);
  const known = kept.get(key);
  kept.delete(key);
  return known ?? crypto.randomUUID();
}

/**
 * Keep the scanId of a scan that ended without an answer.
 * @param {string} code
 * @param {"in" | "out"} direction
 * @param {string} scanId
 */
export function keepScanId(code, direction, scanId) {
  kept.set(keyOf(code, direction), scanId);
  if (kept.size > MOST) kept.delete(/** @type {string} */ (kept.keys().next().value));
}
