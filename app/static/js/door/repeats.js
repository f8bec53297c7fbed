// Codes that stay in view: each is taken once, and again only after it was away for a while.

const AWAY_MS = 3000;

export class Repeats {
  #lastSeen = new Map();

  /** Return the texts that are new now; `now` in milliseconds. */
  fresh(texts, now = performance.now()) {
    for (const [text, seen] of this.#lastSeen) if (now - seen > AWAY_MS) this.#lastSeen.delete(text);
    const fresh = texts.filter((text) => !this.#lastSeen.has(text));
    for (const text of texts) this.#lastSeen.set(text, now);
    return fresh;
  }

  /** Take the code again at once: nothing came of it the last time. */
  forget(text) {
    this.#lastSeen.delete(text);
  }
}
