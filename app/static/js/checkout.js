// Checkout: names on seats follow the buyer's name until somebody writes another one.
"use strict";

const isSeat = (input) => /^a\d+_\d+$/.test(input.id);
const prefilled = () => document.getElementById("prefilled");
const buyer = () => document.getElementById("full_name");

document.addEventListener("input", (event) => {
  if (event.target !== buyer()) return;
  for (const seat of document.querySelectorAll("#seats input")) {
    if (isSeat(seat) && ["", prefilled().value].includes(seat.value)) seat.value = buyer().value;
  }
  prefilled().value = buyer().value;
});

// New seats come from the server; what was typed since the question was asked is newer.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  for (const fresh of event.detail.fragment.querySelectorAll("input")) {
    const current = document.getElementById(fresh.id);
    if (current) fresh.value = current.value;
    else if (isSeat(fresh)) fresh.value = buyer().value;
  }
});

// Enter in the code's field uses the code; it does not order yet.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.id !== "voucher") return;
  event.preventDefault();
  document.getElementById("use-code").click();
});

// A checked field tells assistive technology whether it is well.
document.addEventListener("htmx:afterSwap", (event) => {
  const field = event.detail.requestConfig?.elt;
  const error = field && document.getElementById(`${field.id}-error`);
  if (!error) return;
  if (error.hidden) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
});

// The summary of mistakes shows which of them are mended; it stays, so that nothing jumps.
document.addEventListener("htmx:afterSwap", () => {
  for (const link of document.querySelectorAll('#problems li > a[href^="#"]')) {
    const error = document.getElementById(`${link.hash.slice(1)}-error`);
    link.toggleAttribute("data-mended", !error || error.hidden);
  }
});

// The address that was probably meant is taken at one press, without a trip to the server.
document.addEventListener("click", (event) => {
  const button = event.target.closest("#take-suggestion");
  if (!button) return;
  event.preventDefault();
  const email = document.getElementById("email");
  email.value = button.dataset.address;
  document.getElementById("email-suggestion").remove();
  email.focus();
  email.dispatchEvent(new Event("change", { bubbles: true }));
});

// One click, one order: the button rests while the answer is on its way. The server is safe without.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "checkout-form") return;
  if (form.classList.contains("is-sending")) event.preventDefault();
  form.classList.add("is-sending");
  setTimeout(() => form.classList.remove("is-sending"), 10_000); // it was stopped on its way
});
window.addEventListener("pageshow", () => {
  document.getElementById("checkout-form")?.classList.remove("is-sending");
});
