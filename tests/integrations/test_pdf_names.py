"""Names on e-tickets: every script, every length, nothing hidden."""

import unicodedata

import pytest

from app.integrations.pdf import TicketRenderer
from tests.integrations.pdf_reading import POINTS_PER_MM, boxes_of, fonts_of, open_pdf, text_of
from tests.integrations.tickets import named

pytestmark = pytest.mark.usefixtures("in_a_bare_app")


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
    pdf = open_pdf(renderer.render(named(name)))
    fonts = fonts_of(pdf)
    assert fonts.pop(font) is True
    assert set(fonts) <= {"Jakarta", "Jakarta-Bold"}
    assert all(fonts.values())


def _ink_runs(renderer: TicketRenderer, name: str) -> int:
    """Count the pieces, parted by empty columns, that a name is drawn in."""
    picture = open_pdf(renderer.render(named(name)))[0].render(scale=4).to_pil().convert("L")
    millimetre = 4 * POINTS_PER_MM
    box = [round(edge * millimetre) for edge in (14, 93, 114, 105)]
    name_line = picture.crop((box[0], box[1], box[2], box[3]))
    columns = [name_line.crop((x, 0, x + 1, name_line.height)) for x in range(name_line.width)]
    inked = [column.getextrema()[0] < 128 for column in columns]
    return sum(now and not before for before, now in zip([False, *inked], inked, strict=False))


def test_arabic_letters_are_joined(renderer: TicketRenderer) -> None:
    joined, apart = "محمد", "م\u200cح\u200cم\u200cد"
    assert _ink_runs(renderer, joined) == 1
    assert _ink_runs(renderer, apart) == 4


def test_a_hebrew_name_runs_from_right_to_left(renderer: TicketRenderer) -> None:
    page = open_pdf(renderer.render(named("שרה Zahra")))[0]
    (first,), (third,), (latin,) = (boxes_of(page, letter) for letter in "שהZ")
    assert first[0] > third[0] > latin[0]


LONG_NAMES = [
    "Sari Dewi",
    "Muhammad Rizky Pratama",
    "SITI NURHALIZA WULANDARI",
    "Al Krishnamurthyananda Li",
    "R. A. Kusumaningrum Wijayakusuma-Hadiningrat",
    "DR. IR. H. MOHAMMAD WISNUWARDHANA TJOKROAMINOTO, M.SC., PH.D.",
    "Wolfeschlegelsteinhausenbergerdorff",
    "MMMMMMMMMM WWWWWWWWWW",
    "Maria " * 16 + "Li",
    "W" * 100,
]


@pytest.mark.parametrize("name", LONG_NAMES)
def test_of_a_name_nothing_is_hidden(renderer: TicketRenderer, name: str) -> None:
    pdf = open_pdf(renderer.render(named(name)))
    assert len(pdf) == 1
    drawn = [box for box in boxes_of(pdf[0], "".join(set(name) - {" "})) if _is_in_its_box(box)]
    assert len(drawn) >= len(name.replace(" ", ""))


def _is_in_its_box(box: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = box
    return left >= 14.9 and right <= 113.1 and bottom >= 297 - 116.5 and top <= 297 - 91


@pytest.mark.parametrize("name", ["W" * 200, "Z" * 1000, "王" * 200, "Wawan " * 33])
def test_an_endless_name_stays_in_its_box(renderer: TicketRenderer, name: str) -> None:
    pdf = open_pdf(renderer.render(named(name)))
    assert len(pdf) == 1
    boxes = [box for box in boxes_of(pdf[0], name[0]) if box[1] < 297 - 86]  # below "09.00 WIB"
    assert len(boxes) > 30
    assert all(_is_in_its_box(box) for box in boxes)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\n\t", "\u202e\u2066"])
def test_a_name_with_nothing_to_see_becomes_a_dash(renderer: TicketRenderer, name: str) -> None:
    assert "–" in text_of(open_pdf(renderer.render(named(name)))[0])


def test_markup_in_a_name_is_print(renderer: TicketRenderer) -> None:
    assert "<script>alert(1)</" in text_of(
        open_pdf(renderer.render(named("<script>alert(1)</script>")))[0]
    )
