"""The inbox: what leaves it, and what only leaves when the money has."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

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
    Role,
    Source,
    Verdict,
)
from app.services.office import inbox, inbox_notes
from app.services.running.transaction import transaction
from tests.office.inbox_world import NOW, act, address, all_entries, first
from tests.staff.office import TESTS, Office


def test_what_a_word_ends_is_closed_with_it_and_never_without(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    for source in (Source.MAIL, Source.DIFFERENCE, Source.JOB):
        with small.working():
            entry = first(source)

        assert act(client, entry, "close", words="  ").status == 422
        assert act(client, entry, "close", words=f"Spoke about {source.value}").status == 303

        with small.working():
            assert (source, entry.key) not in {(one.source, one.key) for one in all_entries()}
        assert client.get(address(entry)).status_code == 404
    with small.working():
        reasons = sa.select(AuditEntry.reason).where(AuditEntry.action == "inbox.closed")
        assert db.session.scalars(reasons.order_by(AuditEntry.id)).all() == [
            "Spoke about mail",
            "Spoke about difference",
            "Spoke about job",
        ]


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
        add_line(Verdict.NOT_THERE, invoice_id or "")

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
