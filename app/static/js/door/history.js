// What this phone scanned last, with undo. No name outlives the page: a stolen phone tells nothing.
import { reasonOf, wordOf } from "./verdict.js";
import { undo } from "./undo.js";
import { say, sayTime } from "./words.js";

const KEPT = "door.scans";
const MOST = 50;
const UNDO_MS = 15 * 60 * 1000;

const list = document.getElementById("scans");
const template = document.getElementById("scan");
const scans = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

/** Note a verdict at the top of the list. */
export function noteScan(verdict) {
  scans.unshift({ ...verdict, at: Date.now() });
  scans.length = Math.min(scans.length, MOST);
  keep();
}

export function forgetScans() {
  scans.length = 0;
  sessionStorage.removeItem(KEPT);
  drawScans();
}

function keep() {
  const nameless = scans.map(({ attendee: _name, code: _code, ...scan }) => scan);
  sessionStorage.setItem(KEPT, JSON.stringify(nameless));
}

/** Write the list anew; called when somebody opens it. */
export function drawScans() {
  document.getElementById("no-scans").hidden = scans.length > 0;
  list.replaceChildren(...scans.map(row));
}

function row(scan) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.result = scan.undone ? "undone" : scan.result;
  const fill = (name, text) => (item.querySelector(`.scan__${name}`).textContent = text);
  fill("time", sayTime(scan.at));
  fill("word", scan.undone ? say("undone") : wordOf(scan));
  fill("name", [scan.attendee, scan.type].filter(Boolean).join(" · "));
  fill("reason", scan.message ?? reasonOf(scan));
  const button = item.querySelector("button");
  button.hidden = scan.undone || scan.result !== "admitted" || Date.now() - scan.at > UNDO_MS;
  button.addEventListener("click", () => takeBack(scan, button));
  return item;
}

async function takeBack(scan, button) {
  button.disabled = true;
  scan.message = await undo(scan).then(() => undefined, whyNot);
  scan.undone = !scan.message;
  keep();
  drawScans();
}

function whyNot({ status, title }) {
  if (!status) return say("undo_needs_network");
  return status === 404 ? say("undo_not_sent") : title;
}
