"""The daily close: a day is signed once, as it was shown; later changes become corrections."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.extensions import db
from app.models import (
    AuditEntry,
    DayClose,
    LedgerState,
    Reconciliation,
    ReconciliationLine,
    Role,
    Transaction,
    Verdict,
)
from app.services.money import postings
from app.services.money.daily_reconciliation import midnight
from app.services.office import day_close, day_look
from app.services.office.day_close import AlreadyClosed, DayChanged, ExplanationNeeded, NotClosable
from app.services.office.day_look import Blocker, DayLook
from tests.harness.statements import listening
from tests.office.money_history import History
from tests.pages.html import Page
from tests.staff.office import Office, send

ONE_DAY = timedelta(days=1)
BY = "dewi@tedxsenja.example"


@dataclass
class Books(History):
    """Sales of one ticket, and the close of their days."""

    ticket: int = 0

    @property
    def zone(self) -> tzinfo:
        return self.shop.settings.event.timezone

    def day(self, ago: int) -> date:
        return datetime.now(UTC).astimezone(self.zone).date() - ago * ONE_DAY

    def compare(self, first: date, last: date, *odd: tuple[Verdict, str]) -> None:
        """Leave a run of the reconciliation over these days, with lines that differ."""
        with self.shop.working():
            db.session.add(
                Reconciliation(
                    from_at=midnight(first, self.zone),
                    until_at=midnight(last + ONE_DAY, self.zone),
                    ran_at=midnight(last + ONE_DAY, self.zone) + timedelta(hours=4),
                    invoices=2,
                    differences=sum(verdict is not Verdict.MATCH for verdict, _ in odd),
                    lines=[_line(verdict, reference) for verdict, reference in odd],
                )
            )

    def change_the_fee(self) -> int:
        """Have Xendit tell another fee for the oldest sale, whose order's id is returned."""
        with self.shop.working():
            oldest = db.session.scalars(sa.select(Transaction).order_by(Transaction.id)).first()
            assert oldest
            oldest.fee += 500
            return oldest.order_id

    def look(self, day: date) -> DayLook:
        with self.app.app_context():
            return day_look.look_at(day, now=datetime.now(UTC), zone=self.zone)

    def close(self, day: date, explanation: str = "", *, seen: str | None = None) -> None:
        wanted = seen or self.look(day).seen
        with self.app.app_context():
            day_close.close_day(
                day,
                seen=wanted,
                explanation=explanation,
                by=BY,
                now=datetime.now(UTC),
                zone=self.zone,
            )

    def closes(self) -> list[DayClose]:
        with self.app.app_context():
            found = list(db.session.scalars(sa.select(DayClose).order_by(DayClose.id)))
            db.session.expunge_all()
            return found


def _line(verdict: Verdict, reference: str) -> ReconciliationLine:
    return ReconciliationLine(
        verdict=verdict,
        external_id=reference,
        invoice_id="662f",
        order_status="",
        payment_status="",
        xendit_status="PAID",
        paid_here=0,
        paid_there=150_000,
    )


@pytest.fixture
def books(sqlite_app: Flask) -> Books:
    """Two orders paid yesterday and one the day before, compared with Xendit."""
    return _fill(Books(sqlite_app))


def _fill(made: Books) -> Books:
    made.ticket = ticket = made.shop.add_ticket("Reguler", price=150_000, amount=20)
    made.sell(ticket, 1, ago=2 * ONE_DAY, fee=4_000, settled=True)
    made.sell(ticket, 2, ago=ONE_DAY, fee=4_000)
    made.sell(ticket, 1, ago=ONE_DAY)
    made.post()
    made.compare(made.day(2), made.day(1))
    return made


def test_the_figures_of_a_day_add_up(books: Books) -> None:
    look = books.look(books.day(1))

    figures = look.figures
    assert (figures.orders, figures.seats, figures.gross) == (2, 3, 450_000)
    assert (figures.received, figures.payments) == (450_000, 2)
    assert (figures.fee, figures.vat, figures.net) == (4_000, 440, 445_560)
    assert (look.pay_out.unknown, look.pay_out.waiting) == (1, 300_000 - 4_440)
    assert [(line.name, line.seats, line.amount) for line in look.tickets] == [
        ("Reguler", 3, 450_000)
    ]
    assert look.blockers == {Blocker.EARLIER_OPEN: books.day(2)}


def test_days_are_closed_one_after_the_other_in_a_chain_of_seals(books: Books) -> None:
    with pytest.raises(NotClosable):
        books.close(books.day(1))
    books.close(books.day(2))
    books.close(books.day(1))

    first, second = books.closes()
    assert second.previous_seal == first.seal
    assert second.sums["received.receivable"] == 450_000
    with books.app.app_context():
        assert day_close.find_broken_seal() is None
        assert day_close.is_as_signed(second)
        noted = db.session.scalars(sa.select(AuditEntry.action)).all()
    assert noted.count("day.closed") == 2


def test_an_altered_close_breaks_the_chain(books: Books) -> None:
    books.close(books.day(2))
    books.close(books.day(1))
    with books.shop.working():
        db.session.execute(sa.text("DROP TRIGGER day_closes_no_update"))
        db.session.execute(sa.update(DayClose).where(DayClose.id == 1).values(closed_by="somebody"))

    with books.app.app_context():
        assert day_close.find_broken_seal() == books.day(2)


@pytest.mark.parametrize("statement", ["UPDATE day_closes SET day = day", "DELETE FROM day_closes"])
def test_the_database_refuses_to_change_a_close(office: Office, statement: str) -> None:
    books = _fill(Books(office.app))
    books.close(books.day(2))

    with pytest.raises(DBAPIError, match="never changed"), books.shop.working():
        db.session.execute(sa.text(statement))


def test_what_comes_after_the_close_is_a_correction_on_the_next_day(books: Books) -> None:
    books.close(books.day(2))
    before = books.look(books.day(2)).figures
    late = books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    with books.app.app_context():
        postings.post_orders([late], now=datetime.now(UTC), zone=books.zone)

    assert books.look(books.day(2)).figures == before
    next_day = books.look(books.day(1))
    assert {line.corrects for line in next_day.corrections} == {books.day(2)}
    assert next_day.figures.gross == 600_000


def test_a_running_day_cannot_be_closed(books: Books) -> None:
    today = books.day(0)
    books.compare(today, today)

    with pytest.raises(NotClosable) as refused:
        books.close(today)
    assert refused.value.blockers == {Blocker.RUNNING: None}


def test_a_day_that_was_not_wholly_compared_cannot_be_closed(sqlite_app: Flask) -> None:
    books = Books(sqlite_app)
    books.sell(books.shop.add_ticket("Reguler"), ago=ONE_DAY)
    books.post()
    day = books.day(1)
    with books.shop.working():
        noon = midnight(day, books.zone) + timedelta(hours=12)
        after = midnight(day + ONE_DAY, books.zone) + timedelta(hours=4)
        half = Reconciliation(
            from_at=midnight(day, books.zone), until_at=noon, ran_at=after, invoices=0
        )
        half.differences = 0
        db.session.add(half)

    with pytest.raises(NotClosable) as refused:
        books.close(day)
    assert Blocker.NOT_RECONCILED in refused.value.blockers

    with books.shop.working():
        rest = Reconciliation(from_at=noon, until_at=after, ran_at=after, invoices=0, differences=0)
        db.session.add(rest)
    books.close(day)


def test_differences_want_an_explanation_that_is_kept(books: Books) -> None:
    day = books.day(2)
    books.compare(day, day, (Verdict.NOT_HERE, "TX99999999"))

    with pytest.raises(ExplanationNeeded):
        books.close(day, "   ")
    books.close(day, "From the rehearsal, on the same account.")

    [close] = books.closes()
    assert (close.differences, close.explanation) == (1, "From the rehearsal, on the same account.")


def test_a_difference_that_was_healed_since_needs_none(books: Books) -> None:
    day = books.day(2)
    books.compare(day, day, (Verdict.NOT_HERE, "TX99999999"))
    books.compare(day, day, (Verdict.MATCH, "TX99999999"))

    assert books.look(day).differences == []


def test_figures_that_changed_since_they_were_shown_are_not_signed(books: Books) -> None:
    shown = books.look(books.day(2)).seen
    books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    books.post()

    with pytest.raises(DayChanged):
        books.close(books.day(2), seen=shown)
    assert books.closes() == []


# --- at the same moment --------------------------------------------------------------------------


def _at_once(*acts: Callable[[], None]) -> list[Exception | None]:
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], None]) -> Exception | None:
        start.wait(timeout=20)
        try:
            act()
        except Exception as error:  # noqa: BLE001 (the caller looks at it)
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_who_close_at_once_one_does(mariadb_app: Flask) -> None:
    books = _fill(Books(mariadb_app))
    day = books.day(2)
    seen = books.look(day).seen

    outcomes = _at_once(*[lambda: books.close(day, seen=seen)] * 4)

    assert [type(each) for each in outcomes].count(type(None)) == 1
    assert all(isinstance(each, AlreadyClosed | type(None)) for each in outcomes)
    assert len(books.closes()) == 1


def test_no_posting_slips_into_a_day_while_it_is_closed(mariadb_app: Flask) -> None:
    books = _fill(Books(mariadb_app))
    _race_of_posting_and_closing(books)

    assert _unsigned(books) == {}


def test_without_the_lock_a_posting_slips_in(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the state is read without its lock, and no trigger guards the day."""
    books = _fill(Books(mariadb_app))
    monkeypatch.setattr(postings, "lock_state", lambda session: session.get_one(LedgerState, 1))
    with books.shop.working():
        for table in ("ledger_postings", "ledger_entries"):
            db.session.execute(sa.text(f"DROP TRIGGER {table}_closed_day"))
    try:
        _race_of_posting_and_closing(books)
        assert _unsigned(books) != {}
    finally:
        _guard_again(books)


def _race_of_posting_and_closing(books: Books) -> None:
    """Hold a posting open, after it looked which day is closed, until somebody tries to close."""
    late = books.change_the_fee()
    day, seen = books.day(2), books.look(books.day(2)).seen
    has_looked, may_write = threading.Event(), threading.Event()
    write = postings._write

    def slow(*arguments: object) -> None:
        has_looked.set()
        may_write.wait(timeout=2)
        write(*arguments)  # type: ignore[arg-type]

    def post() -> None:
        with books.app.app_context(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(postings, "_write", slow)
            postings.post_orders([late], now=datetime.now(UTC), zone=books.zone)

    def close() -> None:
        assert has_looked.wait(timeout=10)
        try:
            books.close(day, seen=seen)
        except DayChanged:
            books.close(day)
        finally:
            may_write.set()

    for outcome in _at_once(post, close):
        assert outcome is None, outcome


def _unsigned(books: Books) -> dict[str, int]:
    """Return what the closed day's entries say beyond what was signed."""
    [close] = books.closes()
    with books.app.app_context():
        now = day_look.add_up_entries(db.session(), close.day)
    return {key: now[key] for key in now if now[key] != close.sums.get(key)}


def _guard_again(books: Books) -> None:
    closed = "NEW.day <= (SELECT closed_until FROM ledger_state WHERE id = 1)"
    signal = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the day is closed'"
    with books.shop.working():
        for table in ("ledger_postings", "ledger_entries"):
            db.session.execute(
                sa.text(
                    f"CREATE TRIGGER {table}_closed_day BEFORE INSERT ON {table} "
                    f"FOR EACH ROW IF {closed} THEN {signal}; END IF"
                )
            )


# --- the pages -----------------------------------------------------------------------------------


def test_a_treasurer_closes_the_days(small_office: Office) -> None:
    books = _fill(Books(small_office.app))
    client = small_office.log_in(Role.FINANCE)
    page = Page(client.get("/staff/finance/days"))
    assert f"/staff/finance/days/{books.day(2)}" in page.source
    assert "Next to close" in page.text

    where = f"/staff/finance/days/{books.day(2)}"
    assert "Close this day" in Page(client.get(where)).text
    seen = Page(client.get(f"{where}/close")).fields["seen"]
    answer = send(client, f"{where}/close", seen=seen)

    assert answer.status == 303
    page = Page(client.get(answer.headers["Location"]))
    assert "Closed by finance@tedxsenja.example" in page.text
    assert "Close this day" not in page.text


def test_a_day_that_changed_is_shown_again_with_what_was_typed(small_office: Office) -> None:
    books = _fill(Books(small_office.app))
    client = small_office.log_in(Role.FINANCE)
    where = f"/staff/finance/days/{books.day(2)}/close"

    answer = send(client, where, seen="stale", explanation="All is well.")

    assert answer.status == 409
    assert "The figures changed while you looked" in answer.text
    assert "All is well." in answer.text
    assert books.closes() == []


def test_an_explanation_is_asked_for(small_office: Office) -> None:
    books = _fill(Books(small_office.app))
    books.compare(books.day(2), books.day(2), (Verdict.NOT_THERE, "TX99999999"))
    client = small_office.log_in(Role.FINANCE)
    where = f"/staff/finance/days/{books.day(2)}/close"
    page = Page(client.get(where))
    assert "unknown to Xendit" in page.text

    assert send(client, where, seen=page.fields["seen"]).status == 422
    answer = send(client, where, seen=page.fields["seen"], explanation="A test invoice.")
    assert answer.status == 303


@pytest.mark.parametrize("day", ["nonsense", "2999-01-01"])
def test_a_day_that_cannot_be_is_not_found(small_office: Office, day: str) -> None:
    client = small_office.log_in(Role.FINANCE)

    assert client.get(f"/staff/finance/days/{day}").status_code == 404


def test_the_pages_ask_the_database_little(office: Office) -> None:
    books = _fill(Books(office.app))
    books.compare(books.day(1), books.day(1), (Verdict.NOT_THERE, "TX99999999"))
    books.close(books.day(2))
    books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    books.post()
    client = office.log_in(Role.FINANCE)
    with office.app.app_context():
        engine = db.engine
    for path in ("", f"/{books.day(1)}", f"/{books.day(2)}"):
        with listening(engine) as spoken:
            assert client.get(f"/staff/finance/days{path}").status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"
