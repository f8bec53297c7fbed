// The work a place in the lot costs (ALTCHA): find the number whose hash, after a salt, is the given one.
"use strict";

(() => {
  const LIFE = 9 * 60_000; // a little less than the server's
  const SLICE = 500; // hashes at once; then the page may breathe
  const loadedAt = Date.now();
  const form = document.querySelector("form[data-proof]");
  const button = form.querySelector("button");
  const work = form.querySelector(".waiting__work");
  const bar = work.querySelector("progress");
  const encoder = new TextEncoder();
  const say = (words) => { document.getElementById("announcement").textContent = words; };
  const breathe = () => new Promise((resolve) => { setTimeout(resolve); });
  let isHalf = false;

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const same = (hash, wanted) => {
    const found = new Uint8Array(hash);
    return found.every((byte, at) => byte === wanted[at]);
  };

  const find = async ({ salt, challenge, maxNumber }) => {
    const wanted = bytes(challenge);
    const hash = (number) => crypto.subtle.digest("SHA-256", encoder.encode(salt + number));
    for (let first = 0; first <= maxNumber; first += SLICE) {
      const numbers = Array.from({ length: Math.min(SLICE, maxNumber + 1 - first) }, (_, at) => first + at);
      const hashes = await Promise.all(numbers.map(hash));
      const at = hashes.findIndex((each) => same(each, wanted));
      if (at >= 0) return numbers[at];
      tell(first / maxNumber);
      await breathe();
    }
    return null;
  };

  const tell = (share) => {
    bar.value = share;
    if (share > 0.5 && !isHalf) say(form.dataset.half);
    isHalf = share > 0.5;
  };

  const doWork = async (task) => {
    say(form.dataset.working);
    const number = await find(task);
    const { algorithm, challenge, salt, signature } = task;
    if (number !== null) form.elements.altcha.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    say(form.dataset.done);
    form.submit();
  };

  // A page that lay open for long: its task is out of date, and a fresh page has a fresh one.
  const renew = () => {
    try { sessionStorage.removeItem("place asked for"); } catch { /* then it waits for the button */ }
    location.replace(form.action);
  };

  const begin = (isWorking) => {
    button.disabled = isWorking;
    work.hidden = !isWorking;
    bar.value = 0;
  };

  form.addEventListener("submit", (event) => {
    // No task, or a browser that cannot do it: the server says how it goes on.
    if (!form.dataset.proof || !window.crypto?.subtle) return undefined;
    event.preventDefault();
    if (Date.now() - loadedAt > LIFE) return renew();
    if (button.disabled) return undefined;
    begin(true);
    return doWork(JSON.parse(form.dataset.proof)).catch(() => form.submit());
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) begin(false); });
})();
