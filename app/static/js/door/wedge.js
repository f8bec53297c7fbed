// Scanners that type: a burst of keys, mostly ended by Enter or Tab, else by silence.

const SLOWEST_MS = 500; // between two keys of a cheap Bluetooth scanner
const SILENCE_MS = 120; // after what has the length of one of our codes
const WHOLE = /^(?:[A-Z2-7]{122}|[A-Z2-7]{26}|[0-9A-Z]{4}-?[0-9A-Z]{4})$/;
const SHORTEST = 8; // characters of a short code without its hyphen

const isField = (element) => Boolean(element?.closest?.("input:not([type=radio]), textarea, select, [contenteditable]"));

/** Call `onCode` with what a scanner types, never while somebody types in a field. */
export function listenToScanners(onCode, target = document) {
  let typed = "";
  let last = 0;
  let wholeAt = -Infinity; // when the last key of a whole code came that silence ended
  let timer = 0;

  const finishInSilence = () => {
    if (finish()) wholeAt = last;
  };
  const finish = () => {
    clearTimeout(timer);
    const code = typed.trim().toUpperCase(); // a scanner with its caps lock wrong is understood
    typed = "";
    if (code.length < SHORTEST) return false;
    onCode(code);
    return true;
  };

  target.addEventListener("keydown", (event) => {
    if (isField(event.target) || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const now = event.timeStamp;
    if (now - last > SLOWEST_MS) typed = "";
    if (event.key === "Enter" || event.key === "Tab") {
      // The key belongs to the scan, also when silence has ended that already: it must not press whatever button has the focus.
      const isOfScan = now - wholeAt <= SLOWEST_MS;
      if (finish() || isOfScan) event.preventDefault();
      return;
    }
    if (event.key.length !== 1) return;
    if (typed) event.preventDefault();
    typed += event.key;
    last = now;
    clearTimeout(timer);
    timer = setTimeout(finishInSilence, WHOLE.test(typed.toUpperCase()) ? SILENCE_MS : SLOWEST_MS);
  });
}
