"""Two people act on one order at the same moment: one of them does, the other is told."""

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import ETicket, Order, Ticket
from app.services.money.payments import lock_order
from app.services.office import free_tickets, order_actions, order_ending, seat_changing
from app.services.office.free_tickets import Gift
from app.services.office.order_actions import OrderChanged
from app.services.office.order_print import OrderFacts, changed_parts, read_facts
from app.services.office.seat_changing import SeatWish
from app.services.selling.ordering import OrderRequest, WantedItem
from tests.harness.interleaving import overlap
from tests.office.desk import BY, SARI, WHY, Desk

Act = Callable[[Desk, str, str, int], object]


def refund(desk: Desk, code: str, seen: str, number: int) -> None:
    order_id = desk.id_of(code)
    order_ending.refund(order_id, 50_000, reason=WHY, seen=seen, by=BY, now=desk.now())


def cancel(desk: Desk, code: str, seen: str, number: int) -> None:
    order_ending._cancel(desk.id_of(code), reason=WHY, seen=seen, by=BY, now=desk.now())


def change(desk: Desk, code: str, seen: str, number: int) -> None:
    """Move a seat to the other ticket: each of two people moves another seat."""
    tribune = db.session.scalars(sa.select(Ticket.id).where(Ticket.type == "Tribun")).one()
    wish = SeatWish([number + 1], tribune, 150_000)
    order_id = desk.id_of(code)
    seat_changing.change_seats(order_id, wish, reason=WHY, seen=seen, by=BY, now=desk.now())


def two_act(app: Flask, act: Act, *, after: str) -> tuple[Desk, str, list[object]]:
    """Let two people who have the same page open act, one between the other's statements."""
    desk = Desk(app)
    first = desk.add_ticket("Reguler")
    desk.add_ticket("Tribun")
    code = desk.paid_order(first)
    seen = desk.seen(code)
    results = overlap(app, *[partial(act, desk, code, seen, n) for n in (0, 1)], after=after)
    return desk, code, list(results)


@pytest.mark.parametrize("moment", ["FROM orders", "FOR UPDATE", "INSERT INTO audit_entries"])
@pytest.mark.parametrize("act", [cancel, change, refund])
def test_of_two_who_act_at_once_one_does(mariadb_app: Flask, act: Act, moment: str) -> None:
    desk, code, results = two_act(mariadb_app, act, after=moment)

    refused = [type(result) for result in results if isinstance(result, Exception)]
    assert refused == [OrderChanged], results
    assert len(desk.done(code)) == 1
    assert desk.violations() == []


def test_without_the_lock_both_would_change_seats(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: both look, both see the order as it was shown, both go on."""

    def look_without_lock(session: Session, order_id: int, seen: str) -> OrderFacts:
        """Compare what the page showed before the order is locked."""
        facts = read_facts(db.session.get_one(Order, order_id))
        if changed_parts(seen, facts):
            raise OrderChanged([])
        session.execute(sa.text("SELECT 'both have looked'"))
        session.rollback()
        return read_facts(lock_order(session, order_id))

    monkeypatch.setattr(order_actions, "lock_facts", look_without_lock)

    desk, code, results = two_act(mariadb_app, change, after="both have looked")

    assert [result for result in results if isinstance(result, Exception)] == []
    assert len(desk.done(code)) == 2


def test_without_the_comparison_both_would_cancel_what_one_had_changed(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control for cancelling: the state alone does not tell that seats changed."""
    desk = Desk(mariadb_app)
    first, second = desk.add_ticket("Reguler"), desk.add_ticket("Tribun")
    code = desk.paid_order(first)
    seen = desk.seen(code)
    with mariadb_app.app_context():
        change(desk, code, seen, 0)
        with pytest.raises(OrderChanged):
            cancel(desk, code, seen, 0)
        monkeypatch.setattr(order_actions, "changed_parts", lambda seen, facts: [])
        cancel(desk, code, seen, 0)
    assert (desk.sold(first), desk.sold(second)) == (0, 0)


@pytest.mark.parametrize("moment", ["FROM tickets", "INSERT INTO orders", "UPDATE ticket_stock"])
def test_one_form_sent_twice_at_once_gives_seats_once(mariadb_app: Flask, moment: str) -> None:
    desk = Desk(mariadb_app)
    ticket = desk.add_ticket("Reguler")
    gift = Gift(OrderRequest(SARI, (WantedItem(ticket, 2),)), WHY, "a-key-of-one-form")

    give = partial(free_tickets.give, gift, by=BY, now=desk.now())
    codes = overlap(mariadb_app, give, give, after=moment)

    assert len(set(codes)) == 1, codes
    assert desk.sold(ticket) == 2
    with mariadb_app.app_context():
        assert db.session.query(ETicket).count() == 2
    assert desk.violations() == []


@pytest.mark.parametrize("moment", ["FOR UPDATE", "UPDATE ticket_stock"])
def test_seats_are_changed_while_others_buy_them_and_none_is_sold_twice(
    mariadb_app: Flask, moment: str
) -> None:
    desk = Desk(mariadb_app)
    first, last = desk.add_ticket("Reguler"), desk.add_ticket("Tribun", amount=1)
    code = desk.paid_order(first, 1)
    seen = desk.seen(code)

    moved, bought = overlap(
        mariadb_app,
        lambda: change(desk, code, seen, 0),
        lambda: desk.order(last, 1),
        after=moment,
    )

    assert (moved is None) != isinstance(bought, str), (moved, bought)
    assert desk.violations() == []
