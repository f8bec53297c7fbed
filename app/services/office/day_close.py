"""The daily close: a person signs a day, and nothing of it changes afterwards.

Days are closed one after the other. Each close keeps the day's sums as they were signed and a seal
over itself and the close before it. Whatever comes later is booked on the next open day, as a
correction (`postings`).
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import DayClose, LedgerPosting, LedgerSum
from app.services.money import balance, ledger, postings
from app.services.money.daily_reconciliation import midnight
from app.services.money.ledger import Sum
from app.services.office import day_look
from app.services.office.day_figures import Figures, figures_of, print_of
from app.services.office.day_look import Blocker
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)

EXPLANATION_LENGTH = 1000
DAYS_A_PAGE = 31
FIRST_SEAL = "0" * 64


class NotClosable(Exception):
    """The day cannot be closed yet; `blockers` says why."""

    def __init__(self, blockers: dict[Blocker, date | None]) -> None:
        super().__init__(", ".join(blocker.value for blocker in blockers))
        self.blockers = blockers


class AlreadyClosed(Exception):
    """Somebody closed the day before."""


class DayChanged(Exception):
    """The day's figures are not those that were shown to whoever signs."""


class ExplanationNeeded(Exception):
    """The reconciliation found differences, and nobody has said why."""


@dataclass(frozen=True)
class DayRow:
    """A day in the list; `corrections` is how many postings correct days closed before."""

    day: date
    figures: Figures
    corrections: int
    close: DayClose | None


def close_day(
    day: date, *, seen: str, explanation: str, by: By, now: datetime, zone: tzinfo
) -> None:
    """Sign a day as it was shown (`seen`, a `print_of` its sums), with its explanation if any.

    Raises NotClosable, AlreadyClosed, DayChanged, ExplanationNeeded: nothing is changed then.
    """
    while postings.post_marked(now=now, zone=zone):
        pass  # what is known belongs to the day, and not to the corrections of the next
    postings.post_unposted(placed_since=midnight(day, zone), now=now, zone=zone)
    while balance.post_withdrawals(now=now, zone=zone):
        pass
    _close(day, seen, explanation.strip()[:EXPLANATION_LENGTH], by, now, zone)


@use_case
def _close(day: date, seen: str, explanation: str, by: By, now: datetime, zone: tzinfo) -> None:
    with transaction() as session:
        state = postings.lock_state(session)
        if state.closed_until is not None and day <= state.closed_until:
            raise AlreadyClosed
        reconciled_at, differences = day_look.check_reconciliation(session, day, zone)
        next_open = day_look.find_next_open(session)
        blockers = day_look.find_blockers(day, next_open, reconciled_at, now=now, zone=zone)
        if blockers:
            raise NotClosable(blockers)
        if print_of(ledger.list_sums(day, day)) != seen:
            raise DayChanged
        if differences and not explanation:
            raise ExplanationNeeded
        close = _sign(session, day, len(differences), explanation, by, now)
        state.closed_until = day
        audit.record(
            session,
            actor=by,
            action="day.closed",
            subject=Subject("day", day.isoformat()),
            after={"differences": len(differences)},
            reason=explanation or None,
            now=now,
        )
        log.info("day closed", extra={"day": day.isoformat(), "by": close.closed_by})


def _sign(
    session: Session, day: date, differences: int, explanation: str, by: By, now: datetime
) -> DayClose:
    newest = sa.select(DayClose.seal).order_by(DayClose.id.desc()).limit(1)
    close = DayClose(
        day=day,
        sums=day_look.add_up_entries(session, day),
        differences=differences,
        explanation=explanation or None,
        closed_by=audit.Actor.of(by).name,
        closed_at=now,
        previous_seal=session.scalar(newest) or FIRST_SEAL,
    )
    close.seal = seal_of(close)
    session.add(close)
    return close


def seal_of(close: DayClose) -> str:
    """Return the SHA-256 over everything a close says, the seal before it included."""
    said = [
        close.day.isoformat(),
        close.sums,
        close.differences,
        close.explanation,
        close.closed_by,
        close.closed_at.astimezone(UTC).isoformat(),
        close.previous_seal,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def find_broken_seal() -> date | None:
    """Return the first closed day whose close, or whose place in the chain, was altered."""
    previous = FIRST_SEAL
    with reading() as session:
        for close in session.scalars(sa.select(DayClose).order_by(DayClose.id)):
            if close.previous_seal != previous or close.seal != seal_of(close):
                return close.day
            previous = close.seal
    return None


def is_as_signed(close: DayClose) -> bool:
    """Tell whether the day's entries still add up to what was signed."""
    with reading() as session:
        return day_look.add_up_entries(session, close.day) == close.sums


def list_days(*, before: date | None = None) -> list[DayRow]:
    """Return the days with movements, the latest first; `before` leads to the next page."""
    days = sa.select(LedgerSum.day).distinct().order_by(LedgerSum.day.desc()).limit(DAYS_A_PAGE)
    if before is not None:
        days = days.where(LedgerSum.day < before)
    with reading() as session:
        wanted = list(session.scalars(days))
    if not wanted:
        return []
    by_day: dict[date, list[Sum]] = {day: [] for day in wanted}
    for one in ledger.list_totals(wanted[-1], wanted[0]):
        by_day[one.day].append(one)
    corrected = (
        sa.select(LedgerPosting.day, sa.func.count(LedgerPosting.id))
        .where(LedgerPosting.day.in_(wanted), LedgerPosting.corrects.is_not(None))
        .group_by(LedgerPosting.day)
    )
    with reading() as session:
        closes = session.scalars(sa.select(DayClose).where(DayClose.day.in_(wanted)))
        closed = {close.day: close for close in closes}
        counts = {row[0]: row[1] for row in session.execute(corrected)}
        session.expunge_all()
    return [
        DayRow(day, figures_of(sums), counts.get(day, 0), closed.get(day))
        for day, sums in by_day.items()
    ]
