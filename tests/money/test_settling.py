"""Settling: fees and pay-outs are read from Xendit's list, posted, and read again until settled."""

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.integrations import xendit_transactions
from app.integrations.xendit_transactions import parse_transactions
from app.models import Account, Source, Transaction, TransactionReading
from app.services.money import budget, settling
from app.services.money.payments import CONFIRM
from app.services.money.settling import READ_TRANSACTIONS
from app.services.office import inbox
from app.services.office.inbox import Entry
from app.services.selling.ordering import PlacedOrder
from tests.money import accounts
from tests.money.books import balances, post, told, wrongs
from tests.money.refunded import paid_order
from tests.money.world import PRICE, World

FEE, VAT = 4_000, 440  # of a virtual account at the stand-in


def read(world: World) -> int:
    """Begin a pass, do it, and post what it found; return how many jobs that took."""
    with world.app.app_context():
        settling.schedule(now=world.now())
    done = world.work(READ_TRANSACTIONS)
    post(world)
    return done


def transaction_of(world: World, placed: PlacedOrder) -> Transaction:
    with world.app.app_context():
        mine = sa.select(Transaction).where(Transaction.order_id == placed.order_id)
        found = db.session.scalars(mine).one()
        db.session.expunge(found)
        return found


def test_a_fee_is_posted_as_soon_as_xendit_expects_it(each_world: World) -> None:
    placed = paid_order(each_world, "BCA")

    assert read(each_world) == 1

    found = transaction_of(each_world, placed)
    assert (found.fee, found.vat, found.net) == (FEE, VAT, PRICE - FEE - VAT)
    assert (found.is_fee_final, found.settled_at) == (False, None)
    assert found.invoice_id == each_world.invoice_id(placed)
    assert balances(each_world, placed) == {
        Account.SALES: -PRICE,
        Account.FEE: FEE,
        Account.VAT: VAT,
        Account.RECEIVABLE: PRICE - FEE - VAT,
    }
    assert wrongs(each_world.app) == []


def test_it_is_read_again_until_the_money_is_in_the_balance(world: World) -> None:
    placed = paid_order(world, "BCA")
    read(world)
    world.advance(days=1, hours=1)
    read(world)

    assert transaction_of(world, placed).settled_at is not None
    left = balances(world, placed)
    assert left[Account.BALANCE] == PRICE - FEE - VAT
    assert Account.RECEIVABLE not in left


def test_a_final_fee_that_differs_is_posted_as_the_difference(world: World) -> None:
    placed = paid_order(world, "BCA")
    read(world)
    world.standin.set_fault("fee_differs", by=500)
    world.advance(days=1, hours=1)
    read(world)

    charged = [
        amount for movement, account, amount in told(world, placed) if account.value == "fee"
    ]
    assert charged == [FEE, 500]
    assert Account.RECEIVABLE not in balances(world, placed)


def test_a_pass_takes_its_turn_every_six_hours_however_many_workers(world: World) -> None:
    paid_order(world)
    with world.app.app_context():
        begun = [settling.schedule(now=world.now()) for _ in range(3)]
    assert begun == [True, False, False]

    world.work(READ_TRANSACTIONS)
    world.advance(hours=6)
    with world.app.app_context():
        assert settling.schedule(now=world.now())


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_two_workers_begin_one_pass(mariadb_world: World, statements: int) -> None:
    paid_order(mariadb_world)
    now = mariadb_world.now()

    begun = mariadb_world.overlap(*[lambda: settling.schedule(now=now)] * 2, after=statements)

    assert set(begun) == {True, False}, begun
    assert mariadb_world.count(TransactionReading) == 1


def test_what_is_not_settled_after_a_month_is_in_the_inbox_until_it_is(world: World) -> None:
    placed = paid_order(world, "BCA")
    world.standin.set_fault("settlement_late")
    read(world)
    assert overdue(world) == []
    world.advance(days=33)
    read(world)

    [entry] = overdue(world)
    assert (entry.order_code, entry.amount, entry.kind) == (
        placed.code,
        PRICE - FEE - VAT,
        "overdue",
    )

    world.standin.clear_faults()
    world.advance(hours=6)
    read(world)

    assert overdue(world) == []
    assert Account.RECEIVABLE not in balances(world, placed)
    named = transaction_of(world, placed).xendit_id
    assert world.standin.requests("GET", f"/transactions/{named}"), "the list does not reach it"


def test_one_that_xendit_does_not_know_any_more_keeps_no_other_from_being_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "OVERDUE_AT_ONCE", 1)
    lost, other = (paid_order(world, channel) for channel in ("BCA", "BNI"))
    world.standin.set_fault("settlement_late")
    read(world)
    world.change(Transaction, Transaction.order_id == lost.order_id, xendit_id="txn_lost")
    world.standin.clear_faults()
    world.advance(days=33)
    for _ in range(2):
        read(world)
        world.advance(hours=6)

    assert transaction_of(world, lost).settled_at is None
    assert transaction_of(world, other).settled_at is not None


def overdue(world: World) -> list[Entry]:
    """Return what waits in the inbox because Xendit has not settled it."""
    with world.app.app_context():
        waiting = inbox.list_waiting(now=world.now()).entries
        return [entry for entry in waiting if entry.source is Source.SETTLEMENT]


def test_while_nothing_was_paid_nothing_is_read(world: World) -> None:
    world.order(world.add_ticket())

    assert read(world) == 0


def test_where_the_calls_run_out_it_goes_on_at_the_same_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xendit_transactions, "MOST", 2)
    ticket = world.add_ticket()
    placed = [paid(world, ticket) for _ in range(5)]
    with world.app.app_context():
        settling.schedule(now=world.now())
    monkeypatch.setattr(budget, "UNTIL_TOLD", 4)  # of which a quarter is the background's
    world.standin.set_fault("rate_limit", per_minute=8)
    with world.app.app_context():
        world.step((READ_TRANSACTIONS,))
    assert 0 < world.count(Transaction) < len(placed)

    world.standin.set_fault("rate_limit", per_minute=1_000)
    world.advance(minutes=3)
    world.work(READ_TRANSACTIONS)

    assert world.count(Transaction) == len(placed)
    asked = world.standin.requests("GET", "/transactions")
    assert ["after_id" in each["query"] for each in asked] == [False, True, True]


def paid(world: World, ticket: int) -> PlacedOrder:
    placed = world.order(ticket)
    world.standin.pay(world.invoice_id(placed), "BCA")
    world.callback(placed)
    world.work(CONFIRM)
    return placed


def test_a_key_without_the_right_ends_the_pass_and_is_told(world: World) -> None:
    paid_order(world)
    world.standin.set_fault("transactions_forbidden")

    assert read(world) == 1

    with world.app.app_context():
        last = settling.find_last()
    assert last is not None
    assert last.finished_at is not None
    assert "REQUEST_FORBIDDEN_ERROR" in (last.problem or "")


def test_payments_of_other_systems_on_the_account_are_left_alone(world: World) -> None:
    paid_order(world)
    invoice = accounts.make_invoice(world, "SHOP-1")
    world.standin.pay(invoice, "BCA")

    read(world)

    assert world.count(Transaction) == 1


def test_what_cannot_be_read_hides_nothing_else() -> None:
    good = {
        "id": "txn_1",
        "type": "PAYMENT",
        "status": "SUCCESS",
        "currency": "IDR",
        "reference_id": "TX7K2M9QPA",
        "amount": 85_000,
        "net_amount": 83_584.5,
        "created": "2026-11-23T03:41:30.101Z",
        "settlement_status": None,
        "estimated_settlement_time": None,
        "fee": {"xendit_fee": 1_275.5, "value_added_tax": 140, "status": "PENDING"},
        "product_data": None,
    }
    odd = [good | {"id": "txn_2", "amount": "many"}, good | {"type": "DISBURSEMENT"}, "text"]

    page = parse_transactions({"data": [*odd, good], "has_more": False})

    [found] = page.transactions
    assert (found.id, found.fee, found.net, found.is_settled) == ("txn_1", 1_276, 83_585, False)
