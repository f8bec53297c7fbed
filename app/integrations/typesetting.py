"""What a fixed box needs to know about a text it did not choose: its width and direction."""

import math
import unicodedata

NOTHING = "–"
ELLIPSIS = "…"
CAPITAL = 1.3  # names are often written in capitals, which are that much broader


def printable(text: str) -> str:
    """Return a text fit for print: composed, on one line, without control characters.

    A text with nothing to see in it becomes a dash.
    """
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(c if _is_visible(c) else " " for c in composed)
    return " ".join(visible.split()) or NOTHING


def lines(text: str, per_line: int) -> int:
    """Estimate how many lines a text takes where one holds `per_line` halves of an em.

    Lines break between words, and inside a word that is wider than a line.
    """
    count, used = 1, 0.0
    for word in text.split():
        needed = sum(
            _letter_width(letter) * (CAPITAL if letter.isupper() else 1) for letter in word
        )
        if used and used + 1 + needed > per_line:
            count, used = count + 1, 0.0
        used += needed + (1 if used else 0)
        extra = max(0, math.ceil(used / per_line) - 1)
        count, used = count + extra, used - extra * per_line
    return count


def fit(text: str, steps: tuple[tuple[int, int], ...]) -> tuple[str, int]:
    """Return a text and the type size, from 1 (largest), at which all its lines fit their box.

    `steps` is how much a line holds (see `lines`), and how many there is room for, at each size.
    What needs more at the last is cut there and ends in an ellipsis.
    """
    for size, (per_line, most) in enumerate(steps, start=1):
        if lines(text, per_line) <= most:
            return text, size
    per_line, most = steps[-1]
    text = text[: per_line * most]
    while lines(text + ELLIPSIS, per_line) > most:
        text = text[:-1]
    return text + ELLIPSIS, len(steps)


def direction(text: str) -> str:
    """Return "rtl" where the first letter with a direction runs from right to left, else "ltr"."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def _is_visible(letter: str) -> bool:
    # Joiners belong to the spelling of names in Arabic and Indic scripts; overrides of direction
    # and the rest of the format characters do not.
    return letter in "\u200c\u200d" or not unicodedata.category(letter).startswith(("C", "Z"))


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if letter in "MWmw@" or unicodedata.east_asian_width(letter) in "WF" else 1
