"""Invitations: a link by mail, good once and for one address, that makes an account."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Letter, Mailer, MailRefused
from app.models import Invitation, Role, Staff
from app.services.office import passwords, staffing
from app.services.office.staffing import StaffExists
from app.services.running import audit, jobs
from app.services.running.audit import Actor, Subject
from app.services.running.transaction import affected, reading, transaction, use_case

log = logging.getLogger(__name__)

SEND_INVITATION = "send_invitation"
VALID = timedelta(days=3)
TEMPLATE = "invitation"


class InvitationGone(Exception):
    """It was used, taken back, replaced, has run out, or never was one."""


@dataclass(frozen=True)
class Invited:
    """Whom an open invitation is for, and as what."""

    email: str
    role: Role


@use_case
def invite(email: str, role: Role, *, locale: str, by: Actor, now: datetime) -> int:
    """Invite an address; the worker mails the link. An open invitation to it is replaced.

    Returns the invitation's id. Raises StaffExists.
    """
    address = email.lower()
    with transaction() as session:
        if session.scalar(sa.select(Staff.id).where(Staff.email == address)):
            raise StaffExists(address)
        former = sa.update(Invitation).where(
            Invitation.email == address, Invitation.closed_at.is_(None)
        )
        affected(session, former.values(closed_at=now))
        row = Invitation(
            email=address,
            role=role,
            locale=locale,
            invited_by=by.name,
            created_at=now,
            expires_at=now + VALID,
        )
        session.add(row)
        session.flush()
        _note(session, "staff.invited", row, by, now)
        jobs.enqueue(session, SEND_INVITATION, {"invitation_id": row.id}, now=now, due_at=now)
        return row.id


@use_case
def take_back(invitation_id: int, *, by: Actor, now: datetime) -> None:
    """Make an invitation worthless; does nothing when it is already."""
    with transaction() as session:
        if _close(session, invitation_id, now):
            row = session.get_one(Invitation, invitation_id)
            _note(session, "staff.invitation_taken_back", row, by, now)


def list_open(*, now: datetime) -> Sequence[Invitation]:
    """Return the invitations that still wait, the newest first."""
    wanted = sa.select(Invitation).where(*_is_open(now)).order_by(Invitation.id.desc())
    with reading() as session:
        rows = session.scalars(wanted).all()
        session.expunge_all()
        return rows


def find(token: str, *, settings: Settings, now: datetime) -> Invited:
    """Return what a link invites to. Raises InvitationGone."""
    invitation_id = _read_token(token, settings)
    with reading() as session:
        row = session.scalar(sa.select(Invitation).where(*_is_open(now, invitation_id)))
        if row is None:
            raise InvitationGone
        return Invited(row.email, row.role)


def accept(token: str, *, name: str, password: str, settings: Settings, now: datetime) -> int:
    """Make the account a link invites to, and return its id; the link is worthless then.

    Raises InvitationGone, WeakPassword, StaffExists.
    """
    invited = find(token, settings=settings, now=now)
    password_hash = passwords.hash_password(password, about=(invited.email, name))
    return _accept(_read_token(token, settings), name, password_hash, now)


@use_case
def _accept(invitation_id: int, name: str, password_hash: str, now: datetime) -> int:
    """Close the invitation by one conditional UPDATE: of two who send the form, one wins."""
    with transaction() as session:
        if not _close(session, invitation_id, now, *_is_open(now)):
            raise InvitationGone
        row = session.get_one(Invitation, invitation_id)
        account = staffing.insert_account(
            session, row.email, row.role, password_hash, name=name, now=now
        )
        audit.record(
            session,
            actor=Actor.staff(account.id, account.email),
            action="staff.joined",
            subject=Subject("staff", str(account.id), account.email),
            after={"role": row.role, "name": name, "invited_by": row.invited_by},
            now=now,
        )
        return account.id


def send(invitation_id: int, *, now: datetime, mailer: Mailer, settings: Settings) -> None:
    """Mail an invitation's link, unless it is worthless already.

    Raises MailDelayed: the job tries again. A refusal for good is logged.
    """
    with reading() as session:
        row = session.scalar(sa.select(Invitation).where(*_is_open(now, invitation_id)))
        if row is None:
            return
        letter = write_letter(row, settings)
    try:
        mailer.send(letter)
    except MailRefused as error:
        log.error("invitation refused", extra={"invitation": invitation_id, "why": str(error)})


def write_letter(row: Invitation, settings: Settings) -> Letter:
    """Return the mail of an invitation, in the language of whoever invited."""
    event = settings.event
    subject, text, html = compose(
        TEMPLATE,
        row.locale,
        event_name=event.name,
        accent=event.accent,
        action=event.action,
        contact_email=event.contact_email,
        invited_by=row.invited_by,
        role=row.role.value,
        link=f"{settings.public_url}/staff/invitations/{link_token(row.id, settings)}",
        expires_at=row.expires_at,
        timezone=event.timezone,
    )
    return Letter(
        to=row.email,
        subject=subject,
        text=text,
        html=html,
        message_id=f"<invitation.{row.id}@{urlsplit(settings.public_url).hostname}>",
        locale=row.locale,
        reply_to=event.contact_email,
    )


def link_token(invitation_id: int, settings: Settings) -> str:
    """Return the unguessable part of a link: signed, so that the database holds no way in."""
    return str(_signer(settings).dumps(invitation_id))


def _read_token(token: str, settings: Settings) -> int:
    try:
        return int(_signer(settings).loads(token))
    except (BadData, TypeError, ValueError) as error:
        raise InvitationGone from error


def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key, salt="staff invitation")


def _is_open(now: datetime, invitation_id: int | None = None) -> list[sa.ColumnElement[bool]]:
    conditions = [Invitation.closed_at.is_(None), Invitation.expires_at > now]
    return conditions if invitation_id is None else [Invitation.id == invitation_id, *conditions]


def _close(
    session: Session, invitation_id: int, now: datetime, *conditions: sa.ColumnElement[bool]
) -> bool:
    mine = (Invitation.id == invitation_id, Invitation.closed_at.is_(None), *conditions)
    return affected(session, sa.update(Invitation).where(*mine).values(closed_at=now)) == 1


def _note(session: Session, action: str, row: Invitation, by: Actor, now: datetime) -> None:
    audit.record(
        session,
        actor=by,
        action=action,
        subject=Subject("invitation", str(row.id), row.email),
        after={"role": row.role},
        now=now,
    )
