// The scanner at the door: codes come from the camera, from scanners that type, from fingers and from the search;
// each goes its own way to a verdict, and none waits for another.
import { submit } from "./checkins.js";
import { drawScans, noteScan } from "./history.js";
import { lockDoor, openPhone, startPhone } from "./phone.js";
import { Repeats } from "./repeats.js";
import { openSearch, startSearch } from "./search.js";
import { signal, wakeSounds } from "./sounds.js";
import { openTyping, startTyping } from "./typing.js";
import { closeVerdict, showVerdict } from "./verdict.js";
import { pauseViewfinder, startViewfinder } from "./viewfinder.js";
import { listenToScanners } from "./wedge.js";
import { say } from "./words.js";

const MOST_CHARACTERS = 200; // what the server takes; longer QR codes are none of ours anyway
const HINT_MS = 1500;

const door = document.getElementById("door");
const hint = document.getElementById("hint");
const repeats = new Repeats();
const preparing = { typing: openTyping, search: openSearch, history: drawScans, phone: openPhone };
let hintTimer = 0;
let underWay = 0;
let undecided = []; // codes nobody could decide about: to be tried again after the verdict

const direction = () => door.querySelector("[name=direction]:checked")?.value ?? "in";

/** Ask about one code and show the answer, whatever happens to other codes meanwhile. */
async function check(code) {
  underWay += 1;
  tell("checking");
  const going = direction();
  let verdict;
  try {
    verdict = await submit({ code: code.slice(0, MOST_CHARACTERS), direction: going });
  } catch (error) {
    if (["door_login_required", "device_cut_off", "leaving"].includes(error.code)) lockDoor(error.code);
    verdict = { result: "unchecked", reason: error.code ?? "unreachable" };
  } finally {
    underWay -= 1;
    if (!underWay) tell("");
  }
  if (verdict.result === "unchecked") undecided.push(code);
  const whole = { direction: going, ...verdict };
  noteScan(whole);
  showVerdict(whole);
}

function retryUndecided() {
  for (const code of undecided) repeats.forget(code);
  undecided = [];
}

function onTexts(texts) {
  const fresh = repeats.fresh(texts);
  for (const text of fresh) {
    signal("seen");
    check(text);
  }
  if (texts.length && !fresh.length && !underWay && document.getElementById("verdict").hidden) tell("seen_before", HINT_MS);
}

/** Write under the picture what goes on; by default what to do. */
function tell(name, forMs) {
  clearTimeout(hintTimer);
  hint.textContent = say(name || (direction() === "out" ? "aim_out" : "aim"));
  if (forMs) hintTimer = setTimeout(() => tell(underWay ? "checking" : ""), forMs);
}

/** Open one of the drawers; the camera looks away until it is closed. */
function openDrawer(dialog) {
  closeVerdict();
  preparing[dialog.id]?.();
  pauseViewfinder(true);
  dialog.showModal();
}

function startDrawers() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => openDrawer(document.getElementById(button.dataset.opens)));
  }
  for (const dialog of document.querySelectorAll("dialog:not(#locked)")) {
    dialog.addEventListener("close", () => pauseViewfinder(false));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
}

function closing(id) {
  return (code) => {
    document.getElementById(id).close();
    check(code);
  };
}

document.getElementById("plain")?.remove();
door.hidden = false;
document.addEventListener("pointerdown", wakeSounds);
door.addEventListener("change", () => {
  door.dataset.direction = direction();
  tell("");
});
document.getElementById("verdict").addEventListener("close", retryUndecided);
startDrawers();
startTyping(closing("typing"));
startSearch(closing("search"));
listenToScanners(check);
startPhone();
tell("");
startViewfinder(onTexts);
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/door/sw.js", { scope: "/door" }).catch(() => {});
