"""Looking after the inbox: take it, hand it over, give it back, note, close; who, and when.

`shown` is the version the page had shown: whoever acts on an older one is told (StaleEntry), so
that two people never both believe that it is theirs.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import InboxNote, Job, JobStatus, Role, Source, Staff
from app.services.office.inbox import Entry
from app.services.running import audit
from app.services.running.audit import Actor, Subject
from app.services.running.transaction import affected, transaction, use_case

NOTE_LENGTH = 500
# Where a person's word alone ends it; elsewhere what it is about must come to an end.
CLOSED_BY_WORD = frozenset(
    {Source.MAIL, Source.DIFFERENCE, Source.SETTLEMENT, Source.BALANCE, Source.JOB}
)


class StaleEntry(Exception):
    """Somebody did something about this entry since the page was shown."""


class NotAnOwner(Exception):
    """Nobody with this id may look after entries."""


@use_case
def hand_over(entry: Entry, owner_id: int | None, *, shown: int, by: Actor, now: datetime) -> None:
    """Give an entry to somebody of finance or admin, or to nobody (None).

    Raises StaleEntry, NotAnOwner.
    """
    with transaction() as session:
        note = _lock(session, entry, shown, now)
        owner = _get_owner(session, owner_id) if owner_id is not None else None
        before = {"looked_after_by": note.owner.email if note.owner else None}
        note.owner = owner
        after = {"looked_after_by": owner.email if owner else None}
        action = "inbox.handed_over" if owner else "inbox.given_back"
        _record(session, entry, action, by, now, before=before, after=after)


@use_case
def write_note(entry: Entry, words: str, *, shown: int, by: Actor, now: datetime) -> None:
    """Write the note of an entry anew; empty words take it away. Raises StaleEntry."""
    with transaction() as session:
        note = _lock(session, entry, shown, now)
        note.note = words[:NOTE_LENGTH] or None
        _record(session, entry, "inbox.noted", by, now, reason=note.note)


@use_case
def close(entry: Entry, words: str, *, shown: int, by: Actor, now: datetime) -> None:
    """End an entry by a person's word, which says why. Raises StaleEntry.

    Raises ValueError where it ends only with what it is about.
    """
    if entry.source not in CLOSED_BY_WORD:
        raise ValueError(f"a {entry.source.value} is not closed by word")
    with transaction() as session:
        note = _lock(session, entry, shown, now)
        note.note, note.closed_at, note.closed_by = words[:NOTE_LENGTH], now, by.name
        _record(session, entry, "inbox.closed", by, now, reason=note.note)


@use_case
def retry_job(entry: Entry, *, shown: int, by: Actor, now: datetime) -> None:
    """Have a job that gave up tried again from the beginning. Raises StaleEntry."""
    with transaction() as session:
        _lock(session, entry, shown, now)
        failed = sa.update(Job).where(Job.id == int(entry.key), Job.status == JobStatus.FAILED)
        again = {"status": JobStatus.OPEN, "due_at": now, "attempts": 0, "finished_at": None}
        if affected(session, failed.values(**again)) != 1:
            raise StaleEntry
        _record(session, entry, "inbox.retried", by, now)


def _lock(session: Session, entry: Entry, shown: int, now: datetime) -> InboxNote:
    """Return the entry's note, locked and one version on. Raises StaleEntry.

    Of two who begin at the same moment the unique key lets one in; the other is late.
    """
    mine = (InboxNote.source == entry.source) & (InboxNote.key == entry.key)
    note = session.scalar(
        sa.select(InboxNote).where(mine).with_for_update().execution_options(populate_existing=True)
    )
    if note is None:
        note = InboxNote(source=entry.source, key=entry.key, version=0, changed_at=now)
        session.add(note)
        try:
            session.flush()
        except IntegrityError as error:
            raise StaleEntry from error
    if note.version != shown or note.closed_at is not None:
        raise StaleEntry
    note.version, note.changed_at = shown + 1, now
    return note


def _get_owner(session: Session, staff_id: int) -> Staff:
    owner = session.get(Staff, staff_id)
    if owner is None or owner.deactivated_at or owner.role not in (Role.FINANCE, Role.ADMIN):
        raise NotAnOwner(staff_id)
    return owner


def _record(
    session: Session,
    entry: Entry,
    action: str,
    by: Actor,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> None:
    name = f"{entry.kind} {entry.order_code or entry.about or entry.key}"
    subject = Subject("inbox", f"{entry.source.value} {entry.key}"[:64], name)
    audit.record(
        session,
        actor=by,
        action=action,
        subject=subject,
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
