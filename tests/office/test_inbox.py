"""The inbox: everything that waits for a person stands in it once, and leaves when it is done."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.extensions import db
from app.models import (
    AuditEntry,
    Job,
    JobStatus,
    Mail,
    MoneyCase,
    Reconciliation,
    ReconciliationLine,
    Refund,
    RefundStatus,
    RefundWay,
    Role,
    Source,
    Verdict,
)
from app.services.office import inbox, inbox_notes
from app.services.office.demo.making import plan_demo, write_demo
from app.services.office.inbox import Entry
from app.services.running.transaction import transaction
from tests.harness.statements import listening
from tests.pages.html import Page
from tests.staff.office import TESTS, Office, send

NOW = datetime.now(UTC)
PATH = "/staff/cases"


@pytest.fixture
def busy(office: Office) -> Office:
    """An office with a made-up sale: of everything that can wait there is some."""
    with office.working():
        sell(office)
    return office


@pytest.fixture
def small(small_office: Office) -> Office:
    """The same on SQLite only."""
    with small_office.working():
        sell(small_office)
    return small_office


def sell(office: Office) -> None:
    """Make sure that each source has something; which of a refund's states, chance would say."""
    settings = office.app.extensions["settings"]
    demo = plan_demo(60, seed=3, is_added=False, now=NOW, settings=settings)
    assert sum(write_demo(demo)) == 60
    with transaction() as session:
        by_hand = session.scalars(sa.select(Refund).where(Refund.way == RefundWay.BY_HAND)).all()
        for refund in by_hand[:2]:
            refund.status, refund.finished_at, refund.created_at = RefundStatus.DUE, None, NOW
        by_hand[0].account_number = "1234567890"
        newest = sa.select(sa.func.max(Mail.id)).scalar_subquery()
        refused = session.scalars(sa.select(Mail).where(Mail.id == newest)).one()
        refused.refused_because = "550 no such mailbox"


def all_entries() -> list[Entry]:
    """Return everything that waits, page after page."""
    page = inbox.list_waiting(now=NOW)
    entries = list(page.entries)
    while page.rest:
        page = inbox.list_waiting(now=NOW, beyond=page.rest)
        entries += page.entries
    return entries


def first(source: Source) -> Entry:
    """Return the oldest entry of a source."""
    return next(entry for entry in all_entries() if entry.source is source)


def address(entry: Entry) -> str:
    return f"{PATH}/{entry.source.value}/{entry.key}"


def act(client: FlaskClient, entry: Entry, what: str, **fields: object) -> Page:
    """Send one of the forms of an entry's page, as the page shows it."""
    where = address(entry)
    return send(client, f"{where}/{what}", page=where, **{"shown": entry.version} | fields)


def test_everything_that_waits_is_listed_once_and_the_oldest_first(busy: Office) -> None:
    with busy.working():
        entries = all_entries()

        assert {entry.source for entry in entries} == set(Source)
        assert len({(entry.source, entry.key) for entry in entries}) == len(entries)
        assert [entry.opened_at for entry in entries] == sorted(one.opened_at for one in entries)
        assert inbox.count_waiting(now=NOW) == len(entries)


def test_pages_go_on_where_the_last_one_ended(
    busy: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with busy.working():
        at_once = all_entries()
        monkeypatch.setattr(inbox, "PAGE_LENGTH", 2)

        assert all_entries() == at_once


def test_every_entry_has_a_page_with_its_facts(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entries = all_entries()
    for entry in entries:
        page = Page(client.get(address(entry)))

        assert page.status == 200, address(entry)
        assert entry.order_code is None or entry.order_code in page.source


def test_an_empty_inbox_says_so_calmly(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)

    page = Page(client.get(PATH))

    assert "Nothing waits for anybody." in page.root.text
    assert not page.all("span", class_="badge")


def test_the_navigation_says_how_much_waits_to_those_who_may_look(small: Office) -> None:
    with small.working():
        number = inbox.count_waiting(now=NOW)
    page = Page(small.log_in(Role.FINANCE).get(PATH))
    badges = [one.children[0] for one in page.all("span", class_="badge")]

    assert badges
    assert set(badges) == {str(number)}
    assert "badge" not in Page(small.log_in(Role.DOOR).get("/staff/me")).source


def test_somebody_takes_an_entry_hands_it_over_and_all_of_it_is_in_the_log(small: Office) -> None:
    client, colleague = small.log_in(Role.FINANCE), small.hire(Role.ADMIN)
    with small.working():
        entry = first(Source.CASE)
        ids = {one.email: one.id for one in inbox.list_owners()}
    me = next(email for email in ids if email != colleague)

    assert act(client, entry, "owner", owner_id=ids[me]).status == 303
    assert "yours" in Page(client.get(f"{PATH}?mine=1")).root.text
    with small.working():
        entry = first(Source.CASE)
    assert act(client, entry, "owner", owner_id=ids[colleague]).status == 303

    with small.working():
        entry = first(Source.CASE)
        assert entry.owner and entry.owner.email == colleague
        log = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.subject_kind == "inbox"))
        changes = [one.changes["looked_after_by"] for one in log]
    assert changes == [[None, me], [me, colleague]]
    assert "taken nothing" in Page(client.get(f"{PATH}?mine=1")).root.text


def test_two_who_take_the_same_at_once_do_not_both_have_it(busy: Office) -> None:
    client = busy.log_in(Role.FINANCE)
    busy.hire(Role.ADMIN)
    with busy.working():
        entry = first(Source.REFUND)
        one, other = (person.id for person in inbox.list_owners())
    assert act(client, entry, "owner", owner_id=one).status == 303

    late = act(client, entry, "owner", owner_id=other)

    assert late.status == 409
    assert "meanwhile" in late.root.text
    with busy.working():
        owner = first(Source.REFUND).owner
    assert owner and owner.id == one


def test_nobody_of_the_door_can_be_given_an_entry(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    small.hire(Role.DOOR)
    with small.working():
        entry = first(Source.CASE)
        door = db.session.scalar(sa.text("SELECT id FROM staff WHERE role = 'door'"))

    assert act(client, entry, "owner", owner_id=door).status == 422


def test_a_note_is_kept_and_a_stale_one_is_not_lost(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entry = first(Source.CASE)
    assert act(client, entry, "note", words="Called, comes back tomorrow").status == 303
    assert "Called, comes back tomorrow" in Page(client.get(PATH)).root.text

    late = act(client, entry, "note", words="What I had typed")

    assert late.status == 409
    assert "What I had typed" in late.source


@pytest.mark.parametrize("source", [Source.MAIL, Source.DIFFERENCE, Source.JOB])
def test_what_a_word_ends_is_closed_with_it_and_never_without(
    small: Office, source: Source
) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entry = first(source)

    assert act(client, entry, "close", words="  ").status == 422
    assert act(client, entry, "close", words="Spoke to the bank").status == 303

    with small.working():
        assert (source, entry.key) not in {(one.source, one.key) for one in all_entries()}
        reasons = db.session.scalars(
            sa.select(AuditEntry.reason).where(AuditEntry.action == "inbox.closed")
        )
        assert reasons.all() == ["Spoke to the bank"]
    assert client.get(address(entry)).status_code == 404


def test_money_is_never_closed_by_a_word(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    for source in (Source.CASE, Source.REFUND):
        with small.working():
            entry = first(source)

        assert act(client, entry, "close", words="Never mind").status == 404
        with small.working(), pytest.raises(ValueError, match="not closed by word"):
            inbox_notes.close(entry, "Never mind", shown=0, by=TESTS, now=NOW)


def test_work_that_was_given_up_is_tried_again_once(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entry = first(Source.JOB)

    assert act(client, entry, "retry").status == 303
    with small.working():
        job = db.session.get_one(Job, int(entry.key))
        assert (job.status, job.attempts) == (JobStatus.OPEN, 0)
        assert entry.key not in {one.key for one in all_entries() if one.source is Source.JOB}
        with pytest.raises(inbox_notes.StaleEntry):
            inbox_notes.retry_job(entry, shown=0, by=TESTS, now=NOW)


def test_a_letter_leaves_the_inbox_when_a_later_one_arrives(small: Office) -> None:
    with small.working():
        entry = first(Source.MAIL)
        refused = db.session.get_one(Mail, int(entry.key))
        copy = {
            column.key: getattr(refused, column.key)
            for column in sa.inspect(Mail).columns
            if column.key != "id"
        }
    with small.working(), transaction() as session:
        session.add(Mail(**copy | {"refused_because": None, "name": "etickets_again"}))
    with small.working():
        assert entry.key not in {one.key for one in all_entries() if one.source is Source.MAIL}


def add_line(verdict: Verdict, invoice_id: str) -> None:
    """Have a later run find something about an invoice."""
    with transaction() as session:
        run = Reconciliation(from_at=NOW, until_at=NOW, ran_at=NOW, invoices=1, differences=0)
        session.add(run)
        session.flush()
        states = dict.fromkeys(("order_status", "payment_status", "xendit_status"), "")
        session.add(
            ReconciliationLine(
                reconciliation_id=run.id,
                verdict=verdict,
                external_id="TXAAAAAAAA",
                invoice_id=invoice_id,
                paid_here=0,
                paid_there=1000,
                **states,
            )
        )


def test_a_difference_is_one_entry_however_many_runs_find_it(small: Office) -> None:
    with small.working():
        for _run in range(2):
            add_line(Verdict.NOT_HERE, "f" * 24)
        found = [one for one in all_entries() if one.key == f"not_here:{'f' * 24}"]

        assert len(found) == 1


def test_a_difference_leaves_when_a_later_run_finds_all_in_order(small: Office) -> None:
    with small.working():
        before = inbox.count_waiting(now=NOW)
        add_line(Verdict.NOT_THERE, "e" * 24)
        assert inbox.count_waiting(now=NOW) == before + 1

        add_line(Verdict.HEALED, "e" * 24)

        assert inbox.count_waiting(now=NOW) == before


def test_a_difference_that_a_case_is_about_is_not_told_twice(small: Office) -> None:
    with small.working():
        before = inbox.count_waiting(now=NOW)
        invoice_id = db.session.scalars(sa.select(MoneyCase.invoice_id)).first()
        add_line(Verdict.AMOUNT_DIFFERS, invoice_id or "")

        assert inbox.count_waiting(now=NOW) == before


def test_a_refund_under_way_at_xendit_waits_for_nobody_until_it_is_late(small: Office) -> None:
    with small.working():
        refund_id = db.session.scalars(sa.select(Refund.id)).first()
        for age, is_listed in ((timedelta(hours=1), False), (timedelta(days=8), True)):
            with transaction() as session:
                sent = sa.update(Refund).where(Refund.id == refund_id)
                values = {"status": RefundStatus.SENT, "created_at": NOW - age}
                session.execute(sent.values(values))
            keys = {one.key for one in all_entries() if one.source is Source.REFUND}

            assert (str(refund_id) in keys) is is_listed


def test_the_pages_take_few_statements_however_much_waits(busy: Office) -> None:
    client = busy.log_in(Role.FINANCE)
    with busy.working():
        entries = [address(first(source)) for source in Source]
        engine = db.engine
    for path in (PATH, *entries):
        busy.app.extensions.pop("inbox_count", None)
        with listening(engine) as spoken:
            assert client.get(path).status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"


def test_what_does_not_wait_is_not_found(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)
    for path in ("case/0", "case/x", "nothing/1", "difference/a:b", "job/1'"):
        assert client.get(f"{PATH}/{path}").status_code == 404


def test_a_mad_page_address_begins_at_the_beginning(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    start = Page(client.get(PATH)).root.text
    for typed in ("x", "|||", "2027-01-01|case|1", "9999-99-99T00:00:00Z|case|1"):
        assert Page(client.get(PATH, query_string={"after": typed})).root.text == start
