"""The e-ticket for screen readers (ISO 14289-1, as far as it shows) and for grey printers."""

import ctypes
from dataclasses import replace
from itertools import pairwise

import pypdfium2.raw as pdfium_c
import pytest
from pypdfium2 import PdfObject, PdfPage

from app.colours import contrast
from app.integrations.pdf import TicketRenderer
from tests.integrations.pdf_reading import (
    colour_of,
    fonts_of,
    inflated,
    marks_of,
    open_pdf,
    tags_of,
)
from tests.integrations.tickets import DOCUMENT, FOUR, SEAT

pytestmark = pytest.mark.usefixtures("in_a_bare_app")

PICTURE, WORDS = pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_TEXT
FOUR_WITH_LANES = replace(FOUR, seats=tuple(replace(seat, lane="C") for seat in FOUR.seats))


@pytest.mark.parametrize("locale", ["id", "en"])
def test_the_file_is_tagged_titled_and_in_the_readers_language(
    renderer: TicketRenderer, locale: str
) -> None:
    pdf = open_pdf(renderer.render(replace(DOCUMENT, locale=locale)))
    assert pdf.get_metadata_value("Title").endswith(f"TX7K2M9QPA · {DOCUMENT.event_name}")
    assert pdfium_c.FPDFCatalog_IsTagged(pdf)
    language = (ctypes.c_ushort * 20)()
    pdfium_c.FPDFCatalog_GetLanguage(pdf, language, ctypes.sizeof(language))
    assert bytes(language).decode("utf-16-le").rstrip("\0") == locale
    assert [entry.get_title() for entry in pdf.get_toc()] == ["Sari Dewi"]


def test_the_file_says_that_it_keeps_to_the_standard(renderer: TicketRenderer) -> None:
    words = inflated(renderer.render(DOCUMENT))
    for needed in (b"/StructTreeRoot", b"/ParentTree", b"/MarkInfo", b"/DisplayDocTitle true"):
        assert needed in words
    assert b"pdfuaid" in words


def test_every_page_has_its_headings_in_order(renderer: TicketRenderer) -> None:
    for page in open_pdf(renderer.render(FOUR_WITH_LANES)):
        levels = [int(tag.kind[1]) for tag in tags_of(page) if tag.kind[:1] == "H"]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert len(levels) >= 5
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_qr_code_has_words_for_those_who_cannot_see_it(renderer: TicketRenderer) -> None:
    for page, seat in zip(open_pdf(renderer.render(FOUR)), FOUR.seats, strict=True):
        (figure,) = [tag for tag in tags_of(page) if tag.kind == "Figure"]
        assert figure.alternative == f"Kode QR e-tiket {seat.code}"


def test_whatever_is_drawn_is_tagged_or_marked_as_an_ornament(renderer: TicketRenderer) -> None:
    for page in open_pdf(renderer.render(FOUR_WITH_LANES)):
        drawn = list(page.get_objects(max_depth=1))
        assert len(drawn) > 30
        for item in drawn:
            (mark,) = marks_of(item)
            if item.type == WORDS:
                assert mark != "Artifact"
            elif item.type == PICTURE:
                assert mark == "Figure"
            else:
                assert mark == "Artifact"


def test_every_font_is_in_the_file(renderer: TicketRenderer) -> None:
    fonts = fonts_of(open_pdf(renderer.render(FOUR_WITH_LANES)))
    assert set(fonts) == {"Jakarta", "Jakarta-Bold"}
    assert all(fonts.values())


def test_no_word_is_told_by_its_colour(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(replace(DOCUMENT, accent="#e62b1e")))[0]
    for item in page.get_objects(filter=[WORDS]):
        assert len(set(colour_of(item))) == 1  # a shade of grey


def _contrast_of(item: PdfObject, page: PdfPage, scale: float) -> float:
    """Return the contrast of the darkest and the brightest grey where something is drawn."""
    grey = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    left, bottom, right, top = (edge * scale for edge in item.get_bounds())
    box = (int(left), int(grey.height - top), int(right) + 1, int(grey.height - bottom) + 1)
    darkest, brightest = grey.crop(box).getextrema()
    return contrast("#" + f"{darkest:02x}" * 3, "#" + f"{brightest:02x}" * 3)


def test_in_grey_every_word_stands_out(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(replace(DOCUMENT, accent="#e62b1e")))[0]
    words = [item for item in page.get_objects(filter=[WORDS]) if _has_ink(item)]
    assert len(words) > 25
    for item in words:
        assert _contrast_of(item, page, 4) >= 4.5


def _has_ink(item: PdfObject) -> bool:
    left, bottom, right, top = item.get_bounds()
    return bool(right - left > 1 and top - bottom > 1)


def test_the_accent_of_the_event_is_only_an_ornament(renderer: TicketRenderer) -> None:
    seat = replace(SEAT, lane="B")
    plain, red = (
        open_pdf(renderer.render(replace(DOCUMENT, seats=(seat,), accent=accent)))[0]
        for accent in ("#000000", "#e62b1e")
    )
    coloured = [item for item in red.get_objects(max_depth=1) if len(set(colour_of(item))) > 1]
    assert [marks_of(item) for item in coloured] == [["Artifact"]]
    assert not [item for item in plain.get_objects(max_depth=1) if len(set(colour_of(item))) > 1]
