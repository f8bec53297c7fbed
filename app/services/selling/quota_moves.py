"""Letting tickets draw on other quotas while people order: what is held and sold moves along."""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Quota, TicketStock
from app.services.running.transaction import affected
from app.services.selling.catalogue_refusals import QuotaTooSmall


def assign(
    session: Session,
    quota_ids: Mapping[int, int | None],
    amounts: Mapping[int, int] | None = None,
) -> None:
    """Give tickets (by id) these quotas, and quotas (by id) these amounts, all or nothing.

    Part of the caller's transaction, after every lock of `tickets` rows. The stock of all tickets
    is locked, ids ascending: so no order stands between its tickets and their quotas meanwhile.
    Raises QuotaTooSmall for the first quota into which what is held and sold does not fit.
    """
    columns = (TicketStock.ticket_id, TicketStock.quota_id, TicketStock.held, TicketStock.sold)
    stock = sa.select(*columns).order_by(TicketStock.ticket_id).with_for_update()
    held: Counter[int] = Counter()
    sold: Counter[int] = Counter()
    for ticket_id, old, ticket_held, ticket_sold in session.execute(stock).all():
        new = quota_ids.get(ticket_id, old)
        if new == old:
            continue
        mine = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
        affected(session, mine.values(quota_id=new))
        for quota_id, sign in ((old, -1), (new, 1)):
            if quota_id is not None:
                held[quota_id] += sign * ticket_held
                sold[quota_id] += sign * ticket_sold
    for quota_id in sorted({*held, *sold, *(amounts or {})}):
        amount = (amounts or {}).get(quota_id)
        _change(session, quota_id, held[quota_id], sold[quota_id], amount)


def _change(session: Session, quota_id: int, held: int, sold: int, amount: int | None) -> None:
    new_amount = Quota.amount if amount is None else amount
    will_fit = Quota.held + Quota.sold + held + sold <= new_amount
    values = {"held": Quota.held + held, "sold": Quota.sold + sold, "amount": new_amount}
    update = sa.update(Quota).where(Quota.id == quota_id, will_fit).values(values)
    if affected(session, update) != 1:
        quota = session.get_one(Quota, quota_id, populate_existing=True)
        left = (quota.amount if amount is None else amount) - quota.held - quota.sold
        raise QuotaTooSmall(quota.name, max(0, left))
