"""The audit log as it is read: newest first, filtered, a page at a time.

It is written by `record`, which lives in `services/running` so that every room may call it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.models import AuditEntry
from app.services.running.audit import Actor, Subject, record
from app.services.running.transaction import reading

__all__ = ["Actor", "AuditFilter", "AuditPage", "Subject", "list_actions", "list_entries", "record"]

PAGE_LENGTH = 50


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; an empty field does not narrow.

    `person` is the beginning of a name; `subject` an exact key or the beginning of a name; the
    period is `since` (included) to `until` (not).
    """

    person: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditPage:
    """Some entries, the newest first; `older` is where the next page begins, if there is one."""

    entries: Sequence[AuditEntry]
    older: int | None


def list_entries(wanted: AuditFilter, *, before_id: int | None = None) -> AuditPage:
    """Return a page of what is wanted, from the newest or from below `before_id`."""
    query = sa.select(AuditEntry).where(*_conditions(wanted))
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    query = query.order_by(AuditEntry.id.desc()).limit(PAGE_LENGTH + 1)
    with reading() as session:
        found = session.scalars(query).all()
        session.expunge_all()
    has_more = len(found) > PAGE_LENGTH
    entries = found[:PAGE_LENGTH]
    return AuditPage(entries, entries[-1].id if has_more else None)


def list_actions() -> Sequence[str]:
    """Return the actions that ever happened, by name."""
    with reading() as session:
        return session.scalars(sa.select(AuditEntry.action).distinct().order_by("action")).all()


def _conditions(wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.person:
        conditions.append(AuditEntry.actor_name.startswith(wanted.person, autoescape=True))
    if wanted.action:
        conditions.append(AuditEntry.action == wanted.action)
    if wanted.subject:
        named = AuditEntry.subject_name.startswith(wanted.subject, autoescape=True)
        conditions.append(sa.or_(AuditEntry.subject_key == wanted.subject, named))
    if wanted.since:
        conditions.append(AuditEntry.happened_at >= wanted.since)
    if wanted.until:
        conditions.append(AuditEntry.happened_at < wanted.until)
    return conditions
