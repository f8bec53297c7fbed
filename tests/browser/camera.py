"""Take pictures of pages and PDF files: whole, without anything that moves, and small."""

import io
from dataclasses import dataclass, field
from heapq import nlargest
from pathlib import Path
from typing import Literal, cast

import pypdfium2
from PIL import Image, ImageOps
from playwright.sync_api import Page

from tests.harness.browser import DESKTOP, PHONE

DEVICES = {"phone": PHONE, "desktop": DESKTOP}
# Screen pixels a CSS pixel: what is made smaller afterwards is taken at twice its size.
SHARPNESS = 2
COLOURS = 36
SURFACES = 16
TOO_CLOSE = 8  # Pillow looks colours up in boxes this wide: of two in one box either may win
Colour = tuple[int, int, int]
PDF_DPI = 80
POINTS_PER_INCH = 72
EDGE = "#b8b8b8"
STRIP_WIDTH = 1600
STRIP_GAP = 16
STRIP_COLOURS = 128


@dataclass
class Album:
    """The pictures taken: files in a folder, a line about each, and the frames of the strip."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    frames: list[Image.Image] = field(default_factory=list)

    def shoot(self, page: Page, name: str, shows: str) -> None:
        """Take a page as it is, on each device, as tall as it needs to be."""
        names = [f"{name}-{device}" for device in DEVICES]
        for device, picture in zip(names, _both_devices(page), strict=True):
            self._save(picture, device, COLOURS)
        self._note(names, shows)

    def shoot_screen(self, page: Page, name: str, shows: str) -> None:
        """Take what each device shows at once of a page that fills screen after screen."""
        names = [f"{name}-{device}" for device in DEVICES]
        for device, size in zip(names, DEVICES.values(), strict=True):
            self._save(_look(page, *size, scale="css"), device, COLOURS)
        self._note(names, shows)

    def shoot_pdf(self, pdf: bytes, name: str, shows: str) -> None:
        """Take the first page of a PDF file, with a thin border for its white paper."""
        self._save(first_page(pdf, PDF_DPI), name, COLOURS)
        self._note([name], shows)

    def add_frame(self, page: Page) -> None:
        """Keep what a phone shows of a page, from its top, for the strip."""
        self.frames.append(_look(page, *PHONE, scale="device"))

    def add_pdf_frame(self, pdf: bytes) -> None:
        """Keep the first page of a PDF file for the strip."""
        self.frames.append(first_page(pdf, SHARPNESS * PDF_DPI))

    def save_strip(self, name: str, shows: str) -> None:
        """Put the frames side by side, equally tall, with thin gaps between them."""
        shares = [frame.width / frame.height for frame in self.frames]
        gaps = STRIP_GAP * (len(self.frames) - 1)
        height = int((STRIP_WIDTH - gaps) / sum(shares))
        strip = Image.new("RGB", (STRIP_WIDTH, height), "white")
        left = 0
        for frame, share in zip(self.frames, shares, strict=True):
            width = int(height * share)
            small = frame.resize((width - 2, height - 2), Image.Resampling.LANCZOS)
            strip.paste(ImageOps.expand(small, 1, EDGE), (left, 0))
            left += width + STRIP_GAP
        self._save(strip.crop((0, 0, left - STRIP_GAP, height)), name, STRIP_COLOURS)
        self._note([name], shows)

    def _save(self, picture: Image.Image, name: str, colours: int) -> None:
        """Write a PNG with a palette, without dithering: what is flat stays flat, and small."""
        small = picture.quantize(palette=_palette(picture, colours), dither=Image.Dither.NONE)
        small.save(self.folder / f"{name}.png", optimize=True)

    def _note(self, names: list[str], shows: str) -> None:
        links = ", ".join(f"[{name}]({name}.png)" for name in names)
        self.lines.append(f"- {links}: {shows}")


def first_page(pdf: bytes, dpi: int) -> Image.Image:
    """Render the first page of a PDF file with a border of one pixel."""
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    picture: Image.Image = document[0].render(scale=dpi / POINTS_PER_INCH).to_pil()
    return ImageOps.expand(picture.convert("RGB"), 1, EDGE)


def _palette(picture: Image.Image, colours: int) -> Image.Image:
    """Return the commonest colours exactly, for surfaces, and others spread for small marks.

    Pillow's own palettes turn a green badge grey (median cut), or a grey surface pink (coverage).
    """
    found = picture.getcolors(picture.width * picture.height)
    counted = cast(list[tuple[int, Colour]], found)
    wanted = [colour for _count, colour in nlargest(SURFACES, counted)]
    wanted += _spread_colours(picture, colours - SURFACES)
    kept: list[Colour] = []
    for colour in wanted:
        if all(_distance(colour, other) >= TOO_CLOSE for other in kept):
            kept.append(colour)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in kept for part in colour])
    return palette


def _spread_colours(picture: Image.Image, count: int) -> list[Colour]:
    flat = picture.quantize(count, Image.Quantize.MAXCOVERAGE).getpalette() or []
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))[:count]


def _distance(one: Colour, other: Colour) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _both_devices(page: Page) -> list[Image.Image]:
    """Return the whole page on each device.

    The window is made as tall as the page, so that a bar that sticks to its edge covers nothing.
    """
    taken = []
    for width, least in DEVICES.values():
        page.set_viewport_size({"width": width, "height": least})
        height: int = page.evaluate("document.documentElement.scrollHeight")
        taken.append(_look(page, width, height, scale="css"))
    return taken


def _look(page: Page, width: int, height: int, *, scale: Literal["css", "device"]) -> Image.Image:
    """Take the window at this size (CSS pixels), nothing focused and nothing under way."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    taken = page.screenshot(animations="disabled", caret="hide", scale=scale)
    return Image.open(io.BytesIO(taken)).convert("RGB")
