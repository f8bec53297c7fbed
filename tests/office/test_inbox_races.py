"""Two who take the same entry at once: one has it. The careless way is raced too."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import InboxNote, Role, Source
from app.services.office import inbox_notes
from app.services.office.inbox import Entry
from app.services.office.staffing import add_staff
from app.services.running.transaction import reading, transaction, use_case
from tests.harness.interleaving import overlap
from tests.staff.office import PASSWORD, TESTS

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
ENTRY = Entry(Source.JOB, "1", NOW, "test", None, None, "")

Take = Callable[[int], None]


def take_properly(staff_id: int) -> None:
    inbox_notes.hand_over(ENTRY, staff_id, shown=0, by=TESTS, now=NOW)


@use_case
def take_carelessly(staff_id: int) -> None:
    """Look whose it is and then write, as one would without knowing better."""
    with reading() as session:
        note = session.scalars(sa.select(InboxNote)).first()
        is_free = note is None or note.owner_id is None
    if not is_free:
        raise inbox_notes.StaleEntry
    with transaction() as session:
        session.execute(sa.update(InboxNote).values(owner_id=staff_id))


def race(app: Flask, take: Take, *, is_noted: bool, after: int) -> list[int]:
    """Let two take an entry, one between the other's statements; return who was told yes."""
    with app.app_context():
        names = ("finance1@example.com", "finance2@example.com")
        ids = [add_staff(name, Role.FINANCE, PASSWORD, by=TESTS, now=NOW) for name in names]
        if is_noted:
            with transaction() as session:
                session.add(InboxNote(source=Source.JOB, key="1", version=0, changed_at=NOW))
    told = overlap(app, lambda: take(ids[0]), lambda: take(ids[1]), after=after)
    refused = [each for each in told if each is not None]
    assert all(isinstance(each, inbox_notes.StaleEntry) for each in refused), refused
    return [staff_id for staff_id, each in zip(ids, told, strict=True) if each is None]


@pytest.mark.parametrize("is_noted", [True, False])
@pytest.mark.parametrize("statements", [1, 2, 3])
def test_of_two_who_take_an_entry_at_once_one_has_it(
    mariadb_app: Flask, is_noted: bool, statements: int
) -> None:
    [winner] = race(mariadb_app, take_properly, is_noted=is_noted, after=statements)

    with mariadb_app.app_context():
        assert db.session.scalars(sa.select(InboxNote.owner_id)).all() == [winner]


def test_without_the_lock_both_would_believe_that_it_is_theirs(mariadb_app: Flask) -> None:
    assert len(race(mariadb_app, take_carelessly, is_noted=True, after=1)) == 2
