// The waiting room: asks for news, counts down to the opening, and goes in when it is this one's turn.
"use strict";

const room = document.getElementById("waiting");
const { news: address, next } = room.dataset;
const DRAW = 8; // seconds over which the first questions after the opening are spread
const MILESTONES = [10, 5, 1]; // minutes worth saying aloud
const plain = document.title.slice(document.title.indexOf("·"));
const numbers = new Intl.NumberFormat(document.documentElement.lang);

let state = room.dataset.now;
let opensAt = Number(room.dataset.opensIn) > 0 ? Date.now() + Number(room.dataset.opensIn) * 1000 : null;
let minutesTold = Infinity;
let timer = 0;
let isAsking = false;

const section = (name) => room.querySelector(`[data-state="${name}"]`);
const sentence = (name, number) => room.dataset[name].replace("{n}", numbers.format(number));
const ahead = (n) => sentence(n === 0 ? "aheadNone" : n === 1 ? "aheadOne" : "aheadMany", n);
const minutes = (n) =>
  sentence(n > 60 ? "minutesHour" : n === 0 ? "minutesUnknown" : n === 1 ? "minutesOne" : "minutesMany", n);
const say = (words) => { document.getElementById("announcement").textContent = words; };
const write = (selector, words) => {
  for (const element of room.querySelectorAll(selector)) if (element.textContent !== words) element.textContent = words;
};

const show = (fresh) => {
  if (fresh.state === state) return;
  state = fresh.state;
  for (const each of room.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== state;
  say(section(state).querySelector("h1").textContent);
};

const takeIn = (fresh, serverNow) => {
  write("[data-ahead]", ahead(fresh.ahead));
  write("[data-minutes]", minutes(fresh.minutes));
  for (const warning of room.querySelectorAll("[data-scarce]")) warning.hidden = !fresh.isScarce;
  opensAt = fresh.opensAt ? Date.now() + fresh.opensAt * 1000 - serverNow : null;
  show(fresh);
  if (state === "waiting" && fresh.minutes && MILESTONES.some((at) => minutesTold > at && fresh.minutes <= at)) {
    if (minutesTold !== Infinity) say(minutes(fresh.minutes));
  }
  if (fresh.minutes) minutesTold = fresh.minutes;
  const words = state === "waiting" ? `(${numbers.format(fresh.ahead)}) ${section(state).dataset.title}` : section(state).dataset.title;
  document.title = `${words} ${plain}`;
  act();
};

// Nobody is sent in who does not look: the turn would run out behind their back.
const act = () => {
  if (document.hidden) return;
  if (state === "turn" || state === "open") location.assign(next);
  else if (state === "stranger") takePlace();
};

// Once by itself; whoever is still a stranger then keeps no cookies, and is told so.
const takePlace = () => {
  const form = section("stranger").querySelector("form");
  let isFirst = true;
  try {
    isFirst = Date.now() - Number(sessionStorage.getItem("place asked for")) > 60_000;
    sessionStorage.setItem("place asked for", String(Date.now()));
  } catch { isFirst = false; }
  if (isFirst) form.requestSubmit();
  else if (!room.querySelector("[data-refused]:not([hidden])")) room.querySelector("[data-no-cookies]").hidden = false;
};

const ask = async () => {
  if (isAsking) return;
  isAsking = true;
  let pause = Number(room.dataset.pause);
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const fresh = await answer.json();
      takeIn(fresh, Date.parse(answer.headers.get("Date")) || Date.now());
      pause = fresh.pause;
    }
  } catch { /* no network: the next question follows */ }
  isAsking = false;
  later(pause);
};

// Spread, or all would ask in the same moment; at the opening a little after it.
const later = (pause) => {
  clearTimeout(timer);
  let wait = pause * (0.85 + 0.3 * Math.random()) * 1000;
  const left = opensAt === null ? -1 : opensAt - Date.now();
  if (left > 0 && left < wait) wait = left + 500 + DRAW * 1000 * Math.random();
  timer = setTimeout(ask, wait);
};

const clock = (seconds) => {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, mins] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${two(mins)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
};

const tick = () => {
  const card = room.querySelector("[data-opening]");
  if (!card) return;
  const left = opensAt === null ? 0 : Math.ceil((opensAt - Date.now()) / 1000);
  card.hidden = left <= 0;
  const face = card.querySelector("[data-clock]");
  face.hidden = left <= 0 || left >= 86400;
  face.textContent = left > 0 ? clock(left) : "";
};

tick();
setInterval(tick, 1000);
later(Number(room.dataset.pause));
act();
// A phone that wakes up asks at once: its place may have come up, or passed.
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
