"""Colours: how well one reads on another, and the nearest one that reads well enough."""

import re

HEX = re.compile(r"#[0-9a-f]{6}")
# White text on a colour needs 4.5:1 (WCAG 2.2, 1.4.3), the colour itself 3:1 against the darkest
# page it stands on (1.4.11). Both bound its luminance; a little is left for rounding.
DARKEST, BRIGHTEST = 0.115, 0.181
STEPS = 100
WHITE, BLACK = "#ffffff", "#000000"
BRIGHT_BELOW = 3.0  # contrast with white; black then has at least 7:1


def parse_colour(value: str) -> str:
    """Read `#rrggbb`, in small letters. Raises ValueError."""
    if not HEX.fullmatch(value.lower()):
        raise ValueError(value)
    return value.lower()


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2.2 defines it."""
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with a share, 0 to 1, of `other` in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable_with_white(colour: str) -> str:
    """Return the nearest shade that carries white text, and is seen on white and on black alike."""
    other = WHITE if luminance(colour) < DARKEST else BLACK
    shades = (mix(colour, other, step / STEPS) for step in range(STEPS))
    return next(shade for shade in shades if DARKEST <= luminance(shade) <= BRIGHTEST)


def button_colours(colour: str) -> tuple[str, str]:
    """Return the colours of a button and of the words on it, at least 4.5:1.

    A bright colour stays as it is under black words: darkened for white ones, yellow turns to mud.
    """
    if contrast(colour, WHITE) < BRIGHT_BELOW:
        return colour, BLACK
    return readable_with_white(colour), WHITE


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _linear(channel: float) -> float:
    """Undo the gamma of sRGB."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
