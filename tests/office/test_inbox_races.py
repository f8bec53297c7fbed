"""Many who take the same entry at once: one has it. The careless way is raced too."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import InboxNote, Role, Source
from app.services.office import inbox_notes
from app.services.office.inbox import Entry
from app.services.office.staffing import add_staff
from app.services.running.transaction import reading, transaction, use_case
from tests.staff.office import PASSWORD, TESTS

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
PEOPLE = 6
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


def race(app: Flask, take: Take) -> list[int]:
    """Let everybody take the entry at once; return who was told that it is theirs."""
    with app.app_context():
        names = [f"finance{number}@example.com" for number in range(PEOPLE)]
        ids = [add_staff(name, Role.FINANCE, PASSWORD, by=TESTS, now=NOW) for name in names]
        with transaction() as session:
            session.add(InboxNote(source=Source.JOB, key="1", version=0, changed_at=NOW))
    start = threading.Barrier(PEOPLE)
    winners: list[int] = []

    def work(staff_id: int) -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                take(staff_id)
            except inbox_notes.StaleEntry:
                pass
            else:
                winners.append(staff_id)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work, args=(staff_id,)) for staff_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return winners


def test_of_many_who_take_an_entry_at_once_one_has_it(mariadb_app: Flask) -> None:
    [winner] = race(mariadb_app, take_properly)

    with mariadb_app.app_context():
        assert db.session.scalars(sa.select(InboxNote.owner_id)).all() == [winner]


def test_without_the_lock_several_would_believe_that_it_is_theirs(mariadb_app: Flask) -> None:
    assert len(race(mariadb_app, take_carelessly)) > 1
