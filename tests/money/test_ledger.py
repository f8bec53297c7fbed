"""The ledger: every movement once, in balance, on its day; repeats and crashes change nothing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.extensions import db
from app.models import Account, CaseKind, LedgerMark, LedgerState, MoneyCase, Movement, Order
from app.services.money import cancelling, deciding, late_money, posting_writing, postings
from app.services.money.deciding import Decision
from app.services.money.payments import CONFIRM
from tests.money.books import balances, count_postings, lines, post, post_all, told, wrongs
from tests.money.refunded import STAFF, paid_order, refund_of
from tests.money.world import PRICE, World

SALES, BUYERS, OWED = Account.SALES, Account.BUYERS, Account.REFUNDS_OWED


def test_a_paid_order_is_money_received_and_seats_sold(each_world: World) -> None:
    placed = paid_order(each_world)

    assert post(each_world) == 1

    assert told(each_world, placed) == [
        (Movement.RECEIVED, Account.RECEIVABLE, PRICE),
        (Movement.RECEIVED, BUYERS, -PRICE),
        (Movement.SOLD, SALES, -PRICE),
        (Movement.SOLD, BUYERS, PRICE),
    ]
    assert balances(each_world) == {SALES: -PRICE, Account.RECEIVABLE: PRICE}
    assert wrongs(each_world.app) == []


def test_posting_again_changes_nothing(each_world: World) -> None:
    placed = paid_order(each_world)
    post(each_world)
    before = told(each_world, placed)

    with each_world.working():
        postings.mark(db.session(), placed.order_id)
    assert post(each_world) == 1
    assert post_all(each_world) == 0

    assert told(each_world, placed) == before
    assert each_world.count(LedgerMark) == 0


def test_the_sweep_finds_what_nobody_marked(world: World) -> None:
    paid_order(world)
    with world.working():
        db.session.execute(sa.delete(LedgerMark))

    with world.app.app_context():
        found = postings.sweep(now=world.now(), zone=world.settings.event.timezone)

    assert found == 2
    assert wrongs(world.app) == []


def test_a_cancelled_order_takes_the_sale_back_and_owes_the_money(world: World) -> None:
    placed = paid_order(world)
    post(world)
    with world.app.app_context():
        cancelling.cancel_paid(placed.order_id, by=STAFF, now=world.now())
    post(world)

    assert balances(world) == {Account.RECEIVABLE: PRICE, OWED: -PRICE}
    seats = sum(line.count for line in lines(world, placed) if line.account is SALES)
    assert seats == 0
    assert wrongs(world.app) == []


def test_a_refund_by_hand_comes_out_of_the_organisers_bank(world: World) -> None:
    placed = paid_order(world, "BCA")
    with world.app.app_context():
        cancelling.cancel_paid(placed.order_id, by=STAFF, now=world.now())
        refund_id = refund_of(world, placed).id
        deciding.mark_refund_done(refund_id, by=STAFF, note="BCA 1234", now=world.now())
    post(world)

    assert balances(world) == {Account.RECEIVABLE: PRICE, Account.BANK: -PRICE}
    assert wrongs(world.app) == []


def test_money_that_came_too_late_is_owed_to_the_buyer(world: World) -> None:
    placed = world.order(world.add_ticket(amount=1))
    world.advance(seconds=1801)
    world.work("expire_order")
    world.place(1)
    world.standin.pay(world.invoice_id(placed), "DANA", after_expiry=True)
    world.callback(placed)
    world.work(CONFIRM)
    post(world)

    assert balances(world, placed) == {Account.RECEIVABLE: PRICE, BUYERS: -PRICE}

    with world.app.app_context():
        late_money.take_money_back(placed.order_id, now=world.now())
    post(world)

    assert balances(world, placed) == {Account.RECEIVABLE: PRICE, OWED: -PRICE}
    assert wrongs(world.app) == []


@pytest.mark.parametrize(
    ("paid", "decision", "left"),
    [
        (PRICE + 5_000, Decision.ACCEPT, {SALES: -PRICE, Account.ACCEPTED: -5_000}),
        (PRICE + 5_000, Decision.REFUND, {SALES: -PRICE, OWED: -5_000}),
        (PRICE - 5_000, Decision.ACCEPT, {SALES: -PRICE, Account.ACCEPTED: 5_000}),
        (PRICE - 5_000, Decision.REFUND, {OWED: -(PRICE - 5_000)}),
    ],
)
def test_a_wrong_amount_is_the_buyers_until_somebody_decides(
    world: World, paid: int, decision: Decision, left: dict[Account, int]
) -> None:
    placed = paid_order(world, amount=paid)
    post(world)
    seats = PRICE if paid > PRICE else 0
    assert balances(world)[BUYERS] == seats - paid

    with world.app.app_context():
        case_id = db.session.scalars(sa.select(MoneyCase.id)).one()
        deciding.decide_case(case_id, decision, by=STAFF, now=world.now(), gateway=world.gateway)
    post(world)

    assert balances(world, placed) == {Account.RECEIVABLE: paid, **left}
    assert wrongs(world.app) == []


def test_a_second_payment_is_received_and_owed_back(world: World) -> None:
    world.standin.set_fault("paid_twice")
    placed = paid_order(world)
    for invoice in world.standin.invoices(placed.code):
        world.callback(placed, id=invoice["id"])
    world.work(CONFIRM)
    post(world)

    with world.app.app_context():
        kinds = db.session.scalars(sa.select(MoneyCase.kind)).all()
    assert kinds == [CaseKind.DOUBLE_PAYMENT]
    assert balances(world, placed) == {Account.RECEIVABLE: 2 * PRICE, SALES: -PRICE, OWED: -PRICE}
    assert wrongs(world.app) == []


def test_a_free_order_counts_its_seats(world: World) -> None:
    placed = world.place(world.add_ticket(price=0), 3)
    with world.app.app_context():
        since, zone = world.now() - timedelta(hours=1), world.settings.event.timezone
        assert postings.post_unposted(placed_since=since, now=world.now(), zone=zone) == 1
        assert postings.post_unposted(placed_since=since, now=world.now(), zone=zone) == 0

    [sold] = [line for line in lines(world, placed) if line.account is SALES]
    assert (sold.amount, sold.count) == (0, 3)


def test_a_change_of_a_paid_orders_price_is_posted_as_the_difference(world: World) -> None:
    placed = paid_order(world)
    post(world)
    before = count_postings(world)
    world.change(Order, Order.id == placed.order_id, total=PRICE - 50_000)
    with world.working():
        order = db.session.get_one(Order, placed.order_id)
        order.items[0].price = PRICE - 50_000
        postings.mark(db.session(), order.id)
    post(world)

    assert count_postings(world) == before + 1
    assert balances(world, placed) == {
        Account.RECEIVABLE: PRICE,
        SALES: 50_000 - PRICE,
        BUYERS: -50_000,
    }
    assert wrongs(world.app) == []


def test_what_comes_after_a_day_was_closed_is_a_correction_on_the_next(world: World) -> None:
    today = world.wait_for_noon()
    placed = paid_order(world)
    world.change(LedgerState, LedgerState.id == 1, closed_until=today)
    world.clock.advance(timedelta(days=2))
    post(world)

    assert {(line.day, line.corrects) for line in lines(world, placed)} == {
        (today + timedelta(days=1), today)
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount = 0",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_postings SET day = '2026-01-01'",
        "DELETE FROM ledger_postings",
    ],
)
def test_the_database_refuses_to_change_the_ledger(each_world: World, statement: str) -> None:
    paid_order(each_world)
    post(each_world)

    with pytest.raises(DBAPIError, match="never changed"), each_world.working():
        db.session.execute(sa.text(statement))


def test_the_database_refuses_a_posting_on_a_closed_day(
    each_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = each_world.wait_for_noon()
    paid_order(each_world)
    each_world.change(LedgerState, LedgerState.id == 1, closed_until=today)
    real_posting = posting_writing._make_posting
    monkeypatch.setattr(
        posting_writing,
        "_make_posting",
        lambda each, _closed, now, zone: real_posting(each, None, now, zone),
    )

    with pytest.raises(DBAPIError, match="the day is closed"):
        post(each_world)
