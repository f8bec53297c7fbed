"""check-invariants: silent while all is well, and naming what is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import (
    CaseKind,
    CaseStatus,
    ETicket,
    MoneyCase,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    TicketStock,
)
from app.services.running.invariants import find_violations
from app.services.running.transaction import transaction
from app.services.selling import inventory
from tests.app_factory import make_settings
from tests.running.sales import add_ticket, order

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shop(app: Flask) -> Iterator[None]:
    """Two tickets; of the free one 2 seats are sold, of the other 3 are held and 1 expired."""
    settings = make_settings("sqlite://")
    with app.app_context():
        free = add_ticket("Free", now=NOW, price=0)
        regular = add_ticket("Reguler", now=NOW)
        order(free, 2, now=NOW, settings=settings)
        order(regular, 3, now=NOW, settings=settings)
        ended = order(regular, 1, now=NOW, settings=settings)
        with transaction() as session:
            gone = session.get_one(Order, ended.order_id)
            gone.move_to(OrderStatus.EXPIRED)
            gone.payment.move_to(PaymentStatus.EXPIRED)
            inventory.release(session, gone.quantities)
        yield


def change(model: type[Any], *where: Any, **values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(model).where(*where).values(**values))


def code_of(status: OrderStatus) -> str:
    return db.session.scalars(sa.select(Order.code).where(Order.status == status)).one()


def test_an_ordinary_shop_breaks_nothing(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["check-invariants"])

    assert (result.exit_code, result.output) == (0, "all invariants hold\n")


def test_late_money_without_seats_is_broken_only_until_it_is_a_case() -> None:
    change(Payment, Payment.status == PaymentStatus.EXPIRED, status=PaymentStatus.PAID)
    [violation] = find_violations()
    assert code_of(OrderStatus.EXPIRED) in violation

    with transaction() as session:
        late = session.scalars(sa.select(Order).where(Order.status == OrderStatus.EXPIRED)).one()
        session.add(
            MoneyCase(
                order_id=late.id,
                kind=CaseKind.SEATS_GONE,
                invoice_id="662f",
                status=CaseStatus.OPEN,
                amount=late.total,
                opened_at=NOW,
            )
        )

    assert find_violations() == []


def test_the_command_names_what_is_broken_and_fails(app: Flask) -> None:
    change(TicketStock, TicketStock.held == 3, held=4)

    result = app.test_cli_runner().invoke(args=["check-invariants"])

    assert result.exit_code == 1
    assert "Reguler: 4 held, but PENDING orders want 3" in result.output
    assert "1 invariants are broken" in result.output


def test_stock_that_says_other_than_the_orders_is_found() -> None:
    change(TicketStock, TicketStock.held == 3, held=2)
    change(TicketStock, TicketStock.sold == 2, sold=3)

    assert find_violations() == [
        "Free: 3 sold, but PAID orders have 2",
        "Reguler: 2 held, but PENDING orders want 3",
    ]


def test_a_paid_order_that_lacks_an_e_ticket_is_found() -> None:
    with transaction() as session:
        session.execute(sa.delete(ETicket).where(ETicket.number == 2))

    assert find_violations() == [
        f"order {code_of(OrderStatus.PAID)}: 2 seats of Free paid, 1 e-tickets"
    ]


def test_an_e_ticket_of_another_kind_than_paid_for_is_found() -> None:
    regular = db.session.scalars(
        sa.select(TicketStock.ticket_id).where(TicketStock.held == 3)
    ).one()
    change(ETicket, ETicket.number == 2, ticket_id=regular)

    assert find_violations() == [
        f"order {code_of(OrderStatus.PAID)}: 2 seats of Free paid, 1 e-tickets"
    ]


def test_an_order_paid_without_money_is_found() -> None:
    change(Payment, Payment.status == PaymentStatus.PAID, status=PaymentStatus.PENDING)

    assert find_violations() == [
        f"order {code_of(OrderStatus.PAID)}: PAID, but its payment is PENDING"
    ]


def test_an_order_that_waits_although_it_is_paid_is_found() -> None:
    change(Payment, Payment.status == PaymentStatus.PENDING, status=PaymentStatus.PAID)

    out_of_step = f"order {code_of(OrderStatus.PENDING)}: PENDING, but its payment is PAID"
    assert out_of_step in find_violations()


def test_a_ticket_without_stock_is_found() -> None:
    add_ticket("Lost", now=NOW)
    with transaction() as session:
        session.execute(sa.delete(TicketStock).where(TicketStock.held + TicketStock.sold == 0))

    assert find_violations() == ["Lost: has no stock row"]


def test_an_order_without_payment_is_found() -> None:
    paid = code_of(OrderStatus.PAID)
    with transaction() as session:
        session.execute(sa.delete(Payment).where(Payment.status == PaymentStatus.PAID))

    assert find_violations() == [f"order {paid}: PAID, but its payment is missing"]
