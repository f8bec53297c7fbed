// Quantities: plus and minus count at once, within what can be had, and say what they came to.
"use strict";

const limitOf = (stepper) => document.getElementById(`${stepper.dataset.stepper}-limit`);
const mostOf = (stepper) => Number((limitOf(stepper) ?? stepper).dataset.most);
const leastOf = (stepper) => Number(stepper.dataset.least ?? 1);
const numberOf = (stepper) => stepper.querySelector("input");
const countOf = (stepper) => Math.max(0, Math.trunc(Number(numberOf(stepper).value)) || 0);

// Heard once, also when the same words are said again.
const say = (words) => {
  const region = document.getElementById("announcement");
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = words; });
};

const turn = (button, isOff) => (isOff ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled"));

// Buttons that lead nowhere stay where they are, so that nobody loses the focus.
const show = (stepper) => {
  const [less, more] = stepper.querySelectorAll("button");
  const [count, most, limit] = [countOf(stepper), mostOf(stepper), limitOf(stepper)];
  numberOf(stepper).max = Math.max(count, most);
  turn(less, count <= 0);
  turn(more, count >= most);
  const error = document.getElementById(`${stepper.dataset.stepper}-error`);
  if (limit) limit.hidden = count < most || most <= 0 || (error && !error.hidden);
};
const showAll = () => document.querySelectorAll("[data-stepper]").forEach(show);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stepper] button");
  if (!button) return;
  event.preventDefault();
  const stepper = button.closest("[data-stepper]");
  const [count, most, number] = [countOf(stepper), mostOf(stepper), numberOf(stepper)];
  const [up, down, least] = [Math.max(count, Math.min(count + 1, most)), Math.max(0, Math.min(count - 1, most)), leastOf(stepper)];
  const next = button.name === "more" ? (up > 0 && up < least ? Math.max(count, Math.min(least, most)) : up) : (down < least ? 0 : down);
  if (next === count) {
    const limit = button.name === "more" && limitOf(stepper);
    say(limit ? limit.textContent.trim() : `${stepper.dataset.label}: ${count}`);
    return;
  }
  number.value = next;
  number.dispatchEvent(new Event("input", { bubbles: true }));
});

// Before htmx sees it: a field that is empty for a moment is being typed in, not set to nothing.
document.addEventListener("input", (event) => {
  const stepper = event.target.closest("[data-stepper]");
  if (!stepper) return;
  if (event.target.value === "") return event.stopImmediatePropagation();
  show(stepper);
  if (!event.target.hasAttribute("hx-post")) say(`${stepper.dataset.label}: ${event.target.value}`);
}, true);
document.addEventListener("change", (event) => {
  if (!event.target.closest("[data-stepper]") || event.target.value !== "") return;
  event.target.value = 0;
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".quantity__field")) event.target.select(); // typing replaces the 0
});

// Enter in a quantity counts; it does not send a form that shows another total.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".quantity__field[hx-post]")) event.preventDefault();
});

// The answer has the new total and limits: what changed is told in one sentence.
document.addEventListener("htmx:afterSwap", (event) => {
  showAll();
  const stepper = event.detail.requestConfig?.elt.closest("[data-stepper]");
  const news = document.getElementById("summary")?.dataset.news;
  if (stepper && news) say(`${stepper.dataset.label}: ${countOf(stepper)}. ${news}`);
});
// On the way back the browser fills in again what was typed.
window.addEventListener("pageshow", showAll);
