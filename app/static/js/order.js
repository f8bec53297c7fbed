// The order page: the time left to pay, to the second. The server's minutes are right without it.
"use strict";

const ends = new WeakMap(); // when each countdown that was ever shown ends, by this device's clock
const NEWS_AT = [300, 60, 0]; // seconds at which the server has something new to say

const clock = (seconds) => {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes}:${String(rest).padStart(2, "0")}`;
};

// Read aloud are the server's words, which change once a minute and are announced twice in all.
const prepare = (countdown) => {
  ends.set(countdown, Date.now() + countdown.dataset.seconds * 1000);
  const face = document.createElement("span");
  face.className = "time-left__clock";
  face.setAttribute("aria-hidden", "true");
  countdown.append(face);
  countdown.querySelector(".time-left__words").classList.add("visually-hidden");
  return face;
};

let shown = Infinity;
const tick = () => {
  const countdown = document.querySelector("#status [data-seconds]");
  if (!countdown) return;
  const face = countdown.querySelector(".time-left__clock") ?? prepare(countdown);
  const seconds = Math.max(0, Math.ceil((ends.get(countdown) - Date.now()) / 1000));
  face.textContent = countdown.dataset.pattern.replace("{clock}", clock(seconds));
  if (NEWS_AT.some((at) => shown > at && seconds <= at) && shown !== Infinity) htmx.trigger("#status", "due");
  shown = seconds;
};

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSwap", tick);
