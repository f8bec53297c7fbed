"""Staff accounts: who may log in, and what ends a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from werkzeug.security import check_password_hash, generate_password_hash

from app.models import Device, Role, Staff
from app.models.staff import new_session_key
from app.services.running.attempts import Limit, count_attempt, forgive
from app.services.running.transaction import affected, reading, transaction, use_case

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
GUESSING = timedelta(minutes=15)
# Everybody at a venue shares one address, and only failures count.
MOST_BY_ADDRESS = 30
MOST_AT_ACCOUNT = 10
METHOD = "scrypt:32768:8:1"  # cost, block size, lanes: 32 MiB and some 80 ms a password
# Compared with when there is no such account: as slow as a real one, and equal to nothing.
NO_HASH = f"{METHOD}${'0' * 16}${'0' * 128}"


class WeakPassword(ValueError):
    """The password is too short to be safe, or longer than anybody types."""


class StaffExists(ValueError):
    """There is an account with this address already."""


class NoSuchStaff(ValueError):
    """There is no account with this address."""


class WrongPassword(ValueError):
    """Address and password do not belong together; which of them is wrong is nobody's business."""


@dataclass(frozen=True)
class Member:
    """Somebody who is logged in, as long as `session_key` is still the account's."""

    staff_id: int
    email: str
    role: Role
    session_key: str


@use_case
def add_staff(email: str, role: Role, password: str, *, now: datetime) -> None:
    """Add an account; the password is kept as a scrypt hash. Raises WeakPassword, StaffExists.

    The address is kept in small letters: databases differ in whether Sari@ and sari@ are the same.
    """
    address = email.lower()
    password_hash = _hash(password)
    with transaction() as session:
        if session.scalar(sa.select(Staff.id).where(Staff.email == address)):
            raise StaffExists(address)
        session.add(Staff(email=address, role=role, password_hash=password_hash, created_at=now))


def check_log_in(
    email: str, password: str, *, address: str, now: datetime, browser: str | None = None
) -> Member:
    """Return whom address and password belong to. Raises WrongPassword, RateLimited.

    `address` is the caller's; `browser` names one in which this account logged in before. Every
    call takes one scrypt, whether or not the account exists. Failures are counted for the caller
    and for the account, before the password is looked at. Those of a known browser are counted
    apart: strangers who guess cannot lock an owner out of it.
    """
    wanted = email.strip().lower()
    caller = Limit("log-in address", address, MOST_BY_ADDRESS, GUESSING)
    account = _account_limit(f"{wanted} {browser}" if browser else wanted)
    counted = count_attempt([caller, account], now=now)
    member, password_hash = _find_account(wanted)
    is_right = check_password_hash(password_hash, password[:LONGEST_PASSWORD])
    if member is None or not is_right:
        raise WrongPassword
    forgive(counted, account)
    return member


def find_member(staff_id: int, session_key: str) -> Member | None:
    """Return who a session belongs to; None once its key was changed."""
    with reading() as session:
        row = session.get(Staff, staff_id)
        if row is None or row.session_key != session_key:
            return None
        return _member(row)


def change_password(
    member: Member, old: str, new: str, *, address: str, now: datetime, browser: str | None = None
) -> Member:
    """Change one's own password and end every session; return the member with the new key.

    Raises WrongPassword, RateLimited, WeakPassword.
    """
    check_log_in(member.email, old, address=address, now=now, browser=browser)
    return _renew(member.email, _hash(new))


def set_password(email: str, password: str, *, now: datetime) -> None:
    """Give an account another password and end its sessions, those of its own phones too.

    Raises WeakPassword, NoSuchStaff.
    """
    address = email.strip().lower()
    _renew(address, _hash(password), cut_off_at=now)
    forgive([], _account_limit(address))  # its owner may log in at once


def log_out_everywhere(member: Member, *, now: datetime) -> None:
    """End every session of an account, and cut off the phones its owner scans with."""
    _renew(member.email, cut_off_at=now)


@use_case
def _renew(
    email: str, password_hash: str | None = None, *, cut_off_at: datetime | None = None
) -> Member:
    """Change the session key, the password where one is given, and cut off its owner's phones.

    Those only with `cut_off_at`. Raises NoSuchStaff.
    """
    values = {"session_key": new_session_key()}
    if password_hash is not None:
        values["password_hash"] = password_hash
    with transaction() as session:
        if not affected(session, sa.update(Staff).where(Staff.email == email).values(**values)):
            raise NoSuchStaff(email)
        account = session.scalars(sa.select(Staff).where(Staff.email == email)).one()
        if cut_off_at is not None:
            phones = sa.update(Device).where(
                Device.owner_id == account.id, Device.cut_off_at.is_(None)
            )
            affected(session, phones.values(cut_off_at=cut_off_at))
        return _member(account)


def _account_limit(account: str) -> Limit:
    return Limit("log-in account", account, MOST_AT_ACCOUNT, GUESSING)


def _find_account(email: str) -> tuple[Member | None, str]:
    """Return the account and its hash, or nobody and a hash that takes as long to compare."""
    with reading() as session:
        rows: Sequence[Staff] = session.scalars(sa.select(Staff).where(Staff.email == email)).all()
        for row in rows:
            # MariaDB takes é for e: another spelling would have attempts of its own.
            if row.email == email:
                return _member(row), row.password_hash
    return None, NO_HASH


def _hash(password: str) -> str:
    """Hash a password. Raises WeakPassword."""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(f"a password has at most {LONGEST_PASSWORD} characters")
    return generate_password_hash(password, method=METHOD)


def _member(row: Staff) -> Member:
    return Member(row.id, row.email, row.role, row.session_key)
