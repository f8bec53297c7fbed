"""Seats that types share, under a rush and while staff change who shares them."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.extensions import db
from app.models import Quota, TicketStock, VoucherEffect, VoucherUse
from app.services.running.transaction import transaction
from app.services.selling import inventory, quota_editing, quota_moves, ticket_editing, vouchers
from app.services.selling import voucher_editing as editing
from app.services.selling.inventory import Quantities, QuotaIds
from app.services.selling.ordering import PlacedOrder
from app.services.selling.voucher_refusals import VoucherUsedUp
from app.services.selling.wishes import QuotaWish, VoucherWish
from tests.money.world import World, request_for

BUYERS = 12
SHARED = 5
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
    one, other = (world.add_ticket(name, amount=100) for name in ("A", "B"))
    share(world, SHARED, one, other)
    return one, other


def rush(world: World, *ticket_ids: int, **more: Any) -> list[PlacedOrder | Exception]:
    """Let buyers come at once, in turn for each of these tickets."""

    def buy(number: int) -> PlacedOrder:
        wanted = request_for({ticket_ids[number % len(ticket_ids)]: 1})
        return world.place_request(replace(wanted, **more))

    return world.in_threads(BUYERS, buy)


def test_two_types_never_sell_one_shared_seat_twice(mariadb_world: World) -> None:
    results = rush(mariadb_world, *two_types(mariadb_world))

    refused = [result for result in results if isinstance(result, Exception)]
    assert len(results) - len(refused) == SHARED
    assert {type(error) for error in refused} == {SoldOut}
    assert mariadb_world.violations() == []


meeting = threading.Barrier(2)


def careless_hold(session: Session, quantities: Quantities, quota_ids: QuotaIds) -> None:
    """Hold each type rightly, but read, think and write what they share."""
    for ticket_id, quantity in sorted(quantities.items()):
        stock = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
        session.execute(stock.values(held=TicketStock.held + quantity))
        row = session.get_one(Quota, quota_ids[ticket_id], populate_existing=True)
        held = row.held
        if row.amount - held - row.sold < quantity:
            raise SoldOut({ticket_id: 0})
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=1)
        session.execute(sa.update(Quota).where(Quota.id == row.id).values(held=held + quantity))


def test_without_the_guard_the_same_rush_breaks_the_quota(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "hold", careless_hold)

    results = rush(mariadb_world, *two_types(mariadb_world))

    placed = [result for result in results if isinstance(result, PlacedOrder)]
    assert len(placed) > SHARED or mariadb_world.violations() != []


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


@pytest.mark.parametrize("is_guarded", [True, False])
def test_an_order_holds_the_quota_its_ticket_has_at_that_moment(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    ticket = mariadb_world.add_ticket()
    share(mariadb_world, 5, ticket, name="Lama")
    new = share(mariadb_world, 5, name="Baru")
    if not is_guarded:
        monkeypatch.setattr(inventory, "_has_quota", lambda _quota_id: sa.true())

    with moved_meanwhile(mariadb_world, monkeypatch, to=new):
        mariadb_world.place(ticket, 2)

    assert (mariadb_world.violations() == []) is is_guarded
    assert quotas(mariadb_world) == {"Lama": 0 if is_guarded else 2, "Baru": 2 if is_guarded else 0}


def test_staff_change_quotas_while_orders_come_and_go(mariadb_world: World) -> None:
    ticket = mariadb_world.add_ticket(amount=1_000)
    ids: list[int | None] = [share(mariadb_world, 500, name=name) for name in ("A", "B")]
    stop = threading.Event()

    def act(number: int) -> int:
        if number:
            for _ in range(6):
                mariadb_world.place(ticket)
            return 0
        for moves, quota_id in enumerate(itertools.cycle([*ids, None])):
            if stop.is_set() or moves > 12:
                return moves
            with mariadb_world.app.app_context():
                now = mariadb_world.now()
                seen = ticket_editing.get_ticket(ticket, now).wish
                wish = replace(seen, quota_id=quota_id)
                ticket_editing.change_ticket(ticket, wish, seen=seen, by="tests", now=now)
        return 0

    results = mariadb_world.in_threads(5, act)

    assert not [each for each in results if isinstance(each, Exception)], results
    assert mariadb_world.violations() == []


def make_voucher(world: World) -> int:
    with world.app.app_context():
        wish = VoucherWish(VoucherEffect.PERCENT, 50, None, SHARED, None, None, "")
        return editing.create_voucher(CODE, wish, by="tests", now=world.now())


def test_a_code_is_never_used_for_more_seats_than_it_is_good_for(mariadb_world: World) -> None:
    make_voucher(mariadb_world)

    results = rush(mariadb_world, mariadb_world.add_ticket(amount=100), voucher=CODE)

    refused = [result for result in results if isinstance(result, Exception)]
    assert len(results) - len(refused) == SHARED
    assert {type(error) for error in refused} == {VoucherUsedUp}
    assert mariadb_world.violations() == []


def careless_use(session: Session, seats: vouchers.VoucherSeats) -> None:
    """Read, think, write: how a code is used too often."""
    for voucher_id, quantity in seats.items():
        row = session.get_one(VoucherUse, voucher_id, populate_existing=True)
        used = row.used
        if row.left is not None and row.left < quantity:
            raise VoucherUsedUp(row.left)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=1)
        mine = sa.update(VoucherUse).where(VoucherUse.voucher_id == voucher_id)
        session.execute(mine.values(used=used + quantity))


def test_without_the_guard_a_code_is_used_too_often(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_voucher(mariadb_world)
    monkeypatch.setattr(vouchers, "use", careless_use)
    tickets = [mariadb_world.add_ticket(name, amount=100) for name in "ABCD"]

    results = rush(mariadb_world, *tickets, voucher=CODE)

    placed = [result for result in results if isinstance(result, PlacedOrder)]
    assert len(placed) > SHARED or mariadb_world.violations() != []
