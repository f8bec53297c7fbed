// The short code printed under the QR code, typed by hand: XXXX-XXXC, C tells a slip of the finger.
import { say } from "./words.js";

const ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"; // app/models/codes.py
const LENGTH = 8;

const form = document.getElementById("typing-form");
const field = document.getElementById("typed");
const help = document.getElementById("typing-help");
let hasWarned = false;

/** Tell whether the last character fits the others; the sum is that of app/models/codes.py. */
export function hasTrueCheck(digits) {
  const values = [...digits].map((digit) => ALPHABET.indexOf(digit));
  if (values.length !== LENGTH || values.includes(-1)) return false;
  const sum = values.slice(0, -1).reduce((total, value, index) => total + value * (index + 1), 0);
  return sum % 31 === values.at(-1);
}

const digitsOf = (text) => text.toUpperCase().replace(/[^0-9A-Z]/g, "").slice(0, LENGTH);

/** Call `onCode` with a typed code. One that looks mistyped is asked about once: old ones have no check. */
export function startTyping(onCode) {
  field.addEventListener("input", () => {
    const digits = digitsOf(field.value);
    const isAtEnd = field.selectionStart === field.value.length;
    if (isAtEnd) field.value = digits.length > 4 ? `${digits.slice(0, 4)}-${digits.slice(4)}` : digits;
    hasWarned = false;
    tell(digits.length === LENGTH && !hasTrueCheck(digits) ? "typing_wrong" : "");
  });
  form.addEventListener("submit", (event) => {
    const digits = digitsOf(field.value);
    const isDoubtful = !hasTrueCheck(digits);
    if (digits.length < LENGTH || (isDoubtful && !hasWarned)) {
      event.preventDefault();
      hasWarned = digits.length === LENGTH;
      tell(hasWarned ? "typing_again" : "typing_short");
      return field.focus();
    }
    onCode(`${digits.slice(0, 4)}-${digits.slice(4)}`);
  });
}

/** Begin with an empty field. */
export function openTyping() {
  field.value = "";
  hasWarned = false;
  tell("");
}

function tell(name) {
  help.textContent = name ? say(name) : say("typing_hint");
  field.setAttribute("aria-invalid", String(Boolean(name)));
}
