// One big answer over the whole screen: colour, pattern, mark, word, name, sound, pulse.
import { hasWords, say, sayTime } from "./words.js";
import { signal } from "./sounds.js";

const STAYS_MS = { admitted: 2500, refused: 6000, unchecked: 6000 };
const LEAST_MS = 700; // even when the next ticket is already read: long enough to be seen

const view = document.getElementById("verdict");
const said = document.getElementById("said");
const waiting = [];
let shownAt = 0;
let timer = 0;

/** Say in one line why, or when and where it happened: "Already entered: gate A, 19:02". */
export function reasonOf({ result, reason, admittedAt, gate, lane, sendTo = [] }) {
  if (result === "admitted" || !reason) return "";
  const where = gate ? say("at_gate", { gate }) : "";
  if (reason === "already_admitted" && admittedAt) {
    const when = sayTime(admittedAt);
    return where ? say("already_admitted", { where, when }) : say("already_admitted_somewhere", { when });
  }
  if (reason === "wrong_lane" && sendTo.length) return say("wrong_lane_phone", { lane, phones: sendTo.map(sayPhone).join(", ") });
  return hasWords(reason) ? say(reason, { lane: lane ?? "" }) : say("unreachable");
}

const sayPhone = ({ name, gate }) => (gate ? `${name} (${say("gate", { gate })})` : name);

/** Return the big word. */
export function wordOf({ result, direction }) {
  return say(result === "admitted" && direction === "out" ? "admitted_out" : result);
}

/** Show a verdict now; one that came just before keeps its moment. */
export function showVerdict(verdict) {
  waiting.push(verdict);
  clearTimeout(timer);
  const rest = view.hidden ? 0 : LEAST_MS - (performance.now() - shownAt);
  if (rest > 0) timer = setTimeout(next, rest);
  else next();
}

export function closeVerdict() {
  clearTimeout(timer);
  if (waiting.length) return next();
  view.hidden = true;
  view.dispatchEvent(new Event("close"));
}

function next() {
  const verdict = waiting.shift();
  draw(verdict);
  shownAt = performance.now();
  clearTimeout(timer);
  timer = setTimeout(closeVerdict, waiting.length ? LEAST_MS : STAYS_MS[verdict.result]);
}

function draw(verdict) {
  const { result, direction, attendee, type, source, code } = verdict;
  view.hidden = true;
  view.dataset.result = result;
  view.dataset.direction = direction ?? "in";
  view.dataset.scanId = verdict.scanId ?? "";
  const parts = {
    word: wordOf(verdict),
    reason: reasonOf(verdict),
    name: attendee ?? "",
    type: attendee || type ? [type, code].filter(Boolean).join(" · ") : "",
    source: source === "device" ? say("decided_here") : "",
  };
  for (const [name, text] of Object.entries(parts)) {
    const part = view.querySelector(`.verdict__${name}`);
    part.textContent = text;
    part.hidden = !text;
  }
  void view.offsetWidth; // the bar of the time left begins anew
  view.hidden = false;
  said.textContent = [parts.word, parts.reason, parts.name, parts.type].filter(Boolean).join(". ");
  signal(result);
}

view.addEventListener("click", closeVerdict);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !view.hidden) closeVerdict();
});
