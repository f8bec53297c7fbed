"""QR codes as the smallest picture that says everything: one pixel a module."""

from base64 import b64encode
from io import BytesIO

QUIET_ZONE = 4  # modules on each side, as ISO/IEC 18004 asks
# Trying all eight masks costs three times as much and helps no reader that could be measured.
MASK = 3


def qr_png(text: str) -> bytes:
    """Draw a text as a QR code: a black and white PNG, one pixel a module, quiet zone included.

    Error correction M, the smallest version that fits. Upper-case letters, digits and
    `$%*+-./: ` go in alphanumeric mode, anything else as UTF-8. Whoever shows it scales it up
    with `image-rendering: pixelated`.

    Raises ValueError when the text fits no QR code.
    """
    # A tenth of a web process's start, for pages that most processes never show.
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.main import QRCode

    code = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    code.add_data(text, optimize=0)
    code.make()
    return _png(code.modules)


def qr_data_uri(text: str) -> str:
    """Draw a text as `qr_png` does, as a `data:` address for an `<img>`."""
    return f"data:image/png;base64,{b64encode(qr_png(text)).decode('ascii')}"


def _png(modules: list[list[bool | None]]) -> bytes:
    from PIL import Image

    side = len(modules)
    pixels = bytes(0 if is_dark else 255 for row in modules for is_dark in row)
    image = Image.new("1", (side + 2 * QUIET_ZONE, side + 2 * QUIET_ZONE), color=1)
    image.paste(Image.frombytes("L", (side, side), pixels), (QUIET_ZONE, QUIET_ZONE))
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()
