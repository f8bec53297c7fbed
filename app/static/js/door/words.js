// The page's words and times, in its language and the event's zone. They come with the page, in an attribute.

const { words, zone } = document.body.dataset;
const texts = JSON.parse(words);
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
const day = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", timeZone: zone });

/** Return a text of app/routes/door_words.py with its {values} put in; its name when there is none. */
export function say(name, values = {}) {
  return (texts[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

export const hasWords = (name) => name in texts;

/** Return the time of day, with the day when it is not today's. */
export function sayTime(when, now = new Date()) {
  const date = new Date(when);
  return day.format(date) === day.format(now) ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}
