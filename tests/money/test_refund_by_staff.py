"""Refunds and cancelling by staff: no money twice, seats free again, nothing claimed too soon."""

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import ETicket, Order, RefundStatus
from app.services.money import cancelling, deciding
from app.services.money.deciding import NotPossible
from app.services.money.letters import REFUND_SENT
from tests.money.refunded import STAFF, cancelled_order, letters, refund_of, sent_refund
from tests.money.world import Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)


def test_a_refund_that_xendit_has_is_not_done_by_hand_as_well(world: World) -> None:
    due, sent = cancelled_order(world, "QRIS"), sent_refund(world)

    for placed in (due, sent):
        with world.app.app_context(), pytest.raises(NotPossible):
            deciding.mark_refund_done(
                refund_of(world, placed).id, by=STAFF, note="x", now=world.now()
            )
    with world.app.app_context(), pytest.raises(NotPossible):
        deciding.retry_refund(refund_of(world, sent).id, by="tests", now=world.now())


@pytest.mark.parametrize("moment", ["FOR UPDATE", "UPDATE refunds"])
def test_two_who_transfer_at_once_are_told_so(mariadb_world: World, moment: str) -> None:
    placed = sent_refund(mariadb_world, "BCA")
    refund_id = refund_of(mariadb_world, placed).id

    def done() -> None:
        now = mariadb_world.now()
        deciding.mark_refund_done(refund_id, by=STAFF, note="done", now=now)

    results = mariadb_world.overlap(done, done, after=moment)

    assert [type(result).__name__ for result in results] == ["NoneType", "NotPossible"]
    assert letters(mariadb_world).count(REFUND_SENT) == 1


def test_what_no_channel_refunds_is_not_tried_through_xendit(world: World) -> None:
    placed = sent_refund(world, "OVO")

    with world.app.app_context(), pytest.raises(NotPossible):
        deciding.retry_refund(refund_of(world, placed).id, by="tests", now=world.now())

    assert refund_of(world, placed).status is RefundStatus.DUE


def test_cancelling_a_paid_order_revokes_its_e_tickets_and_frees_its_seats(
    each_world: World,
) -> None:
    placed = sent_refund(each_world)

    with each_world.app.app_context():
        order = db.session.get_one(Order, placed.order_id)
        made = db.session.scalars(sa.select(ETicket).where(ETicket.order_id == order.id))
        assert [e_ticket.revoked_at is not None for e_ticket in made] == [True]
        ticket_id = order.items[0].ticket_id
    each_world.place(ticket_id)
    assert each_world.violations() == []


def test_a_payment_that_wins_against_cancelling_is_not_called_cancelled(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.set_fault("paid_before_expire", times=1)

    with world.app.app_context():
        is_done = cancelling.cancel_unpaid(placed.order_id, now=world.now(), gateway=world.gateway)

    assert world.standing(placed) == PAID
    assert is_done is False
