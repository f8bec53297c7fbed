"""What hostile histories and the reading of the code for them have found: kept for ever."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.errors import Busy
from app.extensions import db
from app.integrations.xendit import XenditUnknown
from app.models import CaseStatus, JobStatus, MoneyCase, Refund
from app.services.money import cases, expiry, extending, invoicing, late_money
from app.services.money.cancelling import cancel_unpaid
from app.services.money.payments import CLOSE_INVOICE, READ_BACK
from app.services.selling.ordering import EXPIRE_ORDER, OPEN_INVOICE, PlacedOrder
from tests.money.refunded import late_payer
from tests.money.world import PRICE, Standing, World
from tests.torture.ledger import find_lost_money

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)


def with_twin(world: World) -> tuple[PlacedOrder, str]:
    """Place an order with two open invoices, one of which no answer ever named."""
    placed = world.place(world.add_ticket())
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    world.standin.set_fault("list_empty", times=1)
    world.try_open_invoice(placed)
    world.advance(seconds=46)
    world.work(OPEN_INVOICE)
    known = world.invoice_id(placed)
    (twin,) = set(world.payable(placed)) - {known}
    return placed, twin


def extend(world: World, placed: PlacedOrder) -> str | None:
    with world.app.app_context():
        return extending.extend_hold(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )


def payable(world: World) -> list[str]:
    return [each["id"] for each in world.standin.invoices() if each["status"] == "PENDING"]


def test_a_twin_is_closed_as_soon_as_it_is_seen_and_not_only_at_the_end(world: World) -> None:
    placed, twin = with_twin(world)

    world.advance(seconds=120)
    world.work(READ_BACK, CLOSE_INVOICE)

    assert world.payable(placed) == [world.invoice_id(placed)] != [twin]
    assert world.standing(placed).order == "PENDING"


def test_no_invoice_stays_open_when_closing_the_second_one_fails(world: World) -> None:
    placed, _twin = with_twin(world)
    world.advance_ours(hours=1)
    close, closed = invoicing.close_invoice, []

    def fails_once(invoice_id: str, **gateway: object) -> object:
        closed.append(invoice_id)
        if len(closed) == 2:
            raise XenditUnknown("502")
        return close(invoice_id, **gateway)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expiry, "close_invoice", fails_once)
        world.work(EXPIRE_ORDER)
    assert world.standing(placed).held == 1
    world.advance_ours(minutes=1)
    world.work(EXPIRE_ORDER)

    assert payable(world) == []
    assert world.standing(placed).order == "EXPIRED"


def test_an_answer_from_before_the_hold_was_extended_names_no_invoice_of_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = world.order(world.add_ticket())
    old = world.read(placed)
    monkeypatch.setattr(extending, "try_open_invoice", lambda *_, **__: None)
    extend(world, placed)

    with world.app.app_context():
        assert not invoicing._attach(placed.order_id, old, now=world.now(), settings=world.settings)

    assert world.payment(placed).invoice_id is None


def test_cancelling_between_two_invoices_still_asks_xendit_about_the_old_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = world.order(world.add_ticket())
    old = world.invoice_id(placed)
    monkeypatch.setattr(extending, "try_open_invoice", lambda *_, **__: None)
    world.standin.set_fault("html_502", call="expire", times=1)
    extend(world, placed)
    world.standin.pay(old)

    with world.app.app_context():
        cancel_unpaid(placed.order_id, now=world.now(), gateway=world.gateway)

    assert world.standing(placed) == PAID


def test_money_for_an_unheard_twin_of_an_earlier_invoice_is_found_by_reading(world: World) -> None:
    placed, twin = with_twin(world)
    extend(world, placed)
    world.standin.pay(twin)

    world.advance(minutes=2)
    world.work(READ_BACK)

    assert world.standing(placed) == PAID
    assert world.payment(placed).invoice_id == twin


@pytest.mark.parametrize("is_paid", [True, False])
@pytest.mark.parametrize("end", ["expired", "refused"])
def test_an_unheard_invoice_the_list_did_not_show_in_time_is_found_later(
    world: World, end: str, is_paid: bool
) -> None:
    placed = world.place(world.add_ticket())
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    world.try_open_invoice(placed)
    (unheard,) = world.payable(placed)
    world.standin.set_fault("list_empty", times=1)
    if end == "expired":
        world.advance_ours(minutes=31)
        world.work(EXPIRE_ORDER)
    else:
        world.standin.set_fault("error_without_message", call="create", times=1)
        world.advance_ours(seconds=46)
        world.work(OPEN_INVOICE)
    assert world.standing(placed).order in ("EXPIRED", "CANCELLED")
    if is_paid:
        world.standin.pay(unheard)

    world.advance_ours(minutes=2)
    world.work(READ_BACK, CLOSE_INVOICE)

    assert world.payable(placed) == []
    assert (world.standing(placed) == PAID) is is_paid


def test_a_seat_freed_by_a_refused_invoice_goes_to_who_waits_for_it(world: World) -> None:
    late = late_payer(world)
    with world.app.app_context():
        late_money.wait_for_seats(late.order_id, now=world.now())
    world.work(cases.SERVE_WAITING)
    assert world.standing(late).order == "EXPIRED"
    world.standin.set_fault("error_without_message", call="create", times=1)

    world.advance_ours(seconds=20)
    world.work(OPEN_INVOICE, cases.SERVE_WAITING)

    assert world.standing(late) == PAID


def test_a_database_that_is_away_at_the_deadline_does_not_lose_the_refund(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = late_payer(world)
    world.advance(days=3, minutes=1)

    with monkeypatch.context() as patch:
        patch.setattr(late_money, "take_money_back", _busy)
        world.work(cases.CLOSE_CASE)
    assert world.jobs(cases.CLOSE_CASE, JobStatus.FAILED) == []
    world.advance(minutes=1)
    world.work(cases.CLOSE_CASE)

    with world.app.app_context():
        assert db.session.scalars(sa.select(Refund.amount)).all() == [PRICE]
    assert world.standing(late).payment == "PAID"


def _busy(*_: object, **__: object) -> None:
    raise Busy


def test_late_money_that_was_also_too_much_goes_back_once(world: World) -> None:
    late = late_payer(world, amount=PRICE + 1000)

    with world.app.app_context():
        late_money.take_money_back(late.order_id, now=world.now())
        refunds = db.session.scalars(sa.select(Refund.amount)).all()
        still_open = db.session.scalars(
            sa.select(MoneyCase.kind).where(MoneyCase.status != CaseStatus.RESOLVED)
        ).all()
        lost = find_lost_money(world.standin.invoices())

    assert (refunds, still_open, lost) == ([PRICE + 1000], [], [])


def test_a_database_that_goes_away_after_the_work_spoils_neither_answer_nor_worker(
    mariadb_world: World,
) -> None:
    with mariadb_world.app.app_context():
        connection_id = db.session.scalar(sa.text("SELECT CONNECTION_ID()"))
        with db.engine.connect() as administrator:
            administrator.execute(sa.text(f"KILL {connection_id}"))

    with mariadb_world.app.app_context():
        assert db.session.scalar(sa.text("SELECT 1")) == 1
        pool: Any = db.engine.pool
        assert pool.checkedout() == 1
