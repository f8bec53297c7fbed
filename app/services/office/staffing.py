"""Staff accounts: made, checked, changed, put to rest. Never without an active admin."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Role, Staff
from app.services.office import passwords, staff_sessions
from app.services.office.staff_sessions import Member, account_of
from app.services.running import audit
from app.services.running.attempts import Limit, count_attempt, forgive
from app.services.running.audit import Actor
from app.services.running.transaction import affected, reading, transaction, use_case

GUESSING = timedelta(minutes=15)
# Everybody at a venue shares one address, and only failures count.
MOST_BY_ADDRESS = 30
MOST_AT_ACCOUNT = 10


class StaffExists(ValueError):
    """There is an account with this address already."""


class NoSuchStaff(ValueError):
    """There is no such account."""


class WrongPassword(ValueError):
    """Address and password do not belong together; which of them is wrong is nobody's business."""


class LastAdmin(Exception):
    """Nobody would be left to run the office."""


class OwnAccount(Exception):
    """Another admin must do this: nobody widens or lifts their own limits."""


class StaffChanged(Exception):
    """Somebody else changed the account since the page was shown."""


@use_case
def add_staff(
    email: str, role: Role, password: str, *, name: str = "", by: Actor, now: datetime
) -> int:
    """Add an account and return its id. Raises WeakPassword, StaffExists.

    The address is kept in small letters: databases differ in whether Sari@ and sari@ are the same.
    """
    password_hash = passwords.hash_password(password, about=(email, name))
    with transaction() as session:
        row = insert_account(session, email, role, password_hash, name=name, now=now)
        facts = {"role": role}
        subject = account_of(row)
        audit.record(session, actor=by, action="staff.added", subject=subject, after=facts, now=now)
        return row.id


def insert_account(
    session: Session, email: str, role: Role, password_hash: str, *, name: str, now: datetime
) -> Staff:
    """Insert an account in the caller's transaction. Raises StaffExists."""
    address = email.lower()
    if session.scalar(sa.select(Staff.id).where(Staff.email == address)):
        raise StaffExists(address)
    row = Staff(email=address, name=name, role=role, password_hash=password_hash, created_at=now)
    session.add(row)
    session.flush()
    return row


def check_log_in(
    email: str, password: str, *, address: str, now: datetime, browser: str | None = None
) -> int:
    """Return whose address and password these are, an account's id; it may need a code still.

    `address` is the caller's; `browser` names one in which this account logged in before. Every
    call takes one scrypt, whether or not the account exists. Failures are counted for the caller
    and for the account, before the password is looked at. Those of a known browser are counted
    apart: strangers who guess cannot lock an owner out of it. Raises WrongPassword, RateLimited.
    """
    wanted = email.strip().lower()
    caller = Limit("log-in address", address, MOST_BY_ADDRESS, GUESSING)
    account = _account_limit(f"{wanted} {browser}" if browser else wanted)
    counted = count_attempt([caller, account], now=now)
    staff_id, password_hash = _find_account(wanted)
    is_right = passwords.is_password(password_hash, password)
    if staff_id is None or not is_right:
        raise WrongPassword
    forgive(counted, account)
    if passwords.is_outdated(password_hash):
        _rehash(staff_id, password_hash, password)
    return staff_id


def change_password(
    member: Member, old: str, new: str, *, address: str, now: datetime, browser: str | None = None
) -> None:
    """Change one's own password and end every session, this one too.

    Raises WrongPassword, RateLimited, WeakPassword.
    """
    check_log_in(member.email, old, address=address, now=now, browser=browser)
    password_hash = passwords.hash_password(new, about=(member.email, member.name))
    _renew(member.staff_id, password_hash, by=member.actor, now=now)


def set_password(email: str, password: str, *, by: Actor, now: datetime) -> None:
    """Give an account another password and end its sessions, those of its own phones too.

    Raises WeakPassword, NoSuchStaff.
    """
    account = get_account(email)
    password_hash = passwords.hash_password(password, about=(account.email, account.name))
    _renew(account.id, password_hash, by=by, now=now, cuts_off_phones=True)
    forgive([], _account_limit(account.email))  # its owner may log in at once


@use_case
def set_role(staff_id: int, role: Role, *, shown: Role, by: Actor, now: datetime) -> None:
    """Give an account another role, if it still has the one the page showed.

    From the next call on; who now needs a second factor is led to it first. Raises NoSuchStaff,
    OwnAccount, StaffChanged, LastAdmin.
    """
    with transaction() as session:
        admins = _lock_admins(session)
        row = _lock_other(session, staff_id, by)
        if row.role is not shown:
            raise StaffChanged
        if role is not Role.ADMIN:
            _check_not_last(admins, row)
        before = {"role": row.role}
        row.role = role
        _note(session, "staff.role_changed", row, by, now, before, {"role": role})


@use_case
def deactivate(staff_id: int, *, by: Actor, now: datetime) -> None:
    """Let an account do nothing any more: sessions end, its own phones are cut off.

    Raises NoSuchStaff, OwnAccount, LastAdmin.
    """
    with transaction() as session:
        admins = _lock_admins(session)
        row = _lock_other(session, staff_id, by)
        _check_not_last(admins, row)
        if row.deactivated_at is None:
            row.deactivated_at = now
            staff_sessions.end_all(session, staff_id)
            staff_sessions.cut_off_phones(session, staff_id, now)
            _note(session, "staff.deactivated", row, by, now)


@use_case
def reactivate(staff_id: int, *, by: Actor, now: datetime) -> None:
    """Let a deactivated account log in again. Raises NoSuchStaff, OwnAccount."""
    with transaction() as session:
        row = _lock_other(session, staff_id, by)
        if row.deactivated_at is not None:
            row.deactivated_at = None
            _note(session, "staff.reactivated", row, by, now)


def list_staff() -> Sequence[Staff]:
    """Return all accounts by address, those in use first."""
    with reading() as session:
        wanted = sa.select(Staff).order_by(Staff.deactivated_at.is_not(None), Staff.email)
        rows = session.scalars(wanted).all()
        session.expunge_all()
        return rows


def find_staff(staff_id: int) -> Staff | None:
    """Return one account."""
    with reading() as session:
        row = session.get(Staff, staff_id)
        session.expunge_all()
        return row


def get_account(email: str) -> Staff:
    """Return the account with exactly this address. Raises NoSuchStaff."""
    wanted = email.strip().lower()
    with reading() as session:
        for row in session.scalars(sa.select(Staff).where(Staff.email == wanted)):
            # MariaDB takes é for e: another spelling would have attempts of its own.
            if row.email == wanted:
                session.expunge(row)
                return row
    raise NoSuchStaff(wanted)


@use_case
def _renew(
    staff_id: int,
    password_hash: str,
    *,
    by: Actor,
    now: datetime,
    cuts_off_phones: bool = False,
) -> None:
    with transaction() as session:
        row = session.get_one(Staff, staff_id, with_for_update=True, populate_existing=True)
        row.password_hash = password_hash
        staff_sessions.end_all(session, staff_id)
        if cuts_off_phones:
            staff_sessions.cut_off_phones(session, staff_id, now)
        _note(session, "staff.password_changed", row, by, now)


@use_case
def _rehash(staff_id: int, old_hash: str, password: str) -> None:
    """Keep a password as slowly as today's are, unless it was changed meanwhile."""
    is_same = (Staff.id == staff_id, Staff.password_hash == old_hash)
    values = {"password_hash": passwords.rehash(password)}
    with transaction() as session:
        affected(session, sa.update(Staff).where(*is_same).values(**values))


def _lock_admins(session: Session) -> Sequence[int]:
    """Return the ids of the active admins, locked: of two who leave at once, one sees the other."""
    active = sa.select(Staff.id).where(Staff.role == Role.ADMIN, Staff.deactivated_at.is_(None))
    return session.scalars(active.order_by(Staff.id).with_for_update()).all()


def _check_not_last(admins: Sequence[int], row: Staff) -> None:
    if list(admins) == [row.id]:
        raise LastAdmin


def _lock_other(session: Session, staff_id: int, by: Actor) -> Staff:
    """Return the account of somebody else than who asks. Raises NoSuchStaff, OwnAccount."""
    if by.is_staff(staff_id):
        raise OwnAccount
    row = session.get(Staff, staff_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NoSuchStaff(staff_id)
    return row


def _note(
    session: Session,
    action: str,
    row: Staff,
    by: Actor,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor=by,
        action=action,
        subject=account_of(row),
        before=before,
        after=after,
        now=now,
    )


def _account_limit(account: str) -> Limit:
    return Limit("log-in account", account, MOST_AT_ACCOUNT, GUESSING)


def _find_account(email: str) -> tuple[int | None, str]:
    """Return the account and its hash, or nobody and a hash that takes as long to compare."""
    try:
        row = get_account(email)
    except NoSuchStaff:
        return None, passwords.NO_HASH
    is_active = row.deactivated_at is None
    return (row.id if is_active else None), row.password_hash
