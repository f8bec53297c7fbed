// What this phone keeps, in IndexedDB: one database a device, shared by all its tabs.
//
//   seats     seat id -> box: base64, opened only by the ticket's own code (box.js)
//   refused   seat id -> "revoked" | "order_cancelled"
//   standing  seat id -> {admittedAt, gate, isInside, known}: as the server told at `known`
//   queue     scans decided here that the server has not answered yet, oldest first
//   meta      one value each: state (DoorState), clock (sync-clock.js), preparation (sync-prepare.js),
//             gate (the one chosen here), sent (how many scans), epoch (changes with every wipe),
//             leaving (signed out here, the server does not know yet)

/**
 * @typedef {object} DoorState what the server last told (app/routes/api/door_sync.py)
 * @property {{id: number | null, name: string, role: string, gate: Gate | null, lanes: string | null}} device
 *   lanes: the letters it admits without a network; null: all
 * @property {boolean} laneMode
 * @property {Gate[]} gates
 * @property {Record<string, {type: string, admitFrom: string | null, admitUntil: string | null}>} tickets
 * @property {import("./codes.js").PublicKey[]} keys those whose codes are good
 * @property {{name: string, gate: string | null, lanes: string}[]} phones in lane mode: who admits which lanes
 * @property {string} cursor
 * @property {number} seats how many may enter
 * @property {number} seatsChecksum
 * @property {string} syncedAt by the server's clock
 */

/** @typedef {import("./rules.js").Gate} Gate */

const NAME = "door";
const VERSION = 1;
const ALL = ["seats", "refused", "standing", "queue", "meta"];

/** The data was wiped while an answer of the server was on its way: the answer is not kept. */
export class Wiped extends Error {}

/**
 * Let pass that the browser's storage failed: it may be clearing everything at the server's word. Throws all else.
 * @param {unknown} error
 */
export function letStorageFail(error) {
  if (!(error instanceof DOMException)) throw error;
}

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= open().catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => create(request.result);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => forget(db); // a newer page in another tab wants to upgrade
      db.onclose = () => forget(db);
      resolve(db);
    };
  });
}

/** @param {IDBDatabase} db */
function forget(db) {
  db.close();
  opened = null;
}

/** @param {IDBDatabase} db */
function create(db) {
  for (const name of ["seats", "refused", "standing", "meta"]) db.createObjectStore(name);
  const queue = db.createObjectStore("queue", { keyPath: "number", autoIncrement: true });
  queue.createIndex("scanId", "scanId", { unique: true });
  queue.createIndex("seatId", "seatId");
}

/**
 * Run `work` in one transaction over some stores, and resolve once it is on the disk.
 *
 * Transactions that write to a store run one after another, over all tabs. `work` may wait for
 * nothing but requests of its own stores: else the browser ends the transaction.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {string[]} names
 * @param {(...stores: IDBObjectStore[]) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function transact(mode, names, work) {
  const transaction = await begin(mode, names);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  try {
    const result = await work(...names.map((name) => transaction.objectStore(name)));
    await done;
    return result;
  } catch (error) {
    done.catch(() => {}); // the first error tells more
    try { transaction.abort(); } catch { /* it has ended already */ }
    throw error;
  }
}

/**
 * A browser that was told to forget our data closes the database, and a moment later tells us so.
 * @param {IDBTransactionMode} mode
 * @param {string[]} names
 */
async function begin(mode, names) {
  const start = async () => (await database()).transaction(names, mode, { durability: "strict" });
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
    opened = null;
    return start();
  }
}

/**
 * Return a request's result as a promise.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Read some values of `meta`, in the order of their names; undefined where there is none.
 * @param {...string} names
 * @returns {Promise<any[]>}
 */
export function readMeta(...names) {
  return transact("readonly", ["meta"], (meta) => Promise.all(names.map((name) => result(meta.get(name)))));
}

/**
 * Keep a value of `meta`.
 * @param {string} name
 * @param {any} value
 */
export function writeMeta(name, value) {
  return transact("readwrite", ["meta"], async (meta) => void meta.put(value, name));
}

/**
 * Return the box of a seat.
 * @param {number} seatId
 * @returns {Promise<string | undefined>}
 */
export function readBox(seatId) {
  return transact("readonly", ["seats"], (seats) => result(seats.get(seatId)));
}

/**
 * Return the ids of all seats with a box here.
 * @returns {Promise<number[]>}
 */
export function readSeatIds() {
  return transact("readonly", ["seats"], async (seats) => /** @type {number[]} */ (await result(seats.getAllKeys())));
}

/** @returns {Promise<number>} how many seats have a box here */
export function countSeats() {
  return transact("readonly", ["seats"], (seats) => result(seats.count()));
}

/**
 * Return who decides on this phone: a device, or whoever is logged in.
 * @param {DoorState["device"]} device
 * @returns {string}
 */
export function ownerOf({ id, name }) {
  return id === null ? `login ${name}` : `device ${id}`;
}

/**
 * Return the oldest scans of somebody that the server has not answered, without those it would not take. Scans of
 * nobody known are everybody's.
 * @param {string | undefined} owner undefined: of all
 * @param {number} most
 * @returns {Promise<import("./decide.js").QueuedScan[]>}
 */
export async function readQueue(owner, most) {
  const all = await transact("readonly", ["queue"], (queue) => result(queue.getAll()));
  return all.filter((scan) => !scan.problem && isOf(scan, owner)).slice(0, most);
}

/**
 * @param {import("./decide.js").QueuedScan} scan
 * @param {string | undefined} owner
 */
const isOf = (scan, owner) => !owner || !scan.owner || scan.owner === owner;

/**
 * Count the scans that wait here, those the server would not take, and those that others have to send.
 * @returns {Promise<{queued: number, held: number, others: number}>}
 */
export function countQueue() {
  return transact("readonly", ["meta", "queue"], async (meta, queue) => {
    const [state, all] = await Promise.all([result(meta.get("state")), result(queue.getAll())]);
    const held = all.filter((scan) => scan.problem).length;
    const owner = state && ownerOf(state.device);
    const others = all.filter((scan) => !scan.problem && !isOf(scan, owner)).length;
    return { queued: all.length - held - others, held, others };
  });
}

/**
 * Return what marks the data of now; answers of the server are kept only while it is the same.
 * @returns {Promise<string>}
 */
export function readEpoch() {
  return transact("readwrite", ["meta"], async (meta) => {
    const known = await result(meta.get("epoch"));
    if (known) return known;
    const fresh = crypto.randomUUID();
    meta.put(fresh, "epoch");
    return fresh;
  });
}

/**
 * Stop the transaction when the data was wiped since `epoch` was read. Throws Wiped.
 * @param {IDBObjectStore} meta
 * @param {string} epoch
 */
export async function insistOn(meta, epoch) {
  if ((await result(meta.get("epoch"))) !== epoch) throw new Wiped();
}

/**
 * Forget everything; with `keepQueue` all but the scans the server does not know yet. `leaving`: who gives up
 * the access to the door, for `giveUpAccess`.
 * @param {{keepQueue?: boolean, leaving?: {deviceId?: number | null}}} [options]
 */
export function wipe({ keepQueue = false, leaving } = {}) {
  return transact("readwrite", ALL, async (seats, refused, standing, queue, meta) => {
    const stores = keepQueue ? [seats, refused, standing, meta] : [seats, refused, standing, queue, meta];
    for (const store of stores) store.clear();
    meta.put(crypto.randomUUID(), "epoch");
    if (leaving) meta.put(leaving, "leaving");
  });
}
