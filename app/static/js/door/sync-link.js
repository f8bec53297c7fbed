// The line to the server: whether it is up, and what its refusals mean for the data on this phone.
import { readMeta, wipe, writeMeta } from "./store.js";

const TIMEOUT_MS = 20_000;
/** How long a guest waits for the server before the phone decides. */
export const PATIENCE_MS = 1_200;
const WIPING_MS = 5_000;
const SLOW = 2; // answers that took too long, one after another, until the line counts as down
const ENDED = ["device_cut_off", "door_login_required"];

/** "link": up or down has changed. "ended": this phone may not scan any more; detail is the code. */
export const link = new EventTarget();

/** The server refused, or could not be reached: then `status` is 0 and `code` "unreachable". */
export class CallFailed extends Error {
  /**
   * @param {string} code
   * @param {number} status
   * @param {number} [retryAfter] seconds
   * @param {string} [title] the server's words
   */
  constructor(code, status, retryAfter = 0, title = code) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.title = title;
  }

  /** Whether the same call may well succeed later: nothing that waits is to be given up. */
  get isPassing() {
    return this.status === 0 || this.status === 401 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const channel = new BroadcastChannel("door");
let isUp = navigator.onLine;
let wentDownAt = -1; // by performance.now()
let slow = 0;
/** @type {string | null} */
let ended = null;

channel.onmessage = ({ data }) => data.ended && end(data.ended);
addEventListener("offline", () => noteLink(false));

/** Whether it is worth asking the server first. */
export const isLinkUp = () => isUp;

/**
 * Why this phone may not scan any more: "device_cut_off", "door_login_required", "signed_out", or "leaving" as long
 * as the server does not know that it was signed out; null if it may.
 */
export const endedBy = () => ended;

/**
 * Call the server and return the JSON object it answers. Throws CallFailed.
 * @param {string} path
 * @param {object} [body] sent by POST; left out, it is a GET
 * @param {{timeout?: number}} [options] milliseconds
 * @returns {Promise<any>}
 */
export async function call(path, body, { timeout = TIMEOUT_MS } = {}) {
  const askedAt = performance.now();
  const { status, retryAfter, answer } = await ask(path, body, timeout);
  if (status === 200) {
    ended = null;
    const isOfNow = askedAt > wentDownAt; // what was asked before the line went down says nothing of it now
    if (isOfNow && performance.now() - askedAt < PATIENCE_MS) noteLink(true);
    return answer;
  }
  const code = answer.code ?? "unreachable";
  if (status === 401 && ENDED.includes(code)) await endHere(code);
  if (status >= 500 || status === 429) noteLink(false);
  throw new CallFailed(code, status, retryAfter, answer.title);
}

/**
 * What a page of another site shows (a hotspot asking for a log-in) is no answer of ours.
 * @param {string} path
 * @param {object | undefined} body
 * @param {number} timeout
 */
async function ask(path, body, timeout) {
  const headers = { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) };
  try {
    const response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    const retryAfter = Number(response.headers.get("Retry-After")) || 0;
    return { status: response.status, retryAfter, answer: await read(response) };
  } catch {
    noteLink(false);
    throw new CallFailed("unreachable", 0);
  }
}

/** @param {Response} response */
async function read(response) {
  const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  if (isJson) return response.json();
  if (response.ok) throw new TypeError("no answer of ours");
  return {};
}

/** Note that an answer took longer than a guest should wait; after some, the phone stops asking. */
export function noteSlow() {
  slow += 1;
  if (slow >= SLOW) setLink(false);
}

/** @param {boolean} up */
export function noteLink(up) {
  if (up) slow = 0;
  setLink(up);
}

/** @param {boolean} up */
function setLink(up) {
  if (!up) wentDownAt = performance.now();
  if (up === isUp) return;
  isUp = up;
  link.dispatchEvent(new Event("link"));
}

/**
 * Shut this phone, then forget what is here. A phone that was cut off keeps nothing; one that only lost its log-in
 * keeps the scans nobody has heard of, and sends them when somebody logs in again.
 *
 * At the server's word the browser clears everything too. It may break into the wiping, or never answer it: what is
 * shut does not wait for that.
 * @param {string} code
 */
async function endHere(code) {
  endEverywhere(code);
  const forget = () => wipe({ keepQueue: code === "door_login_required" });
  const late = new Promise((resolve) => { setTimeout(resolve, WIPING_MS); });
  await Promise.race([forget().catch(forget).catch(() => {}), late]);
}

/** @param {string} code */
function end(code) {
  if (!ended || ended === "leaving") ended = code; // a cut-off takes the cookie: the next call only misses it
  link.dispatchEvent(new CustomEvent("ended", { detail: ended }));
}

/**
 * Forget everything here, for signing out, and tell the other tabs. The access is still to be given up.
 * @returns {Promise<void>}
 */
export async function forgetAll() {
  const [state] = await readMeta("state");
  await wipe({ leaving: { deviceId: state?.device.id } });
  endEverywhere("leaving");
}

/**
 * Give up the access to the door, if this phone was signed out and the server does not know. Throws CallFailed.
 * @returns {Promise<boolean>} whether it was signed out
 */
export async function giveUpAccess() {
  const [leaving] = await readMeta("leaving");
  if (!leaving) return false;
  end("leaving");
  try {
    await call("/door/leave", leaving);
  } catch (error) {
    if (!(error instanceof CallFailed) || (error.isPassing && error.status !== 401)) throw error;
  }
  await writeMeta("leaving", undefined).catch(() => {}); // the answer may have cleared the database already
  endEverywhere("signed_out");
  return true;
}

/** @param {string} code */
function endEverywhere(code) {
  channel.postMessage({ ended: code });
  end(code);
}
