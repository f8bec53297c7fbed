"""Changing seats where something is shared: a quota that is full, a voucher that was used."""

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.gateways import current_settings
from app.models import Order, Quota, TicketStock, Voucher, VoucherEffect, VoucherUse
from app.services.office.order_actions import MoveNotPossible
from app.services.selling.ordering import OrderRequest, WantedItem, place_order
from tests.office.acts import cancel, change
from tests.office.desk import SARI, Desk


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def order_with_voucher(desk: Desk, ticket_id: int, quantity: int) -> str:
    """Order and pay with a voucher that takes Rp 50.000 off each seat."""
    with desk.working():
        voucher = Voucher(
            code="TEMAN",
            effect=VoucherEffect.AMOUNT_OFF,
            value=50_000,
            is_for_all=True,
            created_at=desk.now(),
            use=VoucherUse(max_seats=5),
        )
        db.session.add(voucher)
    with desk.working():
        request = OrderRequest(SARI, (WantedItem(ticket_id, quantity),), "id", voucher="TEMAN")
        code = place_order(request, now=desk.now(), settings=current_settings()).code
    desk.pay(code)
    return code


def test_within_a_full_quota_seats_can_still_change_their_type(desk: Desk) -> None:
    early, regular = desk.add_ticket("Early Bird"), desk.add_ticket("Reguler")
    with desk.working():
        quota = Quota(name="Aula", amount=2)
        db.session.add(quota)
        db.session.flush()
        db.session.execute(sa.update(TicketStock).values(quota_id=quota.id))
    code = desk.paid_order(early, 2)

    change(desk, code, [1, 2], regular, 150_000)

    assert (desk.sold(early), desk.sold(regular), desk.violations()) == (0, 2, [])


def test_a_voucher_goes_with_its_seats_until_the_order_ends(desk: Desk) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=100_000)
    code = order_with_voucher(desk, dear, 3)

    change(desk, code, [2], cheap, 100_000)

    assert desk.refunds(code) == [("difference", 250_000)], "what was paid less what it is now"
    assert desk.violations() == []
    cancel(desk, code)
    with desk.app.app_context():
        assert db.session.scalars(sa.select(VoucherUse.used)).all() == [0]
    assert desk.violations() == []


def test_seats_of_one_type_have_one_price(desk: Desk) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=100_000)
    code = desk.paid_order(dear, 2)
    change(desk, code, [1], cheap, 100_000)
    with desk.working():
        order = db.session.get_one(Order, desk.id_of(code))
        [item] = [one for one in order.items if one.ticket_id == cheap]
        item.price, order.total = 80_000, order.total - 20_000

    with pytest.raises(MoveNotPossible):
        change(desk, code, [2], cheap, 100_000)

    assert desk.sold(cheap) == 1
