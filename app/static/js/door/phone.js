// This phone: where it stands, whether it is ready for a door without a network, and what to do when it is shut out.
import { forgetScans } from "./history.js";
import { isQuiet, setQuiet } from "./sounds.js";
import * as sync from "./sync.js";
import { pauseViewfinder } from "./viewfinder.js";
import { say, sayTime } from "./words.js";

const CLOCK_MINUTES = 2; // more than that, and offline scans say nothing true

const byId = (id) => document.getElementById(id);
let status = {};

/** Follow what the synchronisation tells, and fill the drawer about this phone. */
export function startPhone() {
  byId("sounds").checked = !isQuiet();
  byId("sounds").addEventListener("change", (event) => setQuiet(!event.target.checked));
  byId("prepare").addEventListener("click", prepare);
  sync.onStatus((news) => {
    status = { ...status, ...news };
    if (status.locked) return lockDoor(status.locked);
    drawBar();
    drawChecklist();
  });
  sync.start();
}

/** Shut the page: this phone may not scan (any more). Its list of scans goes at once. */
export function lockDoor(code) {
  forgetScans();
  pauseViewfinder(true);
  const kind = code === "device_cut_off" ? "cut_off" : "logged_out";
  byId("locked-title").textContent = say(kind);
  byId("locked-help").textContent = say(`${kind}_help`);
  if (!byId("locked").open) byId("locked").showModal();
}

function drawBar() {
  const { device, isOnline = true, queued = 0 } = status;
  if (device) {
    byId("gate").textContent = device.gate ? say("gate", { gate: device.gate.name }) : say("no_gate");
    byId("phone-name").textContent = [device.name, device.lanes && say("lanes", { lanes: device.lanes })].filter(Boolean).join(" · ");
    byId("directions").hidden = !device.gate?.hasExit;
  }
  byId("network").dataset.state = isOnline ? "online" : "offline";
  byId("network-word").textContent = say(isOnline ? "online" : "offline");
  byId("queue").hidden = !queued;
  byId("queue").textContent = say("waiting", { count: queued });
}

function drawChecklist() {
  const template = byId("check");
  const rows = checks().map(([isGood, text]) => {
    const row = template.content.firstElementChild.cloneNode(true);
    row.dataset.good = String(isGood);
    row.querySelector("p").textContent = text;
    return row;
  });
  byId("checklist").replaceChildren(...rows);
}

/** Return pairs of whether it is well and the sentence; what is not known is left out. */
function checks() {
  const { seats = 0, total = 0, updatedAt, clockOff, battery, storageKept, queued = 0 } = status;
  const minutes = Math.round(Math.abs(clockOff ?? 0) / 60_000);
  const found = [
    [seats > 0 && seats === total, seats ? say("seats", { count: seats, total }) : say("seats_none")],
    [Boolean(updatedAt), updatedAt ? say("data_age", { when: sayTime(updatedAt) }) : say("data_never")],
  ];
  if (clockOff !== undefined) found.push([minutes < CLOCK_MINUTES, minutes < CLOCK_MINUTES ? say("clock_right") : say("clock_wrong", { minutes })]);
  if (battery !== undefined && battery !== null) found.push([battery >= 50, say("battery", { percent: battery })]);
  if (storageKept !== undefined && storageKept !== null) found.push([storageKept, say(storageKept ? "storage_kept" : "storage_loose")]);
  found.push([!queued, queued ? say("some_wait", { count: queued }) : say("nothing_waits")]);
  return found;
}

async function prepare() {
  const button = byId("prepare");
  const note = byId("prepare-note");
  button.disabled = true;
  try {
    await sync.prepare(({ done, total }) => (note.textContent = say("preparing", { count: done, total })));
    note.textContent = say("prepared");
  } catch {
    note.textContent = say("prepare_failed");
  }
  button.disabled = false;
}
