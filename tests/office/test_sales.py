"""The finance overview: every table adds up, to the others, to the ledger and to the orders."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Account, CorrectionKind, ExportKind, Role, Ticket
from app.services.money import ledger
from app.services.office import sales
from app.services.office.sales import Overview, Standing
from tests.harness.statements import listening
from tests.office.money_history import History
from tests.pages.html import Element, Page
from tests.staff.office import Office

MOST_STATEMENTS = 12


@pytest.fixture
def history(sqlite_app: Flask) -> History:
    return History(sqlite_app)


def fill(history: History) -> None:
    """Sell by two channels over three days, with fees, refunds, and money that came too late."""
    cheap = history.shop.add_ticket("Pelajar", price=100_000)
    dear = history.shop.add_ticket("Reguler", price=250_000)
    free = history.shop.add_ticket("Undangan", price=0)
    history.sell(cheap, 3, channel="BCA", ago=timedelta(days=2), fee=4_000, settled=True)
    history.sell(dear, 2, channel="QRIS", ago=timedelta(days=1), fee=3_500)
    history.sell(dear, 1, channel="QRIS")
    history.sell(free, 1)
    back = history.sell(dear, 1, channel="BCA", fee=4_000)
    history.cancel(back)
    history.finish_refunds(back)
    history.cancel(history.sell(cheap, 1, channel="QRIS"))
    history.come_late(dear)
    history.shop.order(cheap, quantity=1)
    history.post()


def look(history: History, days: int = 30) -> tuple[Overview, Standing]:
    now, zone = history.now, history.app.extensions["settings"].event.timezone
    today = now.astimezone(zone).date()
    with history.app.app_context():
        return (
            sales.look(today - timedelta(days=days), today),
            sales.look_at_now(now, zone),
        )


def test_each_table_adds_up_to_the_same(history: History) -> None:
    fill(history)
    found, _ = look(history)
    for rows in (found.tickets, found.channels, [day.sales for day in found.days]):
        for figure in ("seats", "gross", "seats_back", "taken_back", "net"):
            assert sum(getattr(row, figure) for row in rows) == getattr(found.total, figure)
    assert sum(day.received for day in found.days) == found.received
    assert sum(day.refunded for day in found.days) == found.refunded
    assert (found.total.gross, found.total.taken_back) == (1_400_000, 350_000)
    assert {one.name: one.net for one in found.tickets} == {
        "Pelajar": 300_000,
        "Reguler": 750_000,
        "Undangan": 0,
    }
    assert {one.name: one.net_seats for one in found.channels} == {"BCA": 3, "QRIS": 3, "": 1}


def test_from_the_price_to_the_payout_no_rupiah_is_missing(history: History) -> None:
    fill(history)
    flow = look(history)[0].flow
    assert flow.net == flow.settled - flow.sent_back - flow.by_hand + flow.unsettled
    assert flow.fee + flow.vat == (4_000 + 3_500 + 4_000) * 111 // 100
    assert flow.sales == 1_050_000
    assert flow.undecided + flow.owed == 500_000 + 100_000, "came too late; taken back, not sent"
    assert flow.by_hand == 250_000
    assert flow.settled == 300_000 - 4_440


def test_what_stands_now_says_what_is_open_owed_and_expected(history: History) -> None:
    fill(history)
    _, now = look(history)
    assert (now.open_orders, now.open_total) == (1, 100_000)
    assert now.undecided + now.owed == 600_000
    assert sum(one.amount for one in now.expected) + now.without_fee == now.unsettled
    assert sum(one.amount for one in now.expected) == 500_000 - 3_885 + 250_000 - 4_440


def test_a_payout_that_is_late_is_told_apart(history: History) -> None:
    order = history.sell(history.shop.add_ticket(), 1, ago=timedelta(days=5), fee=4_000)
    assert order
    history.post()
    [late] = look(history)[1].expected
    assert (late.is_late, late.amount) == (True, 250_000 - 4_440)


def test_only_the_days_asked_for_are_counted(history: History) -> None:
    fill(history)
    found, _ = look(history, days=0)
    assert found.total.gross == 250_000 * 2 + 100_000
    assert [day.day for day in found.days] == [found.last]


def test_the_overview_and_the_export_say_the_same(history: History) -> None:
    fill(history)
    history.export(ExportKind.ORDERS)
    assert history.last_export().total == look(history)[0].total.net
    history.export(ExportKind.PAYMENTS)
    assert history.last_export().total == look(history)[0].received


# --- the page -----------------------------------------------------------------------------------


def foot(page: Page, table: str) -> list[str]:
    """Return the last line of the table with this caption."""
    [found] = [e for e in page.all("table") if any(_is_caption(c, table) for c in e.walk())]
    [last] = [e for e in found.walk() if e.tag == "tfoot"]
    return [cell.text for cell in last.walk() if cell.tag in ("th", "td")]


def _is_caption(element: Element, name: str) -> bool:
    return element.tag == "caption" and element.attributes.get("id") == name


def test_the_page_shows_the_sums(small_office: Office) -> None:
    fill(History(small_office.app))
    page = Page(small_office.log_in(Role.FINANCE).get("/staff/finance"))
    sums = ["7", "Rp 1.400.000", "−Rp 350.000", "Rp 1.050.000"]
    assert foot(page, "by-ticket")[1:] == foot(page, "by-channel")[1:] == sums
    assert foot(page, "by-day")[1:4] == ["6", "7", "Rp 1.050.000"]


def test_a_sale_that_has_not_begun_is_told_in_a_sentence(small_office: Office) -> None:
    page = Page(small_office.log_in(Role.FINANCE).get("/staff/finance"))
    assert "Nothing was sold or paid on these days." in page.text
    page = Page(small_office.log_in(Role.ADMIN).get("/staff/finance/ledger"))
    assert "Nothing was booked on these days." in page.text


@pytest.mark.parametrize(
    "days",
    [
        "since=x&until=9999-99-99",
        "since=2030-01-01&until=2020-01-01",
        "since=0001-01-01",
        "after=99999999999999999999&account=nonsense",
        "after=-1",
    ],
)
def test_days_that_are_none_break_nothing(small_office: Office, days: str) -> None:
    client = small_office.log_in(Role.FINANCE)
    for path in ("/staff/finance", "/staff/finance/ledger", "/staff/finance/exports"):
        assert client.get(f"{path}?{days}").status_code == 200


def test_the_number_of_statements_does_not_grow_with_what_was_sold(office: Office) -> None:
    history, client = History(office.app), office.log_in(Role.FINANCE)
    client.get("/staff/finance")  # the first answer notes that the session is in use
    counts: list[int] = []
    for _ in range(2):
        ticket_id = history.shop.add_ticket(f"Kind {len(counts)}")
        for number in range(3):
            history.sell(ticket_id, ago=timedelta(days=number + 4 * len(counts)), fee=1_000)
        history.post()
        for path in ("/staff/finance", "/staff/finance/ledger", "/staff/finance/exports"):
            with office.app.app_context(), listening(db.engine) as spoken:
                assert client.get(path).status_code == 200
            counts.append(spoken.statements)
            assert spoken.statements <= MOST_STATEMENTS, spoken
    assert counts[:3] == counts[3:]


def test_the_ledger_is_turned_page_by_page_and_each_line_is_seen_once(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routes.staff_finance.LINES", 7)
    history = History(small_office.app)
    fill(history)
    client, path, amounts = small_office.log_in(Role.FINANCE), "/staff/finance/ledger", 0
    while path:
        page = Page(client.get(path))
        [body] = page.all("tbody")
        amounts += sum(element.tag == "tr" for element in body.walk())
        links = [e for e in page.all("a", class_="button button--quiet") if e.text == "Next page"]
        path = links[0].attributes["href"] if links else ""
    with small_office.app.app_context():
        everything = ledger.list_lines(*(ledger.find_period() or ()), limit=100_000)
    assert amounts == len(everything)


def test_the_ledger_can_be_narrowed_to_an_account(small_office: Office) -> None:
    fill(History(small_office.app))
    client = small_office.log_in(Role.FINANCE)
    page = Page(client.get("/staff/finance/ledger?account=bank"))
    [body] = page.all("tbody")
    assert "−Rp 250.000" in body.text
    assert {"Own bank account"} == {
        row.text for row in body.walk() if row.tag == "td" and row.text in ACCOUNTS
    }


ACCOUNTS = {"Own bank account", "Sales", "Money of buyers", "Refunds promised"}


def test_a_ticket_keeps_its_place_in_the_catalogue(history: History) -> None:
    first, second = history.shop.add_ticket("B"), history.shop.add_ticket("A")
    with history.shop.working():
        db.session.execute(sa.update(Ticket).where(Ticket.id == second).values(position=9))
    for ticket_id in (second, first):
        history.sell(ticket_id, 1)
    history.post()
    assert [one.name for one in look(history)[0].tickets] == ["B", "A"]
    with history.app.app_context():
        assert ledger.balances()[Account.SALES] == -500_000


def test_what_was_paid_out_is_found_again_at_the_bank(history: History) -> None:
    fill(history)
    history.withdraw(200_000, fee=2_500)
    history.correct(CorrectionKind.CHARGED, 1_500)
    found, now = look(history)
    flow = found.flow

    assert (flow.paid_out, flow.charged, flow.entered) == (200_000, 2_500, -1_500)
    assert flow.in_balance == now.balance == 300_000 - 4_440 - 204_000
    assert flow.net == flow.in_balance + flow.at_bank - flow.by_hand + flow.unsettled
    assert flow.fee + flow.vat == (4_000 + 3_500 + 4_000) * 111 // 100 + 4_000
