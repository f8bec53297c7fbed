"""The e-ticket mail, as text and as HTML, in both languages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

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
        assert "attached" not in part
        assert "ready to download from your order page" in part


def test_a_free_order_thanks_for_no_payment() -> None:
    for part in _compose("en", total=0)[1:]:
        assert "payment" not in part
        assert "Your order TX7K2M9QPA is confirmed." in part


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


def test_html_is_for_old_clients_and_for_screen_readers() -> None:
    elements = _Elements(_compose("en")[2]).found
    assert ("html", "en") in [(tag, attributes.get("lang")) for tag, attributes in elements]
    assert not {"style", "link", "img", "script"} & {tag for tag, _ in elements}
    assert all(attributes.get("style") for tag, attributes in elements if tag in ("p", "td", "h1"))
    tables = [attributes for tag, attributes in elements if tag == "table"]
    data_tables = [table for table in tables if table.get("role") != "presentation"]
    assert len(data_tables) == 1
    assert sum(tag == "h1" for tag, _ in elements) == 1


def test_nothing_is_loaded_from_anywhere() -> None:
    html = _compose()[2]
    assert not re.search(r"""(src=|url\(|@import)""", html)
