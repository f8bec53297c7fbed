"""The e-ticket mail, as text and as HTML, in both languages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from app.colours import contrast
from app.integrations.mail_templates import compose
from app.integrations.pdf import Seat
from tests.integrations.conftest import make_bare_app

SEATS = (
    Seat("Sari Dewi", "Early Bird", "7K2M-9QPA", "A", 1),
    Seat("<script>王", "Reguler", "7K2M-9QPB", "B", 2),
)
CONTEXT: dict[str, object] = {
    "event_name": "Panggung & Layar",
    "starts_at": datetime(2027, 1, 23, 2, 0, tzinfo=UTC),
    "timezone": ZoneInfo("Asia/Jakarta"),
    "venue": "Teater Besar, Jakarta",
    "map_url": "https://peta.example.com/?q=Teater+Besar&z=1",
    "accent": "#e62b1e",
    "action": "#d3241a",
    "contact_email": "halo@example.com",
    "buyer_name": "Sari Dewi",
    "order_code": "TX7K2M9QPA",
    "order_url": "https://tiket.example.com/orders/t0ken",
    "seats": SEATS,
    "total": 300_000,
    "attached": True,
}


class _Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(autouse=True)
def _in_an_app() -> Iterator[None]:
    with make_bare_app().app_context():
        yield


def _compose(locale: str = "id", **changes: object) -> tuple[str, str, str]:
    return compose("etickets", locale, **{**CONTEXT, **changes})


@pytest.mark.parametrize(
    ("locale", "when"),
    [
        ("id", "Sabtu, 23~Januari 2027 pukul~09.00~WIB"),
        ("en", "Saturday, 23~January 2027, 09:00~WIB"),
    ],
)
def test_text_and_html_say_the_same(locale: str, when: str) -> None:
    subject, text, html = _compose(locale)
    assert "Panggung & Layar" in subject
    assert "TX7K2M9QPA" in subject
    words = ["Teater Besar, Jakarta", "halo@example.com"]
    # What is read as one is not broken: `~` stands for a no-break space.
    words += [text.replace("~", "\N{NO-BREAK SPACE}") for text in (when, "Rp~300.000")]
    words += [detail for seat in SEATS for detail in (seat.attendee, seat.ticket_type, seat.code)]
    for word in words:
        assert word in text
        assert word in _Elements(html).text


def test_both_link_to_the_order() -> None:
    _, text, html = _compose()
    assert f"\n{CONTEXT['order_url']}\n" in text
    assert ("a", CONTEXT["order_url"]) in [
        (tag, attributes.get("href")) for tag, attributes in _Elements(html).found
    ]


def test_a_mail_without_the_file_does_not_speak_of_one() -> None:
    for part in _compose("en", attached=False)[1:]:
        assert "PDF" not in part
        assert "ready to download from your order page" in " ".join(part.split())


def test_a_free_order_thanks_for_no_payment() -> None:
    for part in _compose("en", total=0)[1:]:
        assert "payment" not in part
        assert "Your order TX7K2M9QPA is confirmed." in " ".join(part.split())


def test_one_seat_is_one_e_ticket_in_the_subject() -> None:
    one, two = _compose("en", seats=SEATS[:1])[0], _compose("en")[0]
    assert one == "Your e-ticket for Panggung & Layar (TX7K2M9QPA)"
    assert two == "Your 2 e-tickets for Panggung & Layar (TX7K2M9QPA)"


def test_a_subject_is_one_line_whatever_the_event_is_called() -> None:
    assert "\n" not in _compose(event_name="Panggung\r\nBcc: everyone@example.com")[0]


def test_text_is_text_without_gaps() -> None:
    text = _compose()[1]
    assert "<script>王" in text
    assert "&amp;" not in text
    assert "\n\n\n" not in text


def test_text_is_set_narrow_with_hanging_lists_and_whole_addresses() -> None:
    long_name = "Panggung yang namanya panjang sekali sehingga tidak muat di satu baris surat ini"
    text = _compose("en", event_name=long_name, order_url=f"https://tiket.example.com/{'x' * 90}")[
        1
    ]
    lines = text.splitlines()
    assert all(len(line) <= 72 for line in lines if not line.startswith("https://"))
    assert f"https://tiket.example.com/{'x' * 90}" in lines
    first = next(number for number, line in enumerate(lines) if line.startswith("* "))
    assert lines[first + 1].startswith("  ")
    assert "-- " in lines  # the mark of a signature keeps its space


def test_html_is_for_old_clients_and_for_screen_readers() -> None:
    elements = _Elements(_compose("en")[2]).found
    assert ("html", "en") in [(tag, attributes.get("lang")) for tag, attributes in elements]
    assert not {"link", "img", "script"} & {tag for tag, _ in elements}
    assert all(attributes.get("style") for tag, attributes in elements if tag in ("p", "td", "h1"))
    tables = [attributes for tag, attributes in elements if tag == "table"]
    data_tables = [table for table in tables if table.get("role") != "presentation"]
    assert len(data_tables) == 1
    assert sum(tag == "h1" for tag, _ in elements) == 1


def test_only_what_cannot_stand_on_an_element_stays_a_style_sheet() -> None:
    html = _compose()[2]
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert re.fullmatch(r"(@media [^{]+\{(\s*[^{}]+\{[^{}]*\})+\s*\}\s*)+", sheet)
    assert "prefers-color-scheme: dark" in sheet
    assert html.index("utf-8") < 1024  # where a file's reader looks for its encoding
    styles = " ".join(re.findall(r'style="([^"]*)"', html))
    assert not re.search(r"flex|grid|position:|var\(|calc\(", styles)


def test_inboxes_show_a_first_line_of_our_own() -> None:
    html = _compose("en")[2]
    body = html[html.index("<body") :]
    hidden = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', body)
    assert hidden
    assert hidden.group(1).startswith("Saturday, 23&nbsp;January 2027")
    assert body.index(hidden.group(0)) < body.index("<table")


def test_the_button_has_its_address_beside_it_in_words() -> None:
    html = _compose()[2]
    address = CONTEXT["order_url"]
    assert re.findall(rf'<a [^>]*href="{address}"[^>]*>([^<]+)</a>', html) == [
        "Buka pesanan Anda",
        address,
    ]


def _palette(html: str, dark: bool) -> dict[str, str]:
    """Return text and background of the card, as the style sheets say."""
    if dark:
        sheet = html[html.index("prefers-color-scheme: dark") :]
        paper = re.search(r"\.card, \.foot \{ background-color: (#\w+)", sheet)
        ink = re.search(r"h1, h2, p, td, th, \.card a \{ color: (#\w+)", sheet)
        quiet = re.search(r"\.quiet, [^{]*\{ color: (#\w+)", sheet)
    else:
        paper = re.search(r'class="card" style="[^"]*background-color: (#\w+)', html)
        ink = re.search(r'<h1 style="[^"]*color: (#\w+)', html)
        quiet = re.search(r'class="quiet" style="[^"]*color: (#\w+)', html)
    assert paper and ink and quiet
    return {"paper": paper.group(1), "ink": ink.group(1), "quiet": quiet.group(1)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_are_read_easily_in_light_and_in_dark(dark: bool) -> None:
    colours = _palette(_compose()[2], dark)
    assert contrast(colours["ink"], colours["paper"]) >= 7
    assert contrast(colours["quiet"], colours["paper"]) >= 4.5


def test_the_colours_are_the_events_own() -> None:
    html = _compose(accent="#0055aa", action="#004488")[2]
    assert re.search(r"border-left: 6px solid #0055aa", html)
    assert re.search(r'<a [^>]*style="[^"]*background-color: #004488', html)
    assert "#e62b1e" not in html


def test_nothing_is_loaded_from_anywhere() -> None:
    html = _compose()[2]
    assert not re.search(r"""(src=|url\(|@import)""", html)
