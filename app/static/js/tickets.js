// The page of e-tickets: kept on this phone when asked for, handed to a guest, and never dark.
"use strict";

const panel = document.getElementById("keep");
const state = document.getElementById("kept-state");
const PAGE = location.pathname;
const CACHE = `tickets ${PAGE}`;
const canKeep = "serviceWorker" in navigator && "caches" in window;

const show = (name) => {
  state.textContent = state.dataset[name];
  state.classList.toggle("kept--yes", name === "yes");
  panel.dataset.state = name;
  for (const button of panel.querySelectorAll("button")) {
    button.hidden = button.dataset.when !== (name === "yes" ? "kept" : "loose");
  }
};

// Everything this page has loaded, and the page itself.
const parts = () => {
  const loaded = performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
  const ours = loaded.filter((url) => url.origin === location.origin && /^\/(static|event)[/.]/.test(url.pathname));
  return [PAGE, ...new Set(ours.map((url) => url.pathname + url.search))];
};

const keep = async () => {
  try {
    const cache = await caches.open(CACHE);
    await cache.addAll(parts());
    await navigator.serviceWorker.register(panel.dataset.worker, { scope: PAGE });
    await navigator.serviceWorker.ready;
    show("yes");
  } catch {
    await remove();
    show("failed");
  }
};

const remove = async () => {
  await caches.delete(CACHE);
  for (const worker of await navigator.serviceWorker.getRegistrations()) {
    if (new URL(worker.scope).pathname === PAGE) await worker.unregister();
  }
  show("no");
};

if (canKeep) {
  panel.querySelector("[data-do=keep]").addEventListener("click", keep);
  panel.querySelector("[data-do=remove]").addEventListener("click", remove);
  caches.match(PAGE, { cacheName: CACHE, ignoreVary: true }).then((copy) => show(copy ? "yes" : "no"));
}

// The screen stays on while a code is on it.
let lock = null;
const inView = new Set();
const stayAwake = async () => {
  const isWanted = inView.size > 0 && !document.hidden;
  if (isWanted && !lock) {
    lock = await navigator.wakeLock.request("screen").catch(() => null); // low battery, say
    lock?.addEventListener("release", () => (lock = null));
  } else if (!isWanted) await lock?.release();
};
if ("wakeLock" in navigator) {
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target);
    stayAwake();
  });
  for (const code of document.querySelectorAll(".pass__code")) watch.observe(code);
  document.addEventListener("visibilitychange", stayAwake);
}

// One ticket for one guest, as a picture: the address of this page would hand over all of them.
const picture = (pass) => {
  const code = pass.querySelector("img");
  const words = [...pass.querySelectorAll("[data-on-picture]")].map((element) => element.textContent.trim());
  const [scale, line] = [16, 44];
  const side = code.naturalWidth * scale;
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side + line * (words.length + 1) });
  const draw = canvas.getContext("2d");
  draw.fillStyle = "#fff";
  draw.fillRect(0, 0, canvas.width, canvas.height);
  draw.imageSmoothingEnabled = false;
  draw.drawImage(code, 0, 0, side, side);
  draw.fillStyle = "#000";
  draw.textAlign = "center";
  words.forEach((text, index) => {
    draw.font = `700 ${index ? 28 : 34}px "Plus Jakarta Sans", sans-serif`;
    draw.fillText(text, side / 2, side + line * (index + 0.75), side - line);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
};

const send = async (button) => {
  const pass = button.closest(".pass");
  const file = new File([await picture(pass)], `${pass.dataset.code}.png`, { type: "image/png" });
  await navigator.share({ files: [file], text: button.dataset.text }).catch(() => {}); // thought better of it
};
const sample = new File([""], "ticket.png", { type: "image/png" });
if (navigator.canShare?.({ files: [sample] })) {
  for (const button of document.querySelectorAll("[data-do=send]")) {
    button.hidden = false;
    button.addEventListener("click", () => send(button));
  }
}
