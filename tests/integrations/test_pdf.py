"""The e-ticket as its holder, a door scanner and a screen reader get it."""

import ctypes
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from zoneinfo import ZoneInfo

import pypdfium2.raw as pdfium_c
import pytest
import zxingcpp
from flask import Flask

from app.integrations.pdf import (
    VENUE_STEPS,
    Seat,
    TicketDocument,
    TicketRenderer,
    TicketRenderingFailed,
)
from tests.integrations.conftest import make_bare_app
from tests.integrations.pdf_reading import (
    POINTS_PER_MM,
    boxes_of,
    close_pdfs,
    fonts_of,
    open_pdf,
    text_of,
)

A4 = (595.28, 841.89)

SEAT = Seat("Sari Dewi", "Early Bird", "7K2M-9QPA", "ABCDEFGHIJKLMNOPQRSTUVWX22", 1)
DOCUMENT = TicketDocument(
    order_code="TX7K2M9QPA",
    locale="id",
    event_name="TEDxSenayan 2027: Arus Balik",
    starts_at=datetime(2027, 1, 23, 2, 0, tzinfo=UTC),
    timezone=ZoneInfo("Asia/Jakarta"),
    venue="Teater Besar, Jalan Panjang 1, Jakarta",
    contact_email="halo@example.com",
    seats=(SEAT,),
)
FOUR = replace(
    DOCUMENT,
    seats=tuple(
        Seat(name, "Reguler", f"7K2M-9QP{number}", f"ABCDEFGHIJKLMNOPQRSTUVWX{number}2", number)
        for number, name in enumerate(("Sari Dewi", "Budi", "Łukasz Żółć", "Nguyễn Ánh"), start=2)
    ),
)


@pytest.fixture(scope="module")
def app() -> Flask:
    return make_bare_app()


@pytest.fixture(scope="module")
def renderer() -> TicketRenderer:
    return TicketRenderer()


@pytest.fixture(autouse=True)
def _in_the_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield
    close_pdfs()


def _named(name: str) -> TicketDocument:
    return replace(DOCUMENT, seats=(replace(SEAT, attendee=name),))


def test_each_seat_has_its_own_a4_page(renderer: TicketRenderer) -> None:
    pdf = open_pdf(renderer.render(FOUR))
    assert len(pdf) == 4
    assert all(page.get_size() == pytest.approx(A4, abs=0.1) for page in pdf)


def test_a_page_says_what_the_door_and_the_guest_need(renderer: TicketRenderer) -> None:
    for page, seat in zip(open_pdf(renderer.render(FOUR)), FOUR.seats, strict=True):
        text = text_of(page)
        for words in (seat.attendee, seat.ticket_type, seat.code, "TX7K2M9QPA", FOUR.event_name):
            assert words in text
        assert "Sabtu, 23 Januari 2027 09.00 WIB Teater Besar" in text
        assert "halo@example.com" in text


def test_an_english_ticket_has_an_english_date(renderer: TicketRenderer) -> None:
    text = text_of(open_pdf(renderer.render(replace(DOCUMENT, locale="en")))[0])
    assert "Saturday, 23 January 2027 09:00 WIB" in text
    assert "Ticket 1 of 1" in text


def test_a_scanner_reads_the_code_of_every_page(renderer: TicketRenderer) -> None:
    for page, seat in zip(open_pdf(renderer.render(FOUR)), FOUR.seats, strict=True):
        picture = page.render(scale=1.5).to_pil().convert("L")
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == [seat.qr_text]


def test_the_code_is_printed_large_with_a_white_edge(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(DOCUMENT))[0]
    scale = 4 * 25.4 / 72  # four pixels a millimetre
    picture = page.render(scale=scale).to_pil().convert("L")
    corners = zxingcpp.read_barcodes(picture)[0].position
    side = corners.top_right.x - corners.top_left.x
    module = side / 25
    assert side / 4 >= 40
    frame = (
        int(corners.top_left.x - 4 * module) + 2,
        int(corners.top_left.y - 4 * module) + 2,
        int(corners.top_left.x) - 2,
        int(corners.bottom_left.y + 4 * module) - 2,
    )
    assert picture.crop(frame).getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("Łukasz Żółć", "Jakarta-Bold"),
        ("Nguyễn Thị Ánh Tuyết", "Jakarta-Bold"),
        (unicodedata.normalize("NFD", "Đặng Thùy Trâm"), "Jakarta-Bold"),
        ("Дмитрий Ελένη", "World-Bold"),
        ("محمد عبد الرحمن", "Arabic-Bold"),
        ("王小明", "CJK-Bold"),
        ("山田 太郎 さくら", "CJK-Bold"),
        ("김민준", "CJK-Bold"),
        ("שרה", "Hebrew-Bold"),
        ("अमित", "Devanagari-Bold"),
        ("สมชาย", "Thai-Bold"),
        ("ꦱꦫꦶ", "Javanese-Bold"),
    ],
)
def test_a_name_is_drawn_with_a_bundled_font_that_has_its_letters(
    renderer: TicketRenderer, name: str, font: str
) -> None:
    pdf = open_pdf(renderer.render(_named(name)))
    fonts = fonts_of(pdf)
    assert fonts.pop(font) is True
    assert set(fonts) <= {"Jakarta", "Jakarta-Bold"}
    assert all(fonts.values())


def _ink_runs(renderer: TicketRenderer, name: str) -> int:
    """Count the pieces, parted by empty columns, that a name is drawn in."""
    picture = open_pdf(renderer.render(_named(name)))[0].render(scale=4).to_pil().convert("L")
    millimetre = 4 * POINTS_PER_MM
    box = [round(edge * millimetre) for edge in (14, 104, 114, 118)]
    name_line = picture.crop((box[0], box[1], box[2], box[3]))
    columns = [name_line.crop((x, 0, x + 1, name_line.height)) for x in range(name_line.width)]
    inked = [column.getextrema()[0] < 128 for column in columns]
    return sum(now and not before for before, now in zip([False, *inked], inked, strict=False))


def test_arabic_letters_are_joined(renderer: TicketRenderer) -> None:
    joined, apart = "محمد", "م\u200cح\u200cم\u200cد"
    assert _ink_runs(renderer, joined) == 1
    assert _ink_runs(renderer, apart) == 4


def test_a_hebrew_name_runs_from_right_to_left(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(_named("שרה Zahra")))[0]
    (first,), (third,), (latin,) = (boxes_of(page, letter) for letter in "שהZ")
    assert first[0] > third[0] > latin[0]


@pytest.mark.parametrize("name", ["W" * 200, "Z" * 1000, "王" * 200, "Wawan " * 33])
def test_a_long_name_stays_in_its_box(renderer: TicketRenderer, name: str) -> None:
    pdf = open_pdf(renderer.render(_named(name)))
    assert len(pdf) == 1
    boxes = boxes_of(pdf[0], "WZ王")
    assert len(boxes) > 30
    assert min(left for left, _, _, _ in boxes) >= 15
    assert max(right for _, _, right, _ in boxes) <= 115
    assert min(bottom for _, bottom, _, _ in boxes) >= 297 - 124


def test_long_event_and_venue_stay_in_their_boxes(renderer: TicketRenderer) -> None:
    document = replace(DOCUMENT, event_name="Qartini " * 40, venue="Zona " * 60)
    pdf = open_pdf(renderer.render(document))
    assert len(pdf) == 1
    assert min(bottom for _, bottom, _, _ in boxes_of(pdf[0], "Q")[:20]) >= 297 - 54
    assert min(bottom for _, bottom, _, _ in boxes_of(pdf[0], "Z")) >= 297 - 97


@pytest.mark.parametrize("length", VENUE_STEPS)
def test_a_venue_as_long_as_its_type_size_allows_is_not_cut(
    renderer: TicketRenderer, length: int
) -> None:
    venue = ("Zona Gelanggang Konvensi, " * 10)[: length - 2] + "Z"
    page = open_pdf(renderer.render(replace(DOCUMENT, venue=venue)))[0]
    assert "…" not in text_of(page)
    assert min(bottom for _, bottom, _, _ in boxes_of(page, "Z")) >= 297 - 97


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\n\t", "\u202e\u2066"])
def test_a_name_with_nothing_to_see_becomes_a_dash(renderer: TicketRenderer, name: str) -> None:
    assert "–" in text_of(open_pdf(renderer.render(_named(name)))[0])


def test_markup_in_a_name_is_print(renderer: TicketRenderer) -> None:
    assert "<script>alert(1)</" in text_of(
        open_pdf(renderer.render(_named("<script>alert(1)</script>")))[0]
    )


def test_nothing_is_fetched_whatever_a_name_says(renderer: TicketRenderer) -> None:
    with create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        tag = f'<img src="http://127.0.0.1:{server.getsockname()[1]}/x">'
        renderer.render(_named(tag))
        renderer._write(f"<!doctype html><html lang=id><title>x</title>{tag}")
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_file_is_tagged_titled_and_in_the_readers_language(renderer: TicketRenderer) -> None:
    pdf = open_pdf(renderer.render(DOCUMENT))
    assert pdf.get_metadata_value("Title").endswith(f"TX7K2M9QPA · {DOCUMENT.event_name}")
    assert pdfium_c.FPDFCatalog_IsTagged(pdf)
    language = (ctypes.c_ushort * 20)()
    pdfium_c.FPDFCatalog_GetLanguage(pdf, language, ctypes.sizeof(language))
    assert bytes(language).decode("utf-16-le").rstrip("\0") == "id"
    assert [entry.get_title() for entry in pdf.get_toc()] == ["Sari Dewi"]


def test_the_qr_code_has_words_for_those_who_cannot_see_it(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(DOCUMENT))[0]
    tree = pdfium_c.FPDF_StructTree_GetForPage(page)
    elements = [
        pdfium_c.FPDF_StructTree_GetChildAtIndex(tree, index)
        for index in range(pdfium_c.FPDF_StructTree_CountChildren(tree))
    ]
    alternatives = []
    while elements:
        element = elements.pop()
        words = ctypes.create_string_buffer(400)
        if size := pdfium_c.FPDF_StructElement_GetAltText(element, words, 400):
            alternatives.append(words.raw[:size].decode("utf-16-le").rstrip("\0"))
        for index in range(max(0, pdfium_c.FPDF_StructElement_CountChildren(element))):
            if child := pdfium_c.FPDF_StructElement_GetChildAtIndex(element, index):
                elements.append(child)
    assert len(alternatives) == 1
    assert "7K2M-9QPA" in alternatives[0]


def test_what_cannot_be_drawn_is_one_kind_of_error(renderer: TicketRenderer) -> None:
    too_much = replace(DOCUMENT, seats=(replace(SEAT, qr_text="A" * 5000),))
    with pytest.raises(TicketRenderingFailed):
        renderer.render(too_much)


WITHOUT_SYSTEM_FONTS = """
import sys
from dataclasses import replace
from tests.integrations.conftest import make_bare_app
from tests.integrations.pdf_reading import (
    POINTS_PER_MM,
    boxes_of,
    close_pdfs,
    fonts_of,
    open_pdf,
    text_of,
)
from tests.integrations.test_pdf import FOUR, SEAT
from app.integrations.pdf import TicketRenderer
with make_bare_app().app_context():
    names = replace(SEAT, attendee="Sari محمد 王小明")
    sys.stdout.buffer.write(TicketRenderer().render(replace(FOUR, seats=(names,))))
"""


def test_no_font_of_the_system_is_needed(tmp_path: Path) -> None:
    nothing = tmp_path / "fonts.conf"
    nothing.write_text(f"<fontconfig><cachedir>{tmp_path}</cachedir></fontconfig>")
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_SYSTEM_FONTS],
        env={**os.environ, "FONTCONFIG_FILE": str(nothing)},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    fonts = fonts_of(open_pdf(run.stdout))
    assert {name.removesuffix("-Bold") for name in fonts} == {"Jakarta", "Arabic", "CJK"}
    assert all(fonts.values())
