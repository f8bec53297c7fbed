"""Seats that types share, when two come at once and while staff change who shares them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.extensions import db
from app.models import Quota, TicketStock, VoucherEffect, VoucherUse
from app.services.running.transaction import affected, transaction
from app.services.selling import inventory, quota_editing, quota_moves, ticket_editing, vouchers
from app.services.selling import voucher_editing as editing
from app.services.selling.inventory import Quantities, QuotaIds
from app.services.selling.ordering import PlacedOrder
from app.services.selling.voucher_refusals import VoucherUsedUp
from app.services.selling.wishes import QuotaWish, VoucherWish
from tests.harness.interleaving import MOMENT, say_moment
from tests.money.world import World, request_for

CODE = "TEMAN"

pytestmark = pytest.mark.usefixtures("a_process_each")


def share(world: World, amount: int, *ticket_ids: int, name: str = "Aula") -> int:
    """Make a quota for these tickets and return its id."""
    with world.app.app_context():
        quota = quota_editing.create_quota(QuotaWish(name, amount), by="tests", now=world.now())
        with transaction() as session:
            quota_moves.assign(session, dict.fromkeys(ticket_ids, quota))
        return quota


def two_types(world: World) -> tuple[int, int]:
    """Return two tickets that share one seat."""
    one, other = (world.add_ticket(name, amount=100) for name in ("A", "B"))
    share(world, 1, one, other)
    return one, other


def two_buy(
    world: World, tickets: tuple[int, int], *, after: str, **more: Any
) -> list[PlacedOrder | Exception]:
    """Let one buyer come for the second ticket while one of the first ticket is held."""

    def buy(ticket: int) -> PlacedOrder:
        return world.place_request(replace(request_for({ticket: 1}), **more))

    return list(world.overlap(*[partial(buy, ticket) for ticket in tickets], after=after))


@pytest.mark.parametrize("moment", ["FROM tickets", "UPDATE ticket_stock", "UPDATE quotas"])
def test_two_types_never_sell_one_shared_seat_twice(mariadb_world: World, moment: str) -> None:
    results = two_buy(mariadb_world, two_types(mariadb_world), after=moment)

    assert {type(result) for result in results} == {PlacedOrder, SoldOut}, results
    assert mariadb_world.violations() == []


def careless_hold(session: Session, quantities: Quantities, quota_ids: QuotaIds) -> None:
    """Hold each type rightly, but read, think and write what they share."""
    for ticket_id, quantity in sorted(quantities.items()):
        stock = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
        session.execute(stock.values(held=TicketStock.held + quantity))
        row = session.get_one(Quota, quota_ids[ticket_id], populate_existing=True)
        held = row.held
        if row.amount - held - row.sold < quantity:
            raise SoldOut({ticket_id: 0})
        say_moment(session)
        session.execute(sa.update(Quota).where(Quota.id == row.id).values(held=held + quantity))


def test_without_the_guard_the_shared_seat_is_sold_twice(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "hold", careless_hold)

    results = two_buy(mariadb_world, two_types(mariadb_world), after=MOMENT)

    assert [type(result) for result in results] == [PlacedOrder] * 2
    assert mariadb_world.violations() != []


@contextmanager
def moved_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, to: int) -> Iterator[None]:
    """Let the ticket change its quota after an order has read it and before it holds its seats."""
    hold = inventory.hold

    def overtaken(session: Any, quantities: Quantities, quota_ids: QuotaIds) -> None:
        monkeypatch.setattr(inventory, "hold", hold)
        with world.app.app_context(), transaction() as other:
            quota_moves.assign(other, dict.fromkeys(quantities, to))
        hold(session, quantities, quota_ids)

    monkeypatch.setattr(inventory, "hold", overtaken)
    yield


def quotas(world: World) -> dict[str, int]:
    with world.app.app_context():
        return {quota.name: quota.held for quota in db.session.scalars(sa.select(Quota))}


def is_moved_of_any(session: Session, move: Any, row: dict[str, int], _quota_id: object) -> bool:
    """Move seats of a ticket whatever quota it has."""
    update = move.update(TicketStock.__table__).where(TicketStock.ticket_id == row["ticket"])
    return affected(session, update, {"seats": row["seats"]}) == 1


@pytest.mark.parametrize("is_guarded", [True, False])
def test_an_order_holds_the_quota_its_ticket_has_at_that_moment(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    ticket = mariadb_world.add_ticket()
    share(mariadb_world, 5, ticket, name="Lama")
    new = share(mariadb_world, 5, name="Baru")
    if not is_guarded:
        monkeypatch.setattr(inventory, "_is_moved_of_quota", is_moved_of_any)

    with moved_meanwhile(mariadb_world, monkeypatch, to=new):
        mariadb_world.place(ticket, 2)

    assert (mariadb_world.violations() == []) is is_guarded
    assert quotas(mariadb_world) == {"Lama": 0 if is_guarded else 2, "Baru": 2 if is_guarded else 0}


@pytest.mark.parametrize("moment", ["FROM tickets", "UPDATE ticket_stock", "UPDATE quotas"])
@pytest.mark.parametrize("is_shared_after", [True, False])
def test_staff_change_a_quota_while_somebody_orders(
    mariadb_world: World, moment: str, is_shared_after: bool
) -> None:
    ticket = mariadb_world.add_ticket()
    share(mariadb_world, 5, ticket, name="Lama")
    new = share(mariadb_world, 5, name="Baru") if is_shared_after else None

    def move() -> None:
        now = mariadb_world.now()
        seen = ticket_editing.get_ticket(ticket, now).wish
        wish = replace(seen, quota_id=new)
        ticket_editing.change_ticket(ticket, wish, seen=seen, by="tests", now=now)

    mariadb_world.place(ticket)
    acts: list[Callable[[], object]] = [lambda: mariadb_world.place(ticket, 2), move]
    placed, moved = mariadb_world.overlap(*acts, after=moment)

    assert isinstance(placed, PlacedOrder)
    assert moved is None
    assert mariadb_world.violations() == []


def make_voucher(world: World) -> int:
    """Make a code that is good for one seat."""
    with world.app.app_context():
        wish = VoucherWish(VoucherEffect.PERCENT, 50, None, 1, None, None, "")
        return editing.create_voucher(CODE, wish, by="tests", now=world.now())


def two_use_a_code(world: World, *, after: str) -> list[PlacedOrder | Exception]:
    make_voucher(world)
    one, other = (world.add_ticket(name) for name in ("A", "B"))
    return two_buy(world, (one, other), after=after, voucher=CODE)


@pytest.mark.parametrize("moment", ["FROM vouchers", "UPDATE ticket_stock", "UPDATE voucher_use"])
def test_a_code_is_never_used_for_more_seats_than_it_is_good_for(
    mariadb_world: World, moment: str
) -> None:
    results = two_use_a_code(mariadb_world, after=moment)

    assert {type(result) for result in results} == {PlacedOrder, VoucherUsedUp}, results
    assert mariadb_world.violations() == []


def careless_use(session: Session, seats: vouchers.VoucherSeats) -> None:
    """Read, think, write: how a code is used too often."""
    for voucher_id, quantity in seats.items():
        row = session.get_one(VoucherUse, voucher_id, populate_existing=True)
        used = row.used
        if row.left is not None and row.left < quantity:
            raise VoucherUsedUp(row.left)
        say_moment(session)
        mine = sa.update(VoucherUse).where(VoucherUse.voucher_id == voucher_id)
        session.execute(mine.values(used=used + quantity))


def test_without_the_guard_a_code_is_used_too_often(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vouchers, "use", careless_use)

    results = two_use_a_code(mariadb_world, after=MOMENT)

    assert [type(result) for result in results] == [PlacedOrder] * 2
    assert mariadb_world.violations() != []
