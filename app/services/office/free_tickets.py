"""Free tickets: seats an admin gives away, as an order of price 0 that is paid at once."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.models import IdempotencyKey, Order
from app.services.money import postings
from app.services.office.order_actions import MoveNotPossible
from app.services.office.order_correcting import subject_of
from app.services.running import audit
from app.services.running.audit import By
from app.services.running.transaction import insert, reading, transaction, use_case, violates
from app.services.selling import inventory
from app.services.selling.offers import Offer, find_offers
from app.services.selling.order_counter import settle_free
from app.services.selling.order_writing import Draft, PlacedItem, PricedDraft, write_orders
from app.services.selling.ordering import OrderRequest

SCOPE = "free tickets"
NO_TYPE = _l("Choose a type of ticket.")


@dataclass(frozen=True)
class Gift:
    """Seats of one ticket for somebody; `key` is the form's own, and makes it one order."""

    request: OrderRequest
    reason: str
    key: str


def give(gift: Gift, *, by: By, now: datetime) -> str:
    """Give seats away and return their order's code; the e-tickets are mailed.

    They are taken from the stock, whether or not the ticket is on sale. The same form sent twice
    makes one order. Raises MoveNotPossible, Busy; nothing was kept then.
    """
    try:
        return _give(gift, by=by, now=now)
    except SoldOut as error:
        raise MoveNotPossible(_l("Not enough seats of that type are left.")) from error
    except IntegrityError as error:
        if violates(error, "uq_idempotency_keys_scope_key", "idempotency_keys.key"):
            return _find_given(gift)
        raise


@use_case
def _give(gift: Gift, *, by: By, now: datetime) -> str:
    with transaction() as session:
        [item] = gift.request.items
        offer = find_offers(session, {item.ticket_id}).get(item.ticket_id)
        if offer is None or offer.retired_at is not None:
            raise MoveNotPossible(NO_TYPE)
        order = _write(session, gift, offer, now)
        audit.record(
            session,
            actor=by,
            action="order.given",
            subject=subject_of(order),
            after={"ticket": offer.type, "seats": item.quantity},
            reason=gift.reason,
            now=now,
        )
        inventory.hold(session, order.quantities)  # last: all orders wait for these locks
        inventory.sell(session, order.quantities)
        return order.code


def _write(session: Session, gift: Gift, offer: Offer, now: datetime) -> Order:
    """Write the order as a buyer's is, but for nothing, and paid at once."""
    [item] = gift.request.items
    draft = Draft(
        gift.request, now, expires_at=now, api_key_id=None, has_head_start=False, idempotency=None
    )
    lines = (PlacedItem(offer, item.quantity, price=0),)
    [placed] = write_orders(session, [PricedDraft(draft, lines)])
    insert(
        session,
        IdempotencyKey,
        scope=SCOPE,
        key=gift.key,
        fingerprint=gift.request.fingerprint(),
        order_id=placed.order_id,
        created_at=now,
    )
    order = session.get_one(Order, placed.order_id)
    settle_free(session, order, now)
    postings.mark(session, order.id)
    return order


def _find_given(gift: Gift) -> str:
    """Return the order this form has made. Raises MoveNotPossible when it said something else."""
    same = sa.select(Order.code, IdempotencyKey.fingerprint).join(
        IdempotencyKey, IdempotencyKey.order_id == Order.id
    )
    same = same.where(IdempotencyKey.scope == SCOPE, IdempotencyKey.key == gift.key)
    with reading() as session:
        code, fingerprint = session.execute(same).one()
    if fingerprint != gift.request.fingerprint():
        raise MoveNotPossible(
            _l("This form has made order %(code)s already. Begin a new one.", code=code)
        )
    return str(code)
