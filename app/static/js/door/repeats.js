// Codes that stay in view: each is taken once, and again only after it was away for a while.

const AWAY_MS = 3000;
const LONGEST_LOOK_MS = 10_000; // of a slow phone, between two pictures that follow each other

export class Repeats {
  #lastSeen = new Map();
  #lastLook = -Infinity;

  /** Return the texts that are new now; `now` in milliseconds. What two pictures show one after the other was not away. */
  fresh(texts, now = performance.now()) {
    const isNextLook = now - this.#lastLook <= LONGEST_LOOK_MS;
    const stayed = (text, seen) => isNextLook && seen === this.#lastLook && texts.includes(text);
    for (const [text, seen] of this.#lastSeen) if (now - seen > AWAY_MS && !stayed(text, seen)) this.#lastSeen.delete(text);
    this.#lastLook = now;
    const fresh = texts.filter((text) => !this.#lastSeen.has(text));
    for (const text of texts) this.#lastSeen.set(text, now);
    return fresh;
  }

  /** Take the code again at once: nothing came of it the last time. */
  forget(text) {
    this.#lastSeen.delete(text);
  }
}
