"""Sessions of staff: a row for each browser, so that each can be shown and ended."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Device, Role, Staff, StaffSession
from app.services.running import audit
from app.services.running.audit import Actor, Subject
from app.services.running.tokens import hash_token, new_token
from app.services.running.transaction import affected, reading, transaction, use_case

# NIST SP 800-63B: half an hour alone, half a day in all. A phone at the door lies idle for hours.
IDLE = {
    Role.DOOR: timedelta(hours=14),
    Role.FINANCE: timedelta(minutes=30),
    Role.ADMIN: timedelta(minutes=30),
}
LONGEST = {
    Role.DOOR: timedelta(hours=24),
    Role.FINANCE: timedelta(hours=12),
    Role.ADMIN: timedelta(hours=12),
}
# How long the second step may take, and how old the last sign of life may grow before it is noted.
HALFWAY = timedelta(minutes=15)
NOTE_EVERY = timedelta(minutes=1)
BROWSER_LENGTH = 64


class Step(enum.Enum):
    """What is missing before somebody may do anything."""

    NONE = "none"
    CODE = "code"
    SET_UP = "set_up"


@dataclass(frozen=True)
class Member:
    """Somebody who gave a password, in one browser; see `missing` for whether that is enough."""

    staff_id: int
    email: str
    name: str
    role: Role
    session_id: int
    proved_at: datetime
    has_second_factor: bool
    has_given_code: bool

    @property
    def missing(self) -> Step:
        """Return what is to be done first; it follows the account, also during a session."""
        if self.has_second_factor:
            return Step.NONE if self.has_given_code else Step.CODE
        return Step.SET_UP if self.role.needs_second_factor else Step.NONE

    @property
    def actor(self) -> Actor:
        """Return who the audit log names."""
        return Actor.staff(self.staff_id, self.email)


@dataclass(frozen=True)
class OpenSession:
    """A browser somebody is logged in with, as its owner is shown it."""

    session_id: int
    browser: str
    started_at: datetime
    seen_at: datetime


def account_of(row: Staff) -> Subject:
    """Return an account as the audit log names it."""
    return Subject("staff", str(row.id), row.email)


@use_case
def start(staff_id: int, *, browser: str, has_given_code: bool = False, now: datetime) -> str:
    """Start a session and return its token, of which only a hash is kept.

    Those that are over are forgotten by the way.
    """
    token = new_token()
    with transaction() as session:
        over = StaffSession.started_at < now - max(LONGEST.values())
        affected(session, sa.delete(StaffSession).where(over))
        session.add(
            StaffSession(
                staff_id=staff_id,
                token_hash=hash_token(token),
                browser=browser[:BROWSER_LENGTH],
                started_at=now,
                seen_at=now,
                proved_at=now,
                second_step_at=now if has_given_code else None,
            )
        )
    return token


def find_member(token: str, *, is_sign_of_life: bool = True, now: datetime) -> Member | None:
    """Return whose session this is, while it lasts, and note a sign of life at most each minute."""
    with reading() as session:
        row = session.scalar(
            sa.select(StaffSession).where(StaffSession.token_hash == hash_token(token))
        )
        if row is None or row.staff.deactivated_at is not None or _is_over(row, now):
            return None
        member, seen_at = _member(row), row.seen_at
    if is_sign_of_life and now - seen_at >= NOTE_EVERY:
        _note(member.session_id, seen_at=now)
    return member


def prove(member: Member, *, now: datetime) -> None:
    """Note that the owner of a session has just proved to be there."""
    _note(member.session_id, seen_at=now, proved_at=now)


def list_sessions(staff_id: int, *, now: datetime) -> Sequence[OpenSession]:
    """Return the sessions of an account that are not over, the last used first."""
    with reading() as session:
        mine = sa.select(StaffSession).where(StaffSession.staff_id == staff_id)
        rows = session.scalars(mine.order_by(StaffSession.seen_at.desc())).all()
        return [
            OpenSession(row.id, row.browser, row.started_at, row.seen_at)
            for row in rows
            if not _is_over(row, now)
        ]


@use_case
def end(member: Member, session_id: int) -> None:
    """End one session of the member's own account; does nothing with anybody else's."""
    theirs = (StaffSession.id == session_id, StaffSession.staff_id == member.staff_id)
    with transaction() as session:
        affected(session, sa.delete(StaffSession).where(*theirs))


@use_case
def log_out_everywhere(staff_id: int, *, by: Actor, now: datetime) -> None:
    """End every session of an account, and cut off the phones its owner scans with."""
    with transaction() as session:
        row = session.get_one(Staff, staff_id)
        end_all(session, staff_id)
        cut_off_phones(session, staff_id, now)
        audit.record(session, actor=by, action="staff.logged_out", subject=account_of(row), now=now)


def end_all(session: Session, staff_id: int, *, but: int | None = None) -> None:
    """End every session of an account, all `but` one, in the caller's transaction."""
    theirs = sa.delete(StaffSession).where(StaffSession.staff_id == staff_id)
    affected(session, theirs if but is None else theirs.where(StaffSession.id != but))


def cut_off_phones(session: Session, staff_id: int, now: datetime) -> None:
    """Cut off the phones somebody scans with in their own name."""
    phones = sa.update(Device).where(Device.owner_id == staff_id, Device.cut_off_at.is_(None))
    affected(session, phones.values(cut_off_at=now))


@use_case
def _note(session_id: int, **values: datetime) -> None:
    with transaction() as session:
        affected(
            session,
            sa.update(StaffSession).where(StaffSession.id == session_id).values(**values),
        )


def _is_over(row: StaffSession, now: datetime) -> bool:
    role, age = row.staff.role, now - row.started_at
    is_left_alone = now - row.seen_at > IDLE[role]
    is_halfway = _member(row).missing is not Step.NONE and age > HALFWAY
    return is_left_alone or is_halfway or age > LONGEST[role]


def _member(row: StaffSession) -> Member:
    owner = row.staff
    return Member(
        staff_id=owner.id,
        email=owner.email,
        name=owner.name,
        role=owner.role,
        session_id=row.id,
        proved_at=row.proved_at,
        has_second_factor=owner.has_second_factor,
        has_given_code=row.second_step_at is not None,
    )
