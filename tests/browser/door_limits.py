"""Measure how badly a ticket may be held: `python -m tests.browser.door_limits`.

The scanner's own decoder in Chromium reads frames of 1280 x 720 pixels with real codes in them. A
code counts as read when one of four looks at it succeeds: a fifth of a second at the door.
"""

import base64
import io
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

from app.integrations.signing import SeatCode, new_key_pair, sign_code
from tests.app_factory import make_settings, running_app
from tests.browser.door_camera import Scene, code_before_camera
from tests.door.web import web_server
from tests.harness.browser import browsing, chromium
from tests.harness.database import fresh_sqlite

LOOKS = 4  # as often as the decoder takes its time over one, see static/js/door/decoder.js
CODES = 20
# What is harder from step to step; all else is as in a good light, 320 pixels wide.
STEPS: dict[str, Sequence[Scene]] = {
    "small (pixels)": [Scene(size=side) for side in (160, 130, 110, 100, 90, 80, 70)],
    "blurred (radius)": [Scene(blur=radius) for radius in (1, 2, 2.5, 3, 3.5, 4, 4.5, 5)],
    "small and dark": [
        Scene(size=side, light=0.2, noise=4) for side in (320, 240, 200, 170, 140, 110)
    ],
    "dark (light)": [Scene(light=light, noise=4) for light in (0.3, 0.2, 0.15, 0.1, 0.07, 0.05)],
    "tilted (far edge)": [Scene(tilt=tilt) for tilt in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)],
    "turned (degrees)": [Scene(turn=turn) for turn in (15, 30, 45, 90, 180)],
}
READ = """async ({ decoder, pictures, looks }) => {
  const worker = (globalThis.decoder ??= new Worker(decoder, { type: "module" }));
  const frame = new OffscreenCanvas(1280, 720).getContext("2d", { willReadFrequently: true });
  const look = (pixels, width, height) => new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ pixels, width, height }, [pixels]);
  });
  const answers = [];
  for (const picture of pictures) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    frame.drawImage(await createImageBitmap(new Blob([bytes])), 0, 0);
    const { data, width, height } = frame.getImageData(0, 0, 1280, 720);
    let texts = [];
    const times = [];
    for (let n = 0; n < looks && !texts.length; n += 1) {
      const pixels = data.slice().buffer;
      const begin = performance.now();
      ({ texts } = await look(pixels, width, height));
      times.push(performance.now() - begin);
    }
    answers.push({ texts, times });
  }
  return answers;
}"""


@contextmanager
def decoding(browser: Browser, folder: Path) -> Iterator[Page]:
    """Open a page of the door that can start the scanner's decoder."""
    app = running_app(make_settings(fresh_sqlite(folder)))
    with app as running, web_server(running) as address, browsing(browser) as page:
        page.goto(f"{address}/door")
        yield page


def read(page: Page, frames: Sequence[Image.Image], *, looks: int = LOOKS) -> list[dict[str, Any]]:
    """Return for each frame the texts read and how long each look took, in milliseconds."""
    version = page.request.get(f"{page.url}/sw.js").text().split('"version": "')[1][:12]
    decoder = f"/door/shell/{version}/js/door/decoder.js"
    told = {"decoder": decoder, "pictures": [_packed(frame) for frame in frames], "looks": looks}
    answers: list[dict[str, Any]] = page.evaluate(READ, told)
    return answers


def count_read(page: Page, texts: Sequence[str], scene: Scene) -> int:
    """Return how many of these codes are read in such a scene; a wrong text fails."""
    answers = read(page, [code_before_camera(text, scene) for text in texts])
    for answer, text in zip(answers, texts, strict=True):
        assert answer["texts"] in ([], [text]), "the decoder read something else"
    return sum(bool(answer["texts"]) for answer in answers)


def signed_codes(count: int) -> list[str]:
    """Return codes as e-tickets carry them."""
    private_key, _public_key = new_key_pair()
    seats = [SeatCode(1, secrets.randbits(40), 1, None, None) for _ in range(count)]
    return [sign_code(seat, private_key) for seat in seats]


def white_on_black(text: str) -> Image.Image:
    """Return a code as a phone in dark mode shows it."""
    return ImageOps.invert(code_before_camera(text))


def _packed(frame: Image.Image) -> str:
    target = io.BytesIO()
    frame.save(target, "PNG", compress_level=1)
    return base64.b64encode(target.getvalue()).decode()


def main() -> None:
    """Print how many of CODES codes are read at each step, and how long a look takes."""
    texts = signed_codes(CODES)
    with ExitStack() as stack:
        browser = stack.enter_context(chromium(stack.enter_context(sync_playwright())))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        page = stack.enter_context(decoding(browser, Path(folder)))
        for name, scenes in STEPS.items():
            found = [f"{count_read(page, texts, scene)}" for scene in scenes]
            values = [_changed(scene) for scene in scenes]
            sys.stdout.write(f"{name}\n  at   {_row(values)}\n  read {_row(found)}\n")
        frames = [code_before_camera(text) for text in texts]
        for kind, shown in (("with a code", frames), ("with none", [_nothing()] * CODES)):
            looks = [look for answer in read(page, shown) for look in answer["times"]]
            sys.stdout.write(f"a frame {kind}: {statistics.median(looks):.0f} ms\n")


def _nothing() -> Image.Image:
    return Scene().of(Image.new("L", (10, 10), 255))


def _changed(scene: Scene) -> str:
    usual = Scene()
    names = [name for name in vars(scene) if getattr(scene, name) != getattr(usual, name)]
    return str(getattr(scene, names[0])) if names else "-"


def _row(values: Sequence[str]) -> str:
    return " ".join(f"{value:>5}" for value in values)


if __name__ == "__main__":
    main()
