"""Exports: their sums are the ledger's, nothing in them runs, and they end with their day."""

import csv
import io
import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app import worker
from app.extensions import db
from app.models import (
    Account,
    CorrectionKind,
    ETicket,
    ExportFormat,
    ExportKind,
    ExportStatus,
    Job,
    Movement,
    Order,
    Refund,
    RefundStatus,
    Role,
)
from app.services.money import ledger
from app.services.office import export_reading, export_tables, exports
from app.services.running import jobs
from tests.office.money_history import DESK, History
from tests.pages.html import Page
from tests.staff.office import Office, send

JAKARTA = ZoneInfo("Asia/Jakarta")
PAGE = "/staff/finance/exports"


@pytest.fixture
def history(sqlite_app: Flask) -> History:
    return History(sqlite_app)


def read_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def column(rows: list[list[str]], name: str) -> list[str]:
    """Return the cells of a column, the last line's left out."""
    index = rows[0].index(name)
    return [row[index] for row in rows[1:-1]]


def total(rows: list[list[str]], name: str) -> int:
    """Return what the last line says a column adds up to, having added it up."""
    said = int(rows[-1][rows[0].index(name)])
    assert said == sum(int(cell or 0) for cell in column(rows, name))
    return said


# --- the sums -----------------------------------------------------------------------------------

NUMBERS = itertools.count()  # examples share a database, and tickets have names of their own
DEALS = st.lists(
    st.tuples(
        st.sampled_from(["cheap", "dear", "free"]),
        st.integers(min_value=1, max_value=4),
        st.sampled_from(["QRIS", "BCA", "DANA"]),
        st.integers(min_value=0, max_value=25),
        st.sampled_from([0, 1, 4_500]),
        st.sampled_from(["kept", "kept", "settled", "cancelled", "refunded", "cheaper"]),
    ),
    min_size=1,
    max_size=6,
)


def play(history: History, deals: list[tuple[str, int, str, int, int, str]]) -> None:
    """Sell, settle, cancel and refund as the deals say, on tickets of their own."""
    prices = {"cheap": 1, "dear": 333_333, "free": 0}
    number = next(NUMBERS)
    tickets = {
        name: history.shop.add_ticket(f"{name} {number}", price=price)
        for name, price in prices.items()
    }
    for name, quantity, channel, days, fee, end in deals:
        is_free = name == "free"
        order_id = history.sell(
            tickets[name],
            quantity,
            channel=channel,
            ago=timedelta(days=days),
            fee=0 if is_free or prices[name] * quantity <= 2 * fee else fee,
            settled=end == "settled",
        )
        if end in ("cancelled", "refunded"):
            history.cancel(order_id)
        if end == "cheaper" and not is_free:
            history.give_back(order_id, 1)
        if end in ("refunded", "cheaper"):
            history.finish_refunds(order_id)
    history.withdraw(1_000 + number, fee=number)
    history.correct(CorrectionKind.CHARGED, 3)


@settings(max_examples=4)
@given(deals=DEALS)
def test_whatever_was_sold_the_exports_add_up_to_the_ledger_and_to_the_orders(
    history: History, deals: list[tuple[str, int, str, int, int, str]]
) -> None:
    play(history, deals)
    history.post()
    rows = {kind: read_csv(history.export(kind)) for kind in ExportKind}
    with history.app.app_context():
        sums = ledger.list_sums(date(2000, 1, 1), date(2100, 1, 1))
        lines = ledger.list_lines(date(2000, 1, 1), date(2100, 1, 1), limit=100_000)
        orders = db.session.scalars(sa.select(Order).where(Order.paid_at.is_not(None))).all()
        kept = sum(order.total for order in orders if order.is_paid)
        came = sum(order.total for order in orders)
        done = Refund.status == RefundStatus.DONE_BY_HAND
        back = sum(db.session.scalars(sa.select(Refund.amount).where(done)))
        valid = db.session.scalar(
            sa.select(sa.func.count(ETicket.id)).where(ETicket.revoked_at.is_(None))
        )
    sales = -ledger.add_up(sums, Account.SALES)
    assert total(rows[ExportKind.ORDERS], "Amount (Rp)") == sales == kept
    assert total(rows[ExportKind.ITEMS], "Amount (Rp)") == sales
    received = ledger.add_up(sums, Account.RECEIVABLE, of=Movement.RECEIVED)
    assert total(rows[ExportKind.PAYMENTS], "Amount (Rp)") == received == came
    fees = [line for line in lines if line.account is Account.FEE]
    of_payments = sum(line.amount for line in fees if line.order_code)
    assert total(rows[ExportKind.PAYMENTS], "Fee (Rp)") == of_payments
    assert sum(line.amount for line in fees) == ledger.add_up(sums, Account.FEE) > of_payments
    assert total(rows[ExportKind.PAYMENTS], "VAT on the fee (Rp)") == ledger.add_up(
        sums, Account.VAT
    )
    refunded = ledger.add_up(sums, Account.REFUNDS_OWED, of=Movement.REFUNDED)
    assert total(rows[ExportKind.REFUNDS], "Amount (Rp)") == refunded == back
    books = rows[ExportKind.LEDGER]
    assert total(books, "Debit (Rp)") == total(books, "Credit (Rp)")
    assert {"paid_out", "corrected"} < set(column(books, "What"))
    assert len(rows[ExportKind.ATTENDEES]) - 2 == valid
    assert total(rows[ExportKind.ORDERS], "Seats") == valid


def test_the_same_rows_come_whatever_the_size_of_a_batch(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(app)
    play(history, [("dear", 2, "QRIS", day, 4_500, "cancelled") for day in range(5)])
    history.post()
    whole = {kind: history.export(kind) for kind in ExportKind}
    for kind in ExportKind:
        for batch in (1, 2):
            for module in (export_reading, export_tables):
                monkeypatch.setattr(module, "BATCH", batch)
            assert history.export(kind) == whole[kind], kind
        monkeypatch.undo()


def test_a_spreadsheet_holds_what_the_text_file_holds(history: History) -> None:
    play(history, [("dear", 2, "QRIS", 1, 4_500, "settled"), ("cheap", 1, "BCA", 0, 0, "refunded")])
    history.post()
    for kind in ExportKind:
        text = read_csv(history.export(kind))
        book = openpyxl.load_workbook(io.BytesIO(history.export(kind, ExportFormat.XLSX)))
        cells = [[_as_text(cell.value) for cell in row] for row in book.active.iter_rows()]
        assert cells == text, kind


def _as_text(value: object) -> str:
    """Return a cell of a spreadsheet as the text file writes it."""
    if isinstance(value, datetime):
        is_day = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return f"{value:%Y-%m-%d}" if is_day else f"{value.replace(microsecond=0)}"
    return "" if value is None else str(value)


# --- the life of a file -------------------------------------------------------------------------


def ask(client: FlaskClient, kind: str = "orders", file_format: str = "csv") -> Page:
    return send(client, PAGE, kind=kind, format=file_format, since="2020-01-01", until="2030-01-01")


def work(office: Office) -> None:
    """Do the jobs of exports that are due, as a worker does."""
    with office.app.app_context():
        while job := jobs.claim(datetime.now(UTC), (exports.MAKE, exports.ERASE)):
            worker._do(job)


def test_a_file_is_asked_for_made_and_taken(small_office: Office) -> None:
    history = History(small_office.app)
    history.sell(history.shop.add_ticket())
    history.post()
    client = small_office.log_in(Role.FINANCE)
    where = ask(client).headers["Location"]
    waiting = client.get(where)
    assert waiting.headers["Refresh"], "the page looks again by itself"
    assert client.get(f"{where}/file").status_code == 404, "not made yet"
    work(small_office)
    ready = client.get(where)
    assert "Refresh" not in ready.headers
    assert "Rp 500.000" in Page(ready).text
    taken = client.get(f"{where}/file")
    assert taken.headers["Content-Disposition"].startswith("attachment; filename=orders-2020")
    assert total(read_csv(taken.data), "Amount (Rp)") == 500_000
    assert int(taken.headers["Content-Length"]) == len(taken.data)


@pytest.mark.parametrize("kind", ["", "nonsense"])
def test_an_unknown_kind_is_asked_for_again_with_what_was_typed(
    small_office: Office, kind: str
) -> None:
    page = ask(small_office.log_in(Role.FINANCE), kind, "csv")
    assert page.status == 422
    assert "Choose what to export." in page.text
    assert page.fields["format"] == "csv"


def test_after_a_day_the_file_is_refused_and_erased(small_office: Office) -> None:
    history, client = History(small_office.app), small_office.log_in(Role.FINANCE)
    where = ask(client).headers["Location"]
    work(small_office)
    assert history.count_parts() == 1
    with small_office.working():
        past = datetime.now(UTC) - timedelta(seconds=1)
        db.session.execute(sa.text("UPDATE exports SET expires_at = :at"), {"at": past})
        db.session.execute(sa.update(Job).where(Job.kind == exports.ERASE).values(due_at=past))
    assert client.get(f"{where}/file").status_code == 404
    work(small_office)
    assert history.count_parts() == 0
    assert history.last_export().status is ExportStatus.ERASED
    assert "was erased" in Page(client.get(where)).text


def test_more_than_five_at_once_are_refused(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)
    assert [ask(client).status for _ in range(6)] == [303] * 5 + [409]


def test_asking_and_taking_stand_in_the_log_of_changes(small_office: Office) -> None:
    client = small_office.log_in(Role.ADMIN)
    where = ask(client).headers["Location"]
    work(small_office)
    client.get(f"{where}/file").close()
    log = Page(client.get("/staff/audit")).text
    assert "asked for an export" in log
    assert "took an export" in log


def test_of_two_workers_at_one_file_the_later_goes_on_and_the_earlier_leaves(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease ran out: the second begins in the middle of the first, which must add nothing."""
    history.sell(history.shop.add_ticket())
    history.post()
    keep, now = exports._keep, datetime.now(UTC)

    def overtaken_while_keeping(export_id: int, run: str, path: Path) -> int:
        monkeypatch.setattr(exports, "_keep", keep)
        exports.make(export_id, clock=lambda: now, zone=JAKARTA)
        return keep(export_id, run, path)

    monkeypatch.setattr(exports, "_keep", overtaken_while_keeping)
    assert total(read_csv(history.export(ExportKind.ORDERS)), "Amount (Rp)") == 500_000
    assert history.count_parts() == 1
    assert history.last_export().status is ExportStatus.READY


def test_a_file_that_takes_long_keeps_its_jobs_lease(history: History) -> None:
    now = datetime.now(UTC)
    with history.app.app_context():
        today = now.astimezone(JAKARTA).date()
        exports.ask(
            ExportKind.LEDGER, ExportFormat.CSV, today, today, locale="id", by=DESK, now=now
        )
        claim = jobs.claim(now, (exports.MAKE,))
        assert claim
        later = now + jobs.LEASE - timedelta(seconds=1)
        exports.make(claim.payload["export_id"], clock=lambda: later, zone=JAKARTA)
        due_at = db.session.scalar(sa.select(Job.due_at).where(Job.id == claim.id))
        assert due_at == later + jobs.LEASE
