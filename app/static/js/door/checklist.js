// Before the doors open: what this phone has, and what it lacks, for an evening without a network.
import { say, sayTime } from "./words.js";

const CLOCK_MS = 90_000; // the phone corrects its clock; one so wrong will puzzle people all the same
const BATTERY = 40; // percent, for an evening
const FRESH_SECONDS = 10 * 60;

const list = document.getElementById("checklist");
const template = document.getElementById("check");

/** Write the list anew from a Status of preflight.js. What the browser does not tell is left out. */
export function drawChecklist(status) {
  const found = [tickets, age, clock, battery, storage, queue, others, held].map((check) => check(status)).filter(Boolean);
  const rows = found.map(([isGood, name, values]) => {
    const row = template.content.firstElementChild.cloneNode(true);
    row.dataset.good = String(isGood);
    row.querySelector("p").textContent = say(name, values);
    return row;
  });
  list.replaceChildren(...rows);
}

function tickets({ isPrepared, seats, total }) {
  return [isPrepared && seats >= total, seats ? "seats" : "seats_none", { count: seats, total }];
}

function age({ updatedAt, age: seconds }) {
  if (!updatedAt) return [false, "data_never"];
  return [seconds < FRESH_SECONDS, "data_age", { when: sayTime(updatedAt) }];
}

function clock({ clockOff }) {
  if (clockOff === undefined) return null;
  const isRight = Math.abs(clockOff) < CLOCK_MS;
  return [isRight, isRight ? "clock_right" : "clock_wrong", { minutes: Math.round(Math.abs(clockOff) / 60_000) }];
}

function battery({ battery: percent, isCharging }) {
  return percent === null ? null : [isCharging || percent >= BATTERY, "battery", { percent }];
}

function storage({ storageKept }) {
  return storageKept === null ? null : [storageKept, storageKept ? "storage_kept" : "storage_loose"];
}

function queue({ queued, held: refused, others: foreign, sent }) {
  const count = queued - refused - foreign;
  return [!count, count ? "some_wait" : "nothing_waits", { count, sent }];
}

function others({ others: count }) {
  return count ? [false, "some_of_others", { count }] : null;
}

function held({ held: count }) {
  return count ? [false, "some_held", { count }] : null;
}
