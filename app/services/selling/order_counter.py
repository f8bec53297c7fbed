"""The counter: orders that come at the same moment are placed together, in one transaction.

What one of them does wrong must not be felt by the others: a refusal by rule is found before
anything is written; what the database refuses bars only the order that it names, or, when it names
none (the last seats went meanwhile), each is placed alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.errors import Busy, DomainError, IdempotencyInProgress, IdempotencyKeyReused
from app.models import IdempotencyKey, Order, OrderStatus, PaymentStatus
from app.services.running.group_commit import GroupCommit
from app.services.running.per_engine import per_engine
from app.services.running.transaction import CommitUnknown, insert, transaction, use_case, violates
from app.services.selling import eticketing, inventory, vouchers
from app.services.selling.offers import Offer, Room, find_offers
from app.services.selling.order_request import check_request
from app.services.selling.order_writing import (
    Draft,
    IdempotencyRef,
    PlacedItem,
    PlacedOrder,
    PricedDraft,
    write_orders,
)
from app.services.selling.placed_orders import find_earlier, find_placed
from app.services.selling.vouchers import VoucherTerms, find_vouchers

LOCK_WAIT_TIMEOUT = 1205

Outcome = PlacedOrder | Exception


class _Barred(Exception):
    """This draft cannot be written, for this reason; those beside it can."""

    def __init__(self, draft: Draft, reason: Exception) -> None:
        super().__init__(draft.code)
        self.draft = draft
        self.reason = reason


@per_engine
def counter_of(_engine: sa.Engine) -> GroupCommit[Draft, PlacedOrder]:
    """Return where this process places its orders in this database."""
    return GroupCommit(_serve)


def _serve(drafts: Sequence[Draft]) -> list[Outcome]:
    """Place orders together, or as many of them as can be; return what came of each."""
    if not drafts:
        return []
    try:
        return _place_together(drafts)
    except _Barred as barred:
        others = iter(_serve([each for each in drafts if each is not barred.draft]))
        barred_outcome = _explain(barred)
        return [barred_outcome if each is barred.draft else next(others) for each in drafts]
    except Busy as error:
        return [error] * len(drafts)
    except Exception as error:  # noqa: BLE001 (it is raised where the order was asked for)
        if len(drafts) > 1:
            return [_serve([draft])[0] for draft in drafts]
        return [error]


@use_case
def _place_together(drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    try:
        with transaction() as session:
            outcomes = _place(session, drafts)
    except CommitUnknown:
        return [
            outcome
            if isinstance(outcome, Exception)
            else find_placed(Order.code == draft.code) or Busy()
            for draft, outcome in zip(drafts, outcomes, strict=True)
        ]
    return outcomes


def _place(session: Session, drafts: Sequence[Draft]) -> list[Outcome]:
    """Write the orders that every rule allows; return a refusal for each other one."""
    wanted = {item.ticket_id for draft in drafts for item in draft.request.items}
    codes = {code for draft in drafts if (code := draft.request.voucher) is not None}
    offers = find_offers(session, wanted)
    terms = find_vouchers(session, codes) if codes else {}
    room = Room(offers.values(), terms.values())
    checked = [_check(draft, offers, terms, room) for draft in drafts]
    allowed = [each for each in checked if isinstance(each, PricedDraft)]
    placed = iter(_write(session, allowed) if allowed else ())
    return [each if isinstance(each, DomainError) else next(placed) for each in checked]


def _check(
    draft: Draft, offers: Mapping[int, Offer], terms: Mapping[str, VoucherTerms], room: Room
) -> PricedDraft | DomainError:
    """Return the draft at today's prices and take its seats from `room`, or its refusal."""
    voucher = terms.get(draft.request.voucher or "")
    try:
        check_request(draft.request, offers, voucher, room, draft.now)
    except DomainError as refusal:
        return refusal
    wanted = draft.request.quantities()
    items = tuple(PlacedItem.of(offers[key], wanted[key], voucher) for key in sorted(wanted))
    priced = PricedDraft(draft, items)
    room.take(wanted, priced.voucher_seats)
    return priced


def _write(session: Session, orders: Sequence[PricedDraft]) -> list[PlacedOrder]:
    placed = write_orders(session, orders)
    seats: Counter[int] = Counter()
    uses: Counter[int] = Counter()
    quota_ids: dict[int, int | None] = {}
    for each, order in zip(orders, placed, strict=True):
        seats.update({item.ticket_id: item.quantity for item in each.items})
        uses.update(each.voucher_seats)
        quota_ids |= {item.ticket_id: item.ticket.quota_id for item in each.items}
        if each.draft.idempotency:
            _claim_key(session, each.draft, each.draft.idempotency, order.order_id)
    inventory.hold(session, seats, quota_ids)  # last: its lock is what all other orders wait for
    vouchers.use(session, uses)
    for each, order in zip(orders, placed, strict=True):
        if order.is_paid:
            free = session.get_one(Order, order.order_id)
            inventory.sell(session, free.quantities)
            settle_free(session, free, each.draft.now)
    return placed


def _claim_key(session: Session, draft: Draft, ref: IdempotencyRef, order_id: int) -> None:
    """Claim a caller's key. A twin still at work makes this wait for its end, and then fail."""
    try:
        insert(
            session,
            IdempotencyKey,
            scope=ref.scope,
            key=ref.key,
            fingerprint=draft.request.fingerprint(),
            order_id=order_id,
            created_at=draft.now,
        )
    except IntegrityError as error:
        if violates(error, "uq_idempotency_keys_scope_key", "idempotency_keys.key"):
            raise _Barred(draft, error) from error
        raise
    except OperationalError as error:
        if error.orig is not None and error.orig.args[0] == LOCK_WAIT_TIMEOUT:
            raise _Barred(draft, IdempotencyInProgress()) from error
        raise


def _explain(barred: _Barred) -> Outcome:
    """Return what bars a draft: a twin at work, or what that has become meanwhile.

    A twin that has come to nothing bars nobody: the draft is then served for itself.
    """
    ref = barred.draft.idempotency
    if ref is None or not isinstance(barred.reason, IntegrityError):
        return barred.reason
    try:
        return find_earlier(barred.draft.request, ref) or _serve([barred.draft])[0]
    except (IdempotencyKeyReused, Busy) as refusal:
        return refusal


def settle_free(session: Session, order: Order, now: datetime) -> None:
    """Make an order of nothing PAID, with its e-tickets; its stock is the caller's to move."""
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    order.payment.move_to(PaymentStatus.PAID)
    order.payment.paid_at = now
    order.payment.paid_amount = 0
    eticketing.issue(session, order, now)
