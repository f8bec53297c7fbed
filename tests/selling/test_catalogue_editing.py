"""Staff change tickets, quotas and vouchers while buyers order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.errors import NotFound, SoldOut, TicketNotFound, ValidationFailed
from app.extensions import db
from app.models import AuditEntry, Order, OrderItem, SaleStatus, VoucherEffect
from app.services.selling import quota_editing, ticket_editing, voucher_editing
from app.services.selling.catalogue_refusals import (
    AmountTooLow,
    ChangedMeanwhile,
    CodeTaken,
    NameTaken,
    QuotaTooSmall,
    SeatsTooFew,
)
from app.services.selling.wishes import QuotaWish, TicketWish, VoucherWish
from app.services.waiting.line import read_seats
from tests.money.world import World, request_for

BY = "tests"
HALF = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")


def wish(world: World, name: str = "Reguler", **changes: object) -> TicketWish:
    now = world.now()
    begin, end = now - timedelta(days=1), now + timedelta(days=30)
    plain = TicketWish(
        name, f"About {name}", 150_000, 10, 1, 5, begin, end, None, None, False, None
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@contextmanager
def office(world: World) -> Iterator[World]:
    with world.app.app_context():
        yield world
        db.session.rollback()


def create(world: World, name: str = "Reguler", **changes: object) -> int:
    with office(world):
        return ticket_editing.create_ticket(wish(world, name, **changes), by=BY, now=world.now())


def change(world: World, ticket_id: int, seen: TicketWish | None = None, **changes: object) -> None:
    with office(world):
        now = ticket_editing.get_ticket(ticket_id, world.now()).wish
        seen = seen or now
        ticket_editing.change_ticket(
            ticket_id,
            replace(seen, **changes),  # type: ignore[arg-type]
            seen=seen,
            by=BY,
            now=world.now(),
        )


def overview(world: World, ticket_id: int) -> ticket_editing.TicketOverview:
    with office(world):
        return ticket_editing.get_ticket(ticket_id, world.now())


def make_quota(world: World, amount: int, name: str = "Aula") -> int:
    with office(world):
        return quota_editing.create_quota(QuotaWish(name, amount), by=BY, now=world.now())


def actions(world: World) -> list[str]:
    with office(world):
        return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_ticket_made_in_the_office_is_sold_at_once_and_its_price_stays_with_the_order(
    world: World,
) -> None:
    ticket = create(world, price=100_000)
    placed = world.place(ticket, 2)

    change(world, ticket, price=120_000, amount=3)

    with office(world):
        items = db.session.scalars(sa.select(OrderItem)).all()
        assert [(item.price, item.quantity, item.list_price) for item in items] == [
            (100_000, 2, None)
        ]
    assert placed.total == 200_000
    assert world.place(ticket).total == 120_000
    found = overview(world, ticket)
    assert (found.held, found.available, found.status) == (3, 0, SaleStatus.SOLD_OUT)
    assert actions(world) == ["ticket.added", "ticket.changed"]
    assert world.violations() == []


def test_an_amount_below_what_is_taken_is_refused_with_the_number(world: World) -> None:
    ticket = create(world)
    world.place(ticket, 4)

    with pytest.raises(AmountTooLow) as refused:
        change(world, ticket, amount=3, price=1)

    assert refused.value.taken == 4
    assert overview(world, ticket).wish.price == 150_000, "all or nothing"


def test_two_people_who_change_different_fields_keep_both_changes(world: World) -> None:
    ticket = create(world)
    seen = overview(world, ticket).wish

    change(world, ticket, seen, price=90_000)
    change(world, ticket, seen, max_per_order=2)

    found = overview(world, ticket).wish
    assert (found.price, found.max_per_order) == (90_000, 2)


def test_a_stale_form_does_not_overwrite_the_same_field(world: World) -> None:
    ticket = create(world)
    seen = overview(world, ticket).wish
    change(world, ticket, seen, price=90_000)

    with pytest.raises(ChangedMeanwhile) as refused:
        change(world, ticket, seen, price=95_000)

    assert refused.value.fields == ("price",)
    assert refused.value.now.price == 90_000


def test_what_no_ticket_can_be_is_told_by_field(world: World) -> None:
    with pytest.raises(ValidationFailed) as refused:
        create(world, " ", min_per_order=6, price=-1, valid_until=world.now() - timedelta(days=9))

    fields = {error.field for error in refused.value.errors}
    assert fields == {"type", "min_per_order", "price", "valid_until"}
    with pytest.raises(ValidationFailed):
        create(world, quota_id=99)
    create(world, "Reguler")
    with pytest.raises(NameTaken):
        create(world, " Reguler ")


def test_tickets_are_listed_in_the_order_staff_give_them(world: World) -> None:
    first, second, third = (create(world, name) for name in "ABC")
    with office(world):
        ticket_editing.move_ticket(third, -1, by=BY, now=world.now())
        ticket_editing.move_ticket(third, -1, by=BY, now=world.now())
        ticket_editing.move_ticket(third, -1, by=BY, now=world.now())
        ticket_editing.move_ticket(first, 1, by=BY, now=world.now())
        listed = [each.id for each in ticket_editing.list_all_tickets(world.now())]
        with pytest.raises(NotFound):
            ticket_editing.move_ticket(99, 1, by=BY, now=world.now())

    assert listed == [third, second, first]
    assert actions(world).count("ticket.moved") == 3, "at the end nothing moved"


def test_a_retired_ticket_is_unknown_to_buyers_and_its_orders_go_on(world: World) -> None:
    ticket = create(world)
    placed = world.order(ticket)
    with office(world):
        ticket_editing.retire_ticket(ticket, by=BY, now=world.now())

    with pytest.raises(TicketNotFound):
        world.place(ticket)
    world.standin.pay(world.invoice_id(placed))
    world.callback(placed)
    world.work()
    assert world.standing(placed).order == "PAID"

    with office(world):
        ticket_editing.reopen_ticket(ticket, by=BY, now=world.now())
    world.place(ticket)
    assert world.violations() == []


def test_a_ticket_moves_between_quotas_with_what_it_holds_and_sold(world: World) -> None:
    small, large = make_quota(world, 3, "Balkon"), make_quota(world, 8, "Aula")
    ticket = create(world, quota_id=large)
    world.place(ticket, 4)

    with pytest.raises(QuotaTooSmall) as refused:
        change(world, ticket, quota_id=small)
    assert refused.value.left == 3

    change(world, ticket, quota_id=None)
    change(world, ticket, quota_id=large)
    with pytest.raises(SoldOut) as sold_out:
        world.place(ticket, 5)
    assert sold_out.value.available == {ticket: 4}, "ten of its own, eight of the quota"
    with office(world):
        quotas = {each.wish.name: each for each in quota_editing.list_quotas()}
        with pytest.raises(AmountTooLow):
            quota_editing.change_quota(
                large,
                QuotaWish("Aula", 3),
                seen=quotas["Aula"].wish,
                by=BY,
                now=world.now(),
            )
    assert (quotas["Aula"].held, quotas["Balkon"].held) == (4, 0)
    assert quotas["Aula"].tickets == ("Reguler",)
    assert world.violations() == []


def test_vouchers_are_made_changed_and_retired(world: World) -> None:
    ticket = create(world)
    named = replace(HALF, ticket_ids=(ticket,), max_seats=2, note="Untuk panitia")
    with office(world):
        now = world.now()
        voucher = voucher_editing.create_voucher("TEMAN-2027", named, by=BY, now=now)
        with pytest.raises(CodeTaken):
            voucher_editing.create_voucher("TEMAN-2027", HALF, by=BY, now=now)
        with pytest.raises(ValidationFailed):
            voucher_editing.create_voucher("ABCD", replace(HALF, value=101), by=BY, now=now)
        with pytest.raises(ValidationFailed):
            voucher_editing.create_voucher("ABCD", replace(HALF, ticket_ids=(99,)), by=BY, now=now)
        wider = replace(named, max_seats=None)
        voucher_editing.change_voucher(voucher, wider, seen=named, by=BY, now=now)
        voucher_editing.retire_voucher(voucher, by=BY, now=now)
        found = voucher_editing.get_voucher(voucher)
        assert (found.wish, found.retired_at, found.tickets) == (wider, now, ("Reguler",))
        voucher_editing.reopen_voucher(voucher, by=BY, now=now)
        assert voucher_editing.get_voucher(voucher).retired_at is None
    assert actions(world)[1:] == [
        "voucher.added",
        "voucher.changed",
        "voucher.retired",
        "voucher.reopened",
    ]


def test_many_codes_are_made_at_once_and_found_by_their_beginning(world: World) -> None:
    with office(world):
        now = world.now()
        codes = voucher_editing.create_vouchers(120, HALF, prefix="PERS", by=BY, now=now)
        voucher_editing.create_voucher("LAIN", HALF, by=BY, now=now)
        first = voucher_editing.list_vouchers(search=" pers", limit=100)
        rest = voucher_editing.list_vouchers(search="pers", before=first[-1].id)
        with pytest.raises(SeatsTooFew):
            voucher_editing.change_voucher(
                _used(world, codes[0]), replace(HALF, max_seats=1), seen=HALF, by=BY, now=now
            )
    assert len(set(codes)) == 120
    assert sorted(each.code for each in first + rest) == codes
    assert world.count(Order) == 1
    assert actions(world)[0] == "voucher.batch_added"


def _used(world: World, code: str) -> int:
    """Order two seats with a voucher and return its id."""
    request = replace(request_for({create(world): 2}), voucher=code)
    world.place_request(request)
    return voucher_editing.list_vouchers(search=code)[0].id


def test_the_fair_door_counts_shared_seats_once(world: World) -> None:
    quota = make_quota(world, 12)
    one, other = (create(world, name, quota_id=quota) for name in "AB")
    alone, gone = create(world, "C", amount=3), create(world, "D")
    world.place(one, 2)
    with office(world):
        ticket_editing.retire_ticket(gone, by=BY, now=world.now())
        seats = read_seats(db.session(), world.now())
    assert (seats.left, seats.held) == (10 + 3, 2), "ten each of A and B's own, ten of both's"
    assert overview(world, other).available == overview(world, alone).available + 7
