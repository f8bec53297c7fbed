// Catalogue: the total, and news of what is left that never touch what is typed.
"use strict";

const form = () => document.getElementById("tickets");
const isChosen = (field) => Number(field.value) > 0;

// Rupiah are written alike in both languages, as the server does.
const rupiah = (amount) => `Rp\u00a0${amount.toLocaleString("id-ID")}`;
const sumUp = () => {
  const output = document.getElementById("total");
  if (!output) return;
  const fields = [...form().querySelectorAll(".quantity__field")].filter(isChosen);
  const sums = fields.map((field) => field.value * field.closest(".ticket").dataset.price);
  output.value = rupiah(sums.reduce((sum, each) => sum + each, 0));
  output.parentElement.hidden = !fields.length;
};

document.addEventListener("input", sumUp);

// Take in the news about one ticket around its field.
const takeIn = (ticket, fresh) => {
  ticket.className = fresh.className;
  ticket.dataset.price = fresh.dataset.price;
  for (const part of [".ticket__words", ".ticket__price"]) {
    ticket.querySelector(part).replaceWith(fresh.querySelector(part));
  }
  const field = ticket.querySelector(".quantity__field");
  const offered = fresh.querySelector(".quantity__field");
  if (field && offered) field.parentElement.dataset.most = offered.parentElement.dataset.most;
  else if (offered) ticket.querySelector(".ticket__stub").append(offered.parentElement);
  else if (field && !isChosen(field)) field.parentElement.remove();
  else if (field) field.parentElement.dataset.most = 0;
  if (field) show(field.parentElement);
};

const shape = (sale) => [sale.dataset.situation, sale.dataset.pace, ...Array.from(sale.querySelectorAll(".ticket"), (each) => each.id)].join();
let last = "";
let kept = [];

// The same sale with other numbers is taken in place; another one is swapped, then gets back what
// was typed: only the buyer gives up a choice, also one that is gone for the moment.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, serverResponse } = event.detail;
  if (target !== form() || xhr.status !== 200) return;
  const fresh = new DOMParser().parseFromString(serverResponse, "text/html").getElementById("tickets");
  if (!fresh) return;
  kept = Array.from(target.querySelectorAll(".quantity__field"), (field) => [field.closest(".ticket").id, field]);
  if (shape(fresh) !== shape(target)) return;
  event.detail.shouldSwap = false;
  if (serverResponse === last) return;
  last = serverResponse;
  for (const ticket of fresh.querySelectorAll(".ticket")) takeIn(document.getElementById(ticket.id), ticket);
  sumUp();
});
document.addEventListener("htmx:afterSwap", () => {
  last = "";
  for (const [id, old] of kept) {
    const field = document.getElementById(old.id);
    if (field) field.value = old.value;
    else if (isChosen(old)) document.querySelector(`#${id} .ticket__stub`)?.append(old.parentElement);
  }
  kept = [];
  showAll();
  sumUp();
});
window.addEventListener("pageshow", sumUp);
