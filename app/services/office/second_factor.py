"""The second factor: a code from a phone, or one of ten recovery codes, after the password."""

import hashlib
import logging
import re
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.extensions import key_box
from app.integrations import totp
from app.integrations.signing import UnreadableKey
from app.models import RecoveryCode, Staff, StaffSession
from app.models.codes import ALPHABET
from app.services.office import staff_sessions
from app.services.office.staff_sessions import Member, account_of
from app.services.office.staffing import NoSuchStaff, OwnAccount
from app.services.running import audit
from app.services.running.attempts import Limit, count_attempt, forgive
from app.services.running.audit import Actor
from app.services.running.transaction import affected, reading, transaction, use_case

log = logging.getLogger(__name__)

# Three codes of a million are good at a time: 20 guesses a day find one in 45 years.
MOST_SOON, SOON = 5, timedelta(minutes=15)
MOST_A_DAY, DAY = 20, timedelta(days=1)
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16  # of 30 symbols: 78 bits, too many to try even with the database in hand
GROUP = 4


class WrongCode(ValueError):
    """Neither the code of this moment, nor an unused recovery code."""


class NeedsSecondFactor(Exception):
    """The role may not go without one."""


def offer_secret(member: Member) -> str:
    """Return the secret this session may confirm, made at the first look; base32."""
    with reading() as session:
        sealed = session.get_one(StaffSession, member.session_id).offered_totp
    if sealed is not None:
        try:
            return key_box.unseal(sealed).decode()
        except UnreadableKey:
            log.warning("an offered secret was sealed under another SECRET_KEY")
    return _offer(member.session_id)


def confirm(member: Member, code: str, *, now: datetime) -> list[str]:
    """Make the offered secret the account's second factor; return ten recovery codes.

    One there was before is replaced, and so are its recovery codes; every other session ends.
    Raises WrongCode.
    """
    secret = offer_secret(member)
    step = totp.find_step(secret, _plain(code), now=now)
    if step is None:
        raise WrongCode
    return _set_secret(member, secret, step, now)


def check_code(member: Member, code: str, *, now: datetime, browser: str | None = None) -> None:
    """Check the second step of a log-in: a phone's code, good once, or a recovery code.

    Failures are counted; those of a known browser apart, so that whoever has the password alone
    cannot lock the owner out of it. Raises WrongCode, RateLimited.
    """
    who = f"{member.staff_id} {browser or ''}"
    limits = [
        Limit("second step", who, MOST_SOON, SOON),
        Limit("second step of a day", who, MOST_A_DAY, DAY),
    ]
    counted = count_attempt(limits, now=now)
    typed = _plain(code)
    if len(typed) == RECOVERY_LENGTH:
        _use_recovery_code(member, typed, now)
    else:
        _use_totp(member.staff_id, typed, now)
    forgive(counted, *limits)


@use_case
def make_recovery_codes(member: Member, *, now: datetime) -> list[str]:
    """Return ten new recovery codes, to be shown once; those before are worthless."""
    with transaction() as session:
        row = session.get_one(Staff, member.staff_id, with_for_update=True)
        codes = _replace_codes(session, member.staff_id)
        _note(session, "staff.recovery_codes_made", row, member.actor, now)
        return codes


def count_recovery_codes(staff_id: int) -> int:
    """Return how many recovery codes are left."""
    left = sa.select(sa.func.count()).select_from(RecoveryCode)
    left = left.where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    with reading() as session:
        return session.scalar(left) or 0


@use_case
def remove(member: Member, *, now: datetime) -> None:
    """Go without a second factor again. Raises NeedsSecondFactor."""
    if member.role.needs_second_factor:
        raise NeedsSecondFactor
    with transaction() as session:
        row = session.get_one(Staff, member.staff_id, with_for_update=True)
        _clear(session, row)
        _note(session, "staff.second_factor_removed", row, member.actor, now)


@use_case
def reset(staff_id: int, *, by: Actor, now: datetime) -> None:
    """Take away the second factor of somebody who lost it, and end their sessions.

    At the next log-in it is set up anew. Raises NoSuchStaff, OwnAccount.
    """
    if by.is_staff(staff_id):
        raise OwnAccount
    with transaction() as session:
        row = session.get(Staff, staff_id, with_for_update=True)
        if row is None:
            raise NoSuchStaff(staff_id)
        _clear(session, row)
        staff_sessions.end_all(session, staff_id)
        _note(session, "staff.second_factor_reset", row, by, now)


@use_case
def set_secret(staff_id: int, secret: str, *, by: Actor, now: datetime) -> None:
    """Give an account a second factor whose secret (base32) was agreed elsewhere."""
    with transaction() as session:
        row = session.get_one(Staff, staff_id, with_for_update=True)
        row.totp_sealed, row.totp_last_step = key_box.seal(secret.encode()), None
        _note(session, "staff.second_factor_set", row, by, now)


@use_case
def _offer(session_id: int) -> str:
    secret = totp.new_secret()
    mine = sa.update(StaffSession).where(StaffSession.id == session_id)
    with transaction() as session:
        affected(session, mine.values(offered_totp=key_box.seal(secret.encode())))
    return secret


@use_case
def _set_secret(member: Member, secret: str, step: int, now: datetime) -> list[str]:
    with transaction() as session:
        row = session.get_one(Staff, member.staff_id, with_for_update=True)
        row.totp_sealed, row.totp_last_step = key_box.seal(secret.encode()), step
        mine = session.get_one(StaffSession, member.session_id)
        mine.offered_totp, mine.second_step_at = None, now
        staff_sessions.end_all(session, member.staff_id, but=member.session_id)
        _note(session, "staff.second_factor_set", row, member.actor, now)
        return _replace_codes(session, member.staff_id)


@use_case
def _use_totp(staff_id: int, code: str, now: datetime) -> None:
    """Take a phone's code by one conditional UPDATE: of two that send the same one, one wins."""
    with transaction() as session:
        sealed = session.scalar(sa.select(Staff.totp_sealed).where(Staff.id == staff_id))
        step = totp.find_step(_open(sealed), code, now=now) if sealed else None
        if step is None:
            raise WrongCode
        is_new = sa.or_(Staff.totp_last_step.is_(None), Staff.totp_last_step < step)
        mine = sa.update(Staff).where(Staff.id == staff_id, is_new)
        if not affected(session, mine.values(totp_last_step=step)):
            raise WrongCode


def _open(sealed: str) -> str:
    """Return a secret. Raises WrongCode when SECRET_KEY has changed: recovery codes are left."""
    try:
        return key_box.unseal(sealed).decode()
    except UnreadableKey as error:
        log.error("a second factor was sealed under another SECRET_KEY: reset it")
        raise WrongCode from error


@use_case
def _use_recovery_code(member: Member, code: str, now: datetime) -> None:
    is_good = (
        RecoveryCode.staff_id == member.staff_id,
        RecoveryCode.code_hash == _hash(member.staff_id, code),
        RecoveryCode.used_at.is_(None),
    )
    with transaction() as session:
        if not affected(session, sa.update(RecoveryCode).where(*is_good).values(used_at=now)):
            raise WrongCode
        row = session.get_one(Staff, member.staff_id)
        _note(session, "staff.recovery_code_used", row, member.actor, now)


def _clear(session: Session, row: Staff) -> None:
    row.totp_sealed = row.totp_last_step = None
    affected(session, sa.delete(RecoveryCode).where(RecoveryCode.staff_id == row.id))


def _replace_codes(session: Session, staff_id: int) -> list[str]:
    affected(session, sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(staff_id=staff_id, code_hash=_hash(staff_id, code)) for code in codes
    )
    return [_grouped(code) for code in codes]


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def _plain(typed: str) -> str:
    """Return a typed code without what people put between its parts."""
    return re.sub(r"[\s-]", "", typed).upper()[: RECOVERY_LENGTH + 1]


def _hash(staff_id: int, code: str) -> str:
    return hashlib.sha256(f"{staff_id} {code}".encode()).hexdigest()


def _note(session: Session, action: str, row: Staff, by: Actor, now: datetime) -> None:
    audit.record(session, actor=by, action=action, subject=account_of(row), now=now)
