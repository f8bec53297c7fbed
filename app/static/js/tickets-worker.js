// Answers for one kept page of e-tickets when the network cannot. It keeps nothing by itself: the
// page puts itself here when its reader asks for it, and takes itself away again.
"use strict";

const PAGE = new URL(registration.scope).pathname; // …/tickets: nothing else is this script's business
const CACHE = `tickets ${PAGE}`;
const PATIENCE_MS = 4000; // a crowded hall has a network that never answers

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) event.respondWith(freshPage(request));
  else if (/^\/(static|event)[/.]/.test(pathname)) event.respondWith(keptFile(request));
});

// Not caches.open: that would make an empty cache, and look as if the page were kept.
const kept = (request) => caches.match(request, { cacheName: CACHE, ignoreVary: true });

// The page as it is now, and as it was when nobody answers.
async function freshPage(request) {
  const copy = await kept(PAGE);
  if (!copy) return fetch(request);
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const answer = await Promise.race([fetch(request).catch(() => undefined), patience]);
  if (!answer || answer.status >= 500 || answer.status === 429) return copy;
  if (answer.ok) await (await caches.open(CACHE)).put(PAGE, answer.clone());
  else await caches.delete(CACHE); // no tickets any more: cancelled, or another order
  return answer;
}

// Styles, scripts and fonts carry their version in their address: a kept one is the right one.
async function keptFile(request) {
  return (await kept(request)) ?? fetch(request);
}
