"""The list of orders and an order's page: what staff see, in words they can use."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from app.extensions import db
from app.models import Order, Role
from app.services.office import order_search
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order
from tests.browser.log_in import log_in
from tests.door.web import web_server
from tests.harness.statements import listening
from tests.office.desk import Desk
from tests.office.eventful import ACCOUNT, eventful, say
from tests.pages.axe import violations
from tests.pages.html import Page
from tests.pages.soundness import check_names, check_nothing_inline, check_references
from tests.staff.office import Office, fresh_code

PATH = "/staff/orders"
MOST_STATEMENTS = 12


@pytest.fixture
def desk(small_office: Office) -> Desk:
    return Desk(small_office.app)


def open_page(office: Office, path: str, language: str = "en") -> Page:
    return Page(office.log_in(Role.FINANCE, language).get(path))


def found(page: Page) -> list[str]:
    """Return the codes of the orders a list shows."""
    links = [e.attributes["href"] for e in page.all("a") if f"{PATH}/TX" in e.attributes["href"]]
    return [link.rsplit("/", 1)[1] for link in links]


# --- the list -----------------------------------------------------------------------------------


def test_the_list_shows_the_newest_first_and_keeps_what_was_typed(
    small_office: Office, desk: Desk
) -> None:
    ticket = desk.add_ticket("Reguler")
    old, new = desk.paid_order(ticket), desk.order(ticket, 1)
    client = small_office.log_in(Role.FINANCE)

    page = Page(client.get(PATH))
    assert found(page) == [new, old]
    assert "2 orders, the newest first" in page.text
    assert "2 × Reguler" in page.text and "Rp 300.000" in page.text

    page = Page(client.get(f"{PATH}?q=sari&state=PAID&since=2020-01-01&case="))
    assert found(page) == [old]
    assert "1 order" in page.by_id("count").text
    assert (page.fields["q"], page.fields["state"]) == ("sari", "PAID")
    assert page.fields["since"] == "2020-01-01"
    assert "open" in page.all("details")[0].attributes, "what narrows is seen"


def test_a_code_leads_straight_to_its_order(small_office: Office, desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    client = small_office.log_in(Role.FINANCE)
    for typed in (code, code.lower(), f"{code}-2"):
        assert client.get(PATH, query_string={"q": typed}).location == f"{PATH}/{code}", typed
    assert client.get(f"{PATH}?q={code}&state=PENDING").status_code == 200, "a list was asked for"


def test_pages_of_the_list_keep_what_is_wanted(
    small_office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_search, "PAGE_LENGTH", 1)
    ticket = desk.add_ticket("Reguler")
    old, new = desk.order(ticket, 1), desk.order(ticket, 1)
    client = small_office.log_in(Role.FINANCE)
    page = Page(client.get(f"{PATH}?q=sari"))
    [older] = page.all("a", rel="next")
    assert found(page) == [new]
    page = Page(client.get(older.attributes["href"]))
    assert found(page) == [old]
    assert page.fields["q"] == "sari"
    assert not page.all("a", rel="next")


def test_an_empty_list_says_why(small_office: Office, desk: Desk) -> None:
    client = small_office.log_in(Role.FINANCE)
    assert "Nobody has ordered yet" in Page(client.get(PATH)).text
    assert "No order fits" in Page(client.get(f"{PATH}?q=Xylophon")).text
    assert "There are no older orders" in Page(client.get(f"{PATH}?before=TXNOBODY")).text


def test_what_nobody_would_send_narrows_nothing_or_finds_nothing(
    small_office: Office, desk: Desk
) -> None:
    desk.order(desk.add_ticket("Reguler"))
    client = small_office.log_in(Role.FINANCE)
    harmless = ("state=NONE&payment=x", "since=x&until=9999-12-31", "since=0001-01-01")
    for query in (*harmless, "ticket=²", "q=%00"):
        page = Page(client.get(f"{PATH}?{query}"))
        assert len(found(page)) == 1, query
    for query in (f"ticket={2**70}", "channel=%F0%9F%8E%89", "voucher=%F0%9F%8E%89"):
        page = Page(client.get(f"{PATH}?{query}"))
        assert (page.status, found(page)) == (200, []), query


# --- an order -----------------------------------------------------------------------------------


def test_the_page_tells_the_story_with_exact_times_and_request_ids(
    small_office: Office, desk: Desk
) -> None:
    code = eventful(desk)
    page = open_page(small_office, f"{PATH}/{code}")
    lines = [line.text for line in page.all("div", class_="story__what")]
    assert len(lines) == len(say(desk, code))
    for line, sentence in zip(lines, say(desk, code), strict=True):
        assert sentence in line
    assert "Request callback-request" in lines[4]
    assert "Request door-1" in lines[12]
    assert "Request message-request" in lines[14]
    assert "Request reading-request" in lines[17]
    assert "still to come" in lines[19], "it has a moment that has not come"
    assert "Reason: asked by phone" in lines[19]
    with small_office.working():
        placed = db.session.scalars(sa.select(Order).where(Order.code == code)).one()
        assert f"Request {placed.request_id}" in lines[0] or not placed.request_id


def test_a_bank_account_is_never_shown_in_full(small_office: Office, desk: Desk) -> None:
    page = open_page(small_office, f"{PATH}/{eventful(desk)}")
    assert "Bank Senja ••• 655" in page.text
    assert ACCOUNT not in page.source
    assert "Sari Rahasia" not in page.source


def test_a_page_says_who_is_where(small_office: Office, desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    desk.admit(code, 1)
    [_, seats] = open_page(small_office, f"{PATH}/{code}").all("tbody")[:2]
    rows = [row.text for row in seats.walk() if row.tag == "tr"]
    assert "Sari Dewi" in rows[0] and "Inside" in rows[0] and "gate A" in rows[0]
    assert "Budi Santoso" in rows[1] and "Not here yet" in rows[1]


def test_an_order_nobody_made_is_not_found(small_office: Office) -> None:
    assert open_page(small_office, f"{PATH}/TXNOBODY").status == 404


def test_nothing_a_buyer_types_runs_as_html(small_office: Office, desk: Desk) -> None:
    ticket, evil = desk.add_ticket("<img src=x>"), "<img src=x>'\""
    request = OrderRequest(Buyer(evil, "x@example.com", "+628"), (WantedItem(ticket, 1, (evil,)),))
    with desk.working():
        settings = desk.app.extensions["settings"]
        code = place_order(request, now=desk.now(), settings=settings).code
    client = small_office.log_in(Role.FINANCE)
    for path in (PATH, f"{PATH}/{code}", f"{PATH}?q={evil}"):
        page = Page(client.get(path))
        assert evil in page.text
        assert not page.all("img")


@pytest.mark.parametrize("language", ["id", "en"])
def test_pages_are_well_built(small_office: Office, desk: Desk, language: str) -> None:
    code = eventful(desk)
    unpaid = desk.order(desk.add_ticket("VIP"))
    client = small_office.log_in(Role.FINANCE, language)
    for path in (PATH, f"{PATH}?q=sari", f"{PATH}?q=none", f"{PATH}/{code}", f"{PATH}/{unpaid}"):
        page = Page(client.get(path))
        assert page.all("html")[0].attributes["lang"] == language
        assert page.headers["Cache-Control"] == "no-store"
        check_references(path, page)
        check_nothing_inline(path, page)
        check_names(path, page)
        assert len(page.all("table")) == len(page.all("caption"))


def test_a_page_takes_as_many_statements_whatever_happened(
    small_office: Office, desk: Desk
) -> None:
    long, short = eventful(desk, times=4), desk.paid_order(desk.add_ticket("Other"))
    client = small_office.log_in(Role.FINANCE)
    counts = {}
    for path in (PATH, f"{PATH}?q=sari", f"{PATH}/{short}", f"{PATH}/{long}"):
        client.get(path)  # what is looked at only now and then is known afterwards
        with small_office.app.app_context(), listening(db.engine) as said:
            assert client.get(path).status_code == 200
        counts[path] = said.statements
        assert said.statements <= MOST_STATEMENTS, said
    assert counts[f"{PATH}/{short}"] == counts[f"{PATH}/{long}"]


def test_an_order_is_found_and_read_on_a_phone(
    small_office: Office, desk: Desk, phone: BrowserPage
) -> None:
    code = eventful(desk)
    email = small_office.hire(Role.FINANCE)
    with web_server(small_office.app) as address:
        log_in(phone, f"{address}{PATH}", email, lambda: fresh_code(small_office.app))
        expect(phone.locator(".orders li")).to_have_count(1)
        assert not violations(phone)
        phone.fill("#q", code.lower())
        phone.press("#q", "Enter")
        expect(phone.locator("h1")).to_contain_text(code)
        assert not violations(phone)
        assert phone.evaluate("document.documentElement.scrollWidth") == 360
