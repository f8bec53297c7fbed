// What every page needs beside htmx. Each page also works without it.
"use strict";

// Bring a refused form's summary to the reader.
document.getElementById("problems")?.focus();

// Ask for news only while somebody is looking.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
});

// A poll that failed stays silent: the next one follows by itself.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (xhr.status >= 400 && requestConfig.elt.matches("[data-poll]")) event.detail.shouldSwap = false;
});

// Say aloud what a sale or an order has come to, or a warning in it: each once, not at every poll.
const news = () => (document.querySelector("[data-news]") ?? document.querySelector("#status h1"))?.textContent;
let told = news();
document.addEventListener("htmx:afterSwap", () => {
  document.title = document.getElementById("status")?.dataset.title ?? document.title;
  if (!news() || news() === told) return;
  told = news();
  document.getElementById("announcement").textContent = told;
});

// A notice about a failed request goes away with the next one that works.
document.addEventListener("htmx:afterRequest", (event) => {
  if ([200, 204].includes(event.detail.xhr.status)) document.getElementById("notices").replaceChildren();
});
