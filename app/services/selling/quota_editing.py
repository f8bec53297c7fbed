"""Quotas as staff see and change them."""

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Quota, Ticket, TicketStock
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import affected, reading, transaction, use_case, violates
from app.services.selling.catalogue_refusals import AmountTooLow, NameTaken
from app.services.selling.wishes import QuotaWish, check_quota, merge

__all__ = ["QuotaOverview", "QuotaWish", "change_quota", "create_quota", "get_quota", "list_quotas"]


@dataclass(frozen=True)
class QuotaOverview:
    """A quota, what is taken of it, and the types of the tickets that draw on it."""

    id: int
    wish: QuotaWish
    held: int
    sold: int
    tickets: tuple[str, ...]

    @property
    def available(self) -> int:
        """Return how many can still be held."""
        return self.wish.amount - self.held - self.sold


@use_case
def list_quotas() -> list[QuotaOverview]:
    """Return all quotas by name. Two statements."""
    with reading() as session:
        quotas = session.scalars(sa.select(Quota).order_by(Quota.name)).all()
        members = _members(session)
        return [_describe(quota, members) for quota in quotas]


@use_case
def get_quota(quota_id: int) -> QuotaOverview:
    """Return a quota. Raises NotFound."""
    with reading() as session:
        quota = session.get(Quota, quota_id, populate_existing=True)
        if quota is None:
            raise NotFound
        return _describe(quota, _members(session))


@use_case
def create_quota(wish: QuotaWish, *, by: By, now: datetime) -> int:
    """Make a quota without tickets and return its id. Raises ValidationFailed, NameTaken."""
    wish = QuotaWish(" ".join(wish.name.split()), wish.amount)
    check_quota(wish)
    with transaction() as session:
        quota = Quota(name=wish.name, amount=wish.amount, held=0, sold=0)
        session.add(quota)
        _flush(session)
        subject = Subject("quota", str(quota.id), quota.name)
        facts = asdict(wish)
        audit.record(session, actor=by, action="quota.added", subject=subject, after=facts, now=now)
        return quota.id


@use_case
def change_quota(quota_id: int, wish: QuotaWish, *, seen: QuotaWish, by: By, now: datetime) -> None:
    """Rename a quota or change its amount, at once.

    `seen` is what the form was drawn from. Raises NotFound, ValidationFailed, NameTaken,
    ChangedMeanwhile, AmountTooLow.
    """
    wish = QuotaWish(" ".join(wish.name.split()), wish.amount)
    check_quota(wish)
    with transaction() as session:
        quota = session.get(Quota, quota_id, with_for_update=True, populate_existing=True)
        if quota is None:
            raise NotFound
        before = wish_of(quota)
        after = merge(wish, seen=seen, now=before)
        quota.name = after.name
        _flush(session)
        resize(session, quota, after.amount)
        audit.record(
            session,
            actor=by,
            action="quota.changed",
            subject=Subject("quota", str(quota_id), after.name),
            before=asdict(before),
            after=asdict(after),
            now=now,
        )


def resize(session: Session, quota: Quota, amount: int) -> None:
    """Change the amount unless more are taken: buyers may be ordering. Raises AmountTooLow."""
    mine = sa.update(Quota).where(Quota.id == quota.id, Quota.held + Quota.sold <= amount)
    if affected(session, mine.values(amount=amount)) != 1:
        session.refresh(quota)
        raise AmountTooLow(quota.held + quota.sold)


def wish_of(quota: Quota) -> QuotaWish:
    """Return a quota as it stands."""
    return QuotaWish(quota.name, quota.amount)


def _describe(quota: Quota, members: dict[int, list[str]]) -> QuotaOverview:
    tickets = tuple(members.get(quota.id, ()))
    return QuotaOverview(quota.id, wish_of(quota), quota.held, quota.sold, tickets)


def _members(session: Session) -> dict[int, list[str]]:
    """Return the types of tickets by their quota, in catalogue order."""
    rows = session.execute(
        sa.select(TicketStock.quota_id, Ticket.type)
        .join(Ticket, Ticket.id == TicketStock.ticket_id)
        .where(TicketStock.quota_id.is_not(None))
        .order_by(Ticket.position, Ticket.id)
    )
    members: dict[int, list[str]] = {}
    for quota_id, ticket_type in rows:
        members.setdefault(quota_id or 0, []).append(ticket_type)
    return members


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if violates(error, "uq_quotas_name", "quotas.name"):
            raise NameTaken("name") from error
        raise
