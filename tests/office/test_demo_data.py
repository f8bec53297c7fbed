"""Demo data: a sale that adds up, that anybody can make again, and that reaches nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app.extensions import db
from app.models import (
    CaseStatus,
    CheckIn,
    Job,
    JobStatus,
    LedgerPosting,
    Mail,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    Reconciliation,
    Refund,
    RefundStatus,
    Transaction,
    User,
    Withdrawal,
)
from app.services.money import balance, postings
from app.services.office import sales
from app.services.office.demo.making import plan_demo, write_demo
from app.services.running.invariants import find_violations
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.money.books import wrongs

NOW = datetime(2027, 1, 10, 5, 30, tzinfo=UTC)
RESERVED = ("@example.com", "@example.net", "@example.org", ".example")  # RFC 2606


def make(app: Flask, *, orders: int = 200, seed: int = 1, is_added: bool = False) -> None:
    """Make a sale as it would be at NOW."""
    settings = app.extensions["settings"]
    demo = plan_demo(orders, seed=seed, is_added=is_added, now=NOW, settings=settings)
    assert sum(write_demo(demo)) == orders


def command(app: Flask, *options: str) -> Result:
    """Run `flask demo-data`."""
    return app.test_cli_runner().invoke(args=["demo-data", "--orders", "60", *options])


def count(condition: sa.ColumnElement[bool]) -> int:
    """Return how many rows of the condition's table meet it."""
    return db.session.scalar(sa.select(sa.func.count()).where(condition)) or 0


def what_was_sold() -> list[tuple[object, ...]]:
    """Return who bought what, when, and what became of it."""
    columns = (User.full_name, User.email, Order.created_at, Order.status, OrderItem.attendees)
    orders = sa.select(*columns).join(Order, Order.user_id == User.id).join(OrderItem)
    return [tuple(row) for row in db.session.execute(orders.order_by(Order.id))]


def test_a_made_up_sale_adds_up_and_has_every_kind_of_work_in_it(app: Flask) -> None:
    with app.app_context():
        make(app, orders=600)

        assert find_violations() == []
        for status in OrderStatus:
            assert count(Order.status == status), f"no order is {status.value}"
        for state in (RefundStatus.SUCCEEDED, RefundStatus.DONE_BY_HAND):
            assert count(Refund.status == state), f"no refund is {state.value}"
        assert count(Refund.status.in_([RefundStatus.DUE, RefundStatus.SENT, RefundStatus.FAILED]))
        assert count(MoneyCase.status == CaseStatus.OPEN) >= 3
        assert count(Mail.id > 0) > 400
        assert count(Mail.refused_because.is_not(None))
        assert count(CheckIn.id > 0) > 100
        assert count(Job.status == JobStatus.FAILED)
        assert count(Reconciliation.differences > 0)
        assert count(Transaction.settled_at.is_not(None))
        assert count(Transaction.settled_at.is_(None)) > 1
        assert count(Withdrawal.amount > 0) >= 4


def test_its_money_is_found_again_from_the_price_to_the_bank(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        make(sqlite_app, orders=300)
        zone = sqlite_app.extensions["settings"].event.timezone
        postings.sweep_all(now=NOW, zone=zone)
        balance.post_withdrawals(now=NOW, zone=zone)

        flow = sales.look(NOW.date() - timedelta(days=60), NOW.date()).flow
        standing = sales.look_at_now(NOW, zone)

    assert wrongs(sqlite_app) == []
    assert 0.005 < flow.fee / flow.sales < 0.03
    assert flow.settled > flow.paid_out > 0
    assert standing.balance == flow.in_balance > 0
    assert standing.without_fee == 0, "Xendit has told the fee of every payment"
    assert standing.expected[0].is_late
    assert flow.net == flow.in_balance + flow.at_bank - flow.by_hand + flow.unsettled


def test_no_moment_of_it_lies_in_the_future(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        make(sqlite_app)

        for moment in (Order.created_at, Order.paid_at, CheckIn.happened_at, Refund.finished_at):
            assert not count(moment > NOW), f"{moment} lies in the future"


def test_the_same_seed_makes_the_same_sale_and_another_another(tmp_path: Path) -> None:
    sales = []
    for seed in (7, 7, 8):
        with running_app(make_settings(fresh_sqlite(tmp_path))) as app, app.app_context():
            make(app, orders=60, seed=seed)
            sales.append(what_was_sold())

    assert sales[0] == sales[1]
    assert sales[0] != sales[2]


def test_it_can_be_added_to_and_still_adds_up(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        make(sqlite_app, orders=60)
        make(sqlite_app, orders=60, is_added=True)

        assert count(Order.id > 0) == 120
        assert find_violations() == []


def test_no_address_of_it_could_be_anybodys(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        make(sqlite_app)

        addresses = db.session.scalars(sa.select(User.email)).all()

    assert addresses
    assert all(address.lower().endswith(RESERVED) for address in addresses)


def test_a_shop_that_has_orders_is_left_alone_unless_told_otherwise(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        assert command(sqlite_app).exit_code == 0

        refused = command(sqlite_app)

        assert refused.exit_code == 1
        assert "--add" in refused.output
        assert count(Order.id > 0) == 60
        assert not count(LedgerPosting.id > 0)
        assert command(sqlite_app, "--add", "--ledger").exit_code == 0
        assert count(LedgerPosting.id > 0)


@pytest.mark.parametrize("options", [(), ("--add",)])
def test_a_shop_with_a_live_key_is_left_alone(sqlite_app: Flask, options: tuple[str, ...]) -> None:
    settings = sqlite_app.extensions["settings"]
    live = replace(settings, xendit_secret_key="xnd_production_of_a_real_shop")
    sqlite_app.extensions["settings"] = live
    with sqlite_app.app_context():
        refused = command(sqlite_app, *options)

        assert refused.exit_code == 1
        assert "live key" in refused.output
        assert not count(Order.id > 0)
