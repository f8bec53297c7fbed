"""Recent orders: which ones make another order doubtful, to the moment, on each database."""

from datetime import datetime, timedelta

from app.models import Order, OrderStatus
from app.services.selling.ordering import PlacedOrder
from app.services.selling.recent_orders import FRESH, RecentOrder, list_recent_orders
from tests.money.world import SARI, World

MOMENT = timedelta(microseconds=1)


def recent(
    world: World,
    *placed: PlacedOrder,
    email: str = SARI.email,
    now: datetime | None = None,
) -> list[RecentOrder]:
    with world.app.app_context():
        tokens = [each.token for each in placed]
        return list_recent_orders(tokens, email, now or world.now())


def test_an_open_order_counts_until_its_hold_is_over(each_world: World) -> None:
    world = each_world
    placed = world.place(world.add_ticket(price=150_000), 2)
    expected = RecentOrder(placed.code, placed.token, 300_000, 2, is_paid=False)
    assert recent(world, placed) == [expected]
    end = world.now() + timedelta(minutes=5)
    world.change(Order, Order.id == placed.order_id, expires_at=end)
    assert recent(world, placed, now=end - MOMENT) == [expected]
    assert recent(world, placed, now=end) == []


def test_a_paid_order_counts_for_a_day(each_world: World) -> None:
    world = each_world
    placed = world.place(world.add_ticket(price=0))
    paid_at = world.now()
    world.change(Order, Order.id == placed.order_id, paid_at=paid_at)
    fresh = recent(world, placed, now=paid_at + FRESH - MOMENT)
    assert [each.is_paid for each in fresh] == [True]
    assert recent(world, placed, now=paid_at + FRESH) == []


def test_only_orders_whose_token_is_known_count_and_only_of_this_address(
    each_world: World,
) -> None:
    world = each_world
    ticket = world.add_ticket()
    first, second = world.place(ticket), world.place(ticket)
    assert [each.code for each in recent(world, first, second)] == [first.code, second.code]
    assert [each.code for each in recent(world, second)] == [second.code]
    assert recent(world) == []
    assert recent(world, first, email="budi@example.com") == []
    assert len(recent(world, first, email=SARI.email.upper())) == 1


def test_an_order_that_ended_or_is_to_be_cancelled_does_not_count(each_world: World) -> None:
    world = each_world
    ticket = world.add_ticket()
    ended, leaving = world.place(ticket), world.place(ticket)
    world.change(Order, Order.id == ended.order_id, status=OrderStatus.EXPIRED)
    world.change(Order, Order.id == leaving.order_id, cancel_requested_at=world.now())
    assert recent(world, ended, leaving) == []
