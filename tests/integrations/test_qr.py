"""The QR code holds the text, in the smallest symbol that can."""

from base64 import b64decode
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from app.integrations.qr import QUIET_ZONE, qr_data_uri, qr_png

SHORT = "ABCDEFGHIJKLMNOPQRSTUVWXYZ2345"
SIGNED = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 4)[:122]  # what signing makes, and all that fits


def _picture(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def _read(picture: Image.Image) -> list[str]:
    enlarged = picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST)
    return [code.text for code in zxingcpp.read_barcodes(enlarged.convert("L"))]


@pytest.mark.parametrize("text", [SHORT, SIGNED, "Tiket, é 王", "0"])
def test_a_reader_gets_the_text_back(text: str) -> None:
    assert _read(_picture(qr_png(text))) == [text]


@pytest.mark.parametrize(
    ("text", "modules"),
    [(SHORT, 25), (SIGNED, 37), (SHORT.lower(), 29)],
    ids=["short code, version 2", "signed code, version 5", "lower case needs version 3"],
)
def test_a_picture_has_one_pixel_a_module_and_the_smallest_version(text: str, modules: int) -> None:
    side = modules + 2 * QUIET_ZONE
    assert _picture(qr_png(text)).size == (side, side)


def test_the_quiet_zone_is_white_on_every_side() -> None:
    picture = _picture(qr_png(SHORT)).convert("L")
    inner = Image.new("L", (picture.width - 8, picture.height - 8), color=255)
    assert picture.getpixel((QUIET_ZONE, QUIET_ZONE)) == 0
    picture.paste(inner, (QUIET_ZONE, QUIET_ZONE))
    assert picture.getextrema() == (255, 255)


def test_the_same_text_is_always_the_same_picture() -> None:
    assert qr_png(SHORT) == qr_png(SHORT)


def test_error_correction_is_level_m() -> None:
    picture = _picture(qr_png(SHORT))
    enlarged = picture.resize((picture.width * 4, picture.height * 4)).convert("L")
    assert zxingcpp.read_barcodes(enlarged)[0].ec_level == "M"


def test_a_data_address_holds_the_picture() -> None:
    head, _, body = qr_data_uri(SHORT).partition(",")
    assert head == "data:image/png;base64"
    assert b64decode(body) == qr_png(SHORT)


def test_a_text_too_long_for_any_code_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        qr_png("A" * 4000)
