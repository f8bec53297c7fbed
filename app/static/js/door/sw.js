// Keeps the door's page on the phone, whole and of one piece: it opens without a network.
// The server puts SHELL before these lines: {version, files, pages: {id: address, en: address}}.
"use strict";

const NAME = `door-${SHELL.version}`;
const NOTES = "scanner-notes"; // outlives versions
const LANGUAGE = "/door/language"; // a note of our own in there, never asked of the network
const PATIENCE_MS = 2000;
const KEPT_BEFORE = 3; // older versions: any may have a page open still

// Every address holds the version, so that an open page of the last one finds its own files until it is closed.
self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldShells().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/door") event.respondWith(openPage(event, url));
  else if (url.pathname.startsWith("/door/shell/")) event.respondWith(openFile(request));
});

async function keepShell() {
  const cache = await caches.open(NAME);
  await cache.addAll([...SHELL.files, ...Object.values(SHELL.pages)]);
}

/**
 * Caches are listed in the order they were made. An empty one is what an installation left that broke off: it counts
 * for nothing, and must not push out the one an open page lives on.
 */
async function forgetOldShells() {
  const names = (await caches.keys()).filter((name) => name.startsWith("door-") && name !== NAME);
  const sizes = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).length));
  const whole = names.filter((_name, n) => sizes[n]);
  const kept = whole.slice(-KEPT_BEFORE);
  await Promise.all(names.filter((name) => !kept.includes(name)).map((name) => caches.delete(name)));
}

async function openFile(request) {
  return (await caches.match(request)) ?? fetch(request);
}

/** The server's page when it comes soon and well, else the one kept here. */
async function openPage(event, url) {
  const asked = fetch(event.request);
  event.waitUntil(asked.then(noteLanguage, () => {}));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const response = await Promise.race([asked.catch(() => undefined), late]);
  if (response && response.status < 500) return response;
  return (await keptPage(url)) ?? asked;
}

async function keptPage(url) {
  const chosen = url.searchParams.get("language") ?? (await (await caches.match(LANGUAGE, { cacheName: NOTES }))?.text());
  if (url.searchParams.has("language")) await keepLanguage(chosen);
  return caches.match(SHELL.pages[chosen] ?? Object.values(SHELL.pages)[0]);
}

async function noteLanguage(response) {
  const language = response.headers.get("Content-Language");
  if (response.ok && language in SHELL.pages) await keepLanguage(language);
}

async function keepLanguage(language) {
  const cache = await caches.open(NOTES);
  await cache.put(LANGUAGE, new Response(language));
}
