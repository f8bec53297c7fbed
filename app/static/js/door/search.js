// Guests without their code: found by name or order, admitted by hand. Asks the server, so it needs the network.
import { say, sayTime } from "./words.js";

const LEAST = 3;
const PAUSE_MS = 250;

const field = document.getElementById("search-text");
const list = document.getElementById("hits");
const note = document.getElementById("search-note");
const template = document.getElementById("hit");
let timer = 0;
let asked = null;

/** Call `onAdmit` with the code of the guest somebody chose. */
export function startSearch(onAdmit) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    if (field.value.trim().length < LEAST) return show([], say("search_hint"));
    timer = setTimeout(search, PAUSE_MS);
  });
  list.addEventListener("click", (event) => {
    const code = event.target.closest("button")?.dataset.code;
    if (code) onAdmit(code);
  });
}

/** Begin with an empty field, ready to type. */
export function openSearch() {
  field.value = "";
  show([], say("search_hint"));
}

async function search() {
  asked = new AbortController();
  try {
    const response = await fetch(`/api/door/search?q=${encodeURIComponent(field.value.trim())}`, { signal: asked.signal });
    const body = await response.json();
    if (!response.ok) return show([], body.errors?.[0].message ?? body.title);
    show(body.results, body.results.length ? "" : say("search_nobody"));
  } catch (error) {
    if (error.name !== "AbortError") show([], say("search_needs_network"));
  }
}

function show(hits, words) {
  note.textContent = words;
  list.replaceChildren(...hits.map(row));
}

function row(hit) {
  const item = template.content.firstElementChild.cloneNode(true);
  const fill = (name, text) => (item.querySelector(`.hit__${name}`).textContent = text);
  fill("name", hit.attendee);
  fill("type", [hit.type, hit.orderCode].filter(Boolean).join(" · "));
  const where = hit.gate ? say("at_gate", { gate: hit.gate }) : "";
  const entered = hit.admittedAt && say("entered", { where, when: sayTime(hit.admittedAt) });
  fill("state", (hit.refusedFor && say(hit.refusedFor)) || entered || hit.code);
  const button = item.querySelector("button");
  button.hidden = Boolean(hit.refusedFor);
  button.classList.toggle("button--quiet", Boolean(hit.admittedAt)); // it may be right, at a gate with re-entry
  button.dataset.code = hit.code;
  button.setAttribute("aria-label", `${button.textContent.trim()}: ${hit.attendee}`);
  return item;
}
