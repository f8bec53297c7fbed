"""The e-ticket as its holder and a door scanner get it."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from socket import create_server

import pytest
import zxingcpp

from app.integrations.pdf import TicketRenderer, TicketRenderingFailed
from tests.integrations.pdf_reading import POINTS_PER_MM, boxes_of, fonts_of, open_pdf, text_of
from tests.integrations.tickets import DOCUMENT, FOUR, SEAT, SIGNED, named

pytestmark = pytest.mark.usefixtures("in_a_bare_app")

A4 = (595.28, 841.89)


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


def test_a_phone_that_shows_the_whole_page_can_be_scanned(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(DOCUMENT))[0]
    picture = page.render(scale=360 / A4[0]).to_pil().convert("L")
    assert picture.width == 360
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [SIGNED]


def _strips_around(corners: zxingcpp.Position, width: int) -> list[tuple[int, int, int, int]]:
    """Return what lies within `width` pixels of a symbol, on each of its four sides."""
    left, top = corners.top_left.x, corners.top_left.y
    right, bottom = corners.bottom_right.x, corners.bottom_right.y
    return [
        (left - width, top - width, left - 2, bottom + width),
        (right + 2, top - width, right + width, bottom + width),
        (left - width, top - width, right + width, top - 2),
        (left - width, bottom + 2, right + width, bottom + width),
    ]


def test_the_code_is_printed_large_with_a_white_edge_on_every_side(
    renderer: TicketRenderer,
) -> None:
    page = open_pdf(renderer.render(DOCUMENT))[0]
    scale = 4 / POINTS_PER_MM  # four pixels a millimetre
    picture = page.render(scale=scale).to_pil().convert("L")
    corners = zxingcpp.read_barcodes(picture)[0].position
    side = corners.top_right.x - corners.top_left.x
    assert side / 4 >= 30
    quiet_zone = int(4 * side / 37) - 2
    for strip in _strips_around(corners, quiet_zone):
        assert picture.crop(strip).getextrema() == (255, 255)


def test_the_lane_is_drawn_large_andnamed(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(replace(DOCUMENT, seats=(replace(SEAT, lane="K"),))))[0]
    assert "Jalur K" in text_of(page)
    _, bottom, _, top = max(boxes_of(page, "K"), key=lambda box: box[3] - box[1])
    assert top - bottom >= 9


def test_without_lanes_there_is_no_word_of_them(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(replace(DOCUMENT, seats=(replace(SEAT, lane=""),))))[0]
    assert "Jalur" not in text_of(page)


def test_the_page_says_where_to_fold_and_nothing_is_in_the_fold(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(DOCUMENT))[0]
    assert "Lipat di sini" in text_of(page)
    picture = page.render(scale=4 / POINTS_PER_MM).to_pil().convert("L")
    line = picture.crop((40, 4 * 147, picture.width - 40, 4 * 150))
    dots = [line.crop((x, 0, x + 1, line.height)).getextrema()[0] < 200 for x in range(line.width)]
    assert sum(now and not before for before, now in pairwise(dots)) > 80


def test_long_event_and_venue_stay_in_their_boxes(renderer: TicketRenderer) -> None:
    document = replace(DOCUMENT, event_name="Qartini " * 40, venue="Zona " * 60)
    pdf = open_pdf(renderer.render(document))
    assert len(pdf) == 1
    assert min(bottom for _, bottom, _, _ in boxes_of(pdf[0], "Q")[:20]) >= 297 - 49
    assert min(bottom for _, bottom, _, _ in boxes_of(pdf[0], "Z")) >= 297 - 85


@pytest.mark.parametrize("length", [60, 90, 120, 150, 220])
def test_of_a_long_venue_nothing_is_hidden(renderer: TicketRenderer, length: int) -> None:
    venue = ("Zona Gelanggang Konvensi, " * 10)[: length - 2] + "Z"
    page = open_pdf(renderer.render(replace(DOCUMENT, venue=venue)))[0]
    assert "…" not in text_of(page)
    assert min(bottom for _, bottom, _, _ in boxes_of(page, "Z")) >= 297 - 85


def test_nothing_is_fetched_whatever_a_name_says(renderer: TicketRenderer) -> None:
    with create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        tag = f'<img src="http://127.0.0.1:{server.getsockname()[1]}/x">'
        renderer.render(named(tag))
        renderer._write(f"<!doctype html><html lang=id><title>x</title>{tag}")
        with pytest.raises(BlockingIOError):
            server.accept()


def test_what_cannot_be_drawn_is_one_kind_of_error(renderer: TicketRenderer) -> None:
    too_much = replace(DOCUMENT, seats=(replace(SEAT, qr_text="A" * 5000),))
    with pytest.raises(TicketRenderingFailed):
        renderer.render(too_much)


WITHOUT_SYSTEM_FONTS = """
import sys
from tests.integrations.conftest import make_bare_app
from tests.integrations.tickets import named
from app.integrations.pdf import TicketRenderer
with make_bare_app().app_context():
    sys.stdout.buffer.write(TicketRenderer().render(named("Sari محمد 王小明")))
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
