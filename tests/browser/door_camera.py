"""What a phone at the door sees: tickets before a fake camera, as badly as people hold them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from PIL import Image, ImageEnhance, ImageFilter

from app.integrations.qr import qr_png

Point = tuple[float, float]
FRAME = (1280, 720)
TABLE = 96  # grey behind the ticket
PAPER = 600  # pixels of a sharp picture, before it is made as small as it is seen
FLAG = "--use-fake-device-for-media-stream"


@dataclass(frozen=True)
class Scene:
    """How a code is seen.

    `size` is its side in pixels of the frame, quiet zone included; `blur` the radius in pixels;
    `turn` degrees in the picture, `tilt` how much shorter its far edge is (0 to 1); `light` from
    0 to 1, with the noise a camera adds in the dark.
    """

    size: int = 320
    blur: float = 0
    turn: float = 0
    tilt: float = 0
    light: float = 1
    noise: float = 0

    def of(self, picture: Image.Image) -> Image.Image:
        """Return the frame of a camera that sees a square picture like this."""
        sheet = _tilted(picture.convert("L").resize((PAPER, PAPER), Image.Resampling.NEAREST), self)
        sheet = sheet.resize((self.size, self.size), Image.Resampling.LANCZOS)
        cover = Image.new("L", (PAPER, PAPER), 255)
        mask = _tilted(cover, self, background=0).resize((self.size, self.size))
        mask = mask.rotate(self.turn, Image.Resampling.BICUBIC, expand=True)
        sheet = sheet.rotate(self.turn, Image.Resampling.BICUBIC, expand=True, fillcolor=TABLE)
        frame = Image.new("L", FRAME, TABLE)
        left, top = (FRAME[0] - sheet.width) // 2, (FRAME[1] - sheet.height) // 2
        frame.paste(sheet, (left, top), mask)
        blurred = frame.filter(ImageFilter.GaussianBlur(self.blur))
        return _grainy(ImageEnhance.Brightness(blurred).enhance(self.light), self.noise)


class Film:
    """The file behind a browser's fake camera; what it shows is seen when a camera starts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "camera.mjpeg"
        self.show(Image.new("L", FRAME, TABLE))

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what Chromium is started with."""
        return (FLAG, f"--use-file-for-fake-video-capture={self.path}")

    def show(self, frame: Image.Image) -> None:
        """Put one frame before the camera, whole: a browser may be reading the file."""
        fresh = self.path.with_suffix(".new")
        frame.convert("RGB").save(fresh, "JPEG", quality=90)
        fresh.replace(self.path)


def page_before_camera(pdf: bytes, number: int) -> Image.Image:
    """Return the frame of a camera before the upper half of a page, from 0, held upright."""
    page = pypdfium2.PdfDocument(io.BytesIO(pdf))[number].render(scale=2).to_pil().convert("L")
    upper = page.crop((0, 0, page.width, page.height // 2))
    upper.thumbnail(FRAME, Image.Resampling.LANCZOS)
    frame = Image.new("L", FRAME, TABLE)
    frame.paste(upper, ((FRAME[0] - upper.width) // 2, (FRAME[1] - upper.height) // 2))
    return frame


def code_before_camera(text: str, scene: Scene | None = None) -> Image.Image:
    """Return the frame of a camera before a code of ours."""
    return (scene or Scene()).of(Image.open(io.BytesIO(qr_png(text))))


def _tilted(sheet: Image.Image, scene: Scene, background: int = TABLE) -> Image.Image:
    """Return a sheet whose upper edge lies further away."""
    if not scene.tilt:
        return sheet
    side = sheet.width
    inset = side * scene.tilt / 2
    corners = [(inset, inset), (side - inset, inset), (side, side), (0, side)]
    sources = [(0, 0), (side, 0), (side, side), (0, side)]
    return sheet.transform(
        sheet.size,
        Image.Transform.PERSPECTIVE,
        _coefficients(corners, sources),
        Image.Resampling.BICUBIC,
        fillcolor=background,
    )


def _coefficients(targets: Sequence[Point], sources: Sequence[Point]) -> list[float]:
    """Solve for the eight numbers of a perspective that leads from targets to sources."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(targets, sources, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for column in range(8):
        pivot = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(8):
            if row != column:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]


def _grainy(frame: Image.Image, strength: float) -> Image.Image:
    """Add noise of this standard deviation, in grey levels."""
    if not strength:
        return frame
    noise = Image.effect_noise(FRAME, strength)  # around 128
    return Image.blend(frame, noise, 0.5).point(lambda value: value * 2 - 128)
