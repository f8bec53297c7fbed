"""The webhook: deliveries lost, doubled, forged and out of order lead to the same truth."""

import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Callback, ETicket, JobStatus, Order
from app.services.money import payments
from app.services.money.payments import CONFIRM
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import PlacedOrder
from sandbox.xendit.invoices import DASHBOARD_SAMPLE
from tests.harness.interleaving import MOMENT, say_moment
from tests.money.world import Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)
DELIVERIES, SENDERS = 12, 4
WAITING = Standing("PENDING", "PENDING", held=1, sold=0, e_tickets=0)


def callbacks(world: World) -> list[Callback]:
    with world.app.app_context():
        found = db.session.query(Callback).order_by(Callback.id).all()
        db.session.expunge_all()
        return found


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_two_deliveries_at_once_are_both_counted(mariadb_world: World, statements: int) -> None:
    placed = mariadb_world.order(mariadb_world.add_ticket())

    mariadb_world.overlap(*[lambda: mariadb_world.callback(placed)] * 2, after=statements)

    assert [kept.deliveries for kept in callbacks(mariadb_world)] == [2]
    assert len(mariadb_world.jobs(CONFIRM)) == 2


def test_many_deliveries_at_once_fulfil_an_order_once(each_world: World) -> None:
    placed = each_world.order(each_world.add_ticket())
    each_world.standin.pay(each_world.invoice_id(placed), "BCA")

    def deliver(_: int) -> list[int]:
        return [each_world.callback(placed).status_code for _ in range(DELIVERIES // SENDERS)]

    answers = each_world.in_threads(SENDERS, deliver)
    each_world.in_threads(SENDERS, lambda _: each_world.work(CONFIRM))

    assert answers == [[200] * (DELIVERIES // SENDERS)] * SENDERS
    assert each_world.standing(placed) == PAID
    assert len(each_world.jobs(DELIVER)) == 1
    assert [kept.deliveries for kept in callbacks(each_world)] == [DELIVERIES]
    assert len(each_world.jobs(CONFIRM, JobStatus.DONE)) == DELIVERIES
    assert each_world.violations() == []


def confirm_twice(world: World, placed: PlacedOrder, *, after: str) -> tuple[object, object]:
    """Let a worker confirm a payment while another one that does is held."""
    payment_id = world.payment(placed).id
    confirm = partial(payments.confirm_payment, payment_id, now=world.now(), gateway=world.gateway)
    return world.overlap(confirm, confirm, after=after)


@pytest.mark.parametrize("moment", ["FROM payments", "FOR UPDATE", "UPDATE ticket_stock"])
def test_workers_that_confirm_at_once_are_served_one_by_one(
    mariadb_world: World, moment: str
) -> None:
    placed = mariadb_world.order(mariadb_world.add_ticket())
    mariadb_world.standin.pay(mariadb_world.invoice_id(placed), "BCA")

    assert confirm_twice(mariadb_world, placed, after=moment) == (None, None)
    assert mariadb_world.standing(placed) == PAID
    assert mariadb_world.violations() == []


def test_without_the_lock_of_the_order_they_do_the_work_twice(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the second one stumbles over what the first one did."""

    def unlocked(session: Session, order_id: int) -> Order:
        order = session.get_one(Order, order_id, populate_existing=True)
        assert order.payment.status is not None
        say_moment(session)
        return order

    monkeypatch.setattr(payments, "lock_order", unlocked)
    placed = mariadb_world.order(mariadb_world.add_ticket())
    mariadb_world.standin.pay(mariadb_world.invoice_id(placed), "BCA")

    held, other = confirm_twice(mariadb_world, placed, after=MOMENT)

    assert other is None
    assert type(held).__name__ in {"StockMismatch", "IntegrityError"}


def test_a_callback_changes_nothing_by_itself(world: World) -> None:
    placed = world.order(world.add_ticket())

    answer = world.callback(placed)

    assert answer.status_code == 200
    assert answer.get_json()["received"] is True
    assert answer.get_json()["requestId"] == answer.headers["X-Request-ID"]
    assert world.standing(placed) == WAITING
    assert len(world.jobs(CONFIRM)) == 1


def test_the_truth_is_read_from_xendit_whatever_a_body_claims(world: World) -> None:
    placed = world.order(world.add_ticket())

    world.callback(placed, "PAID", amount=1, paid_amount=10**12, currency="USD")
    world.work()
    assert world.standing(placed) == WAITING

    world.standin.pay(world.invoice_id(placed), "OVO")
    world.callback(placed, "EXPIRED", amount=1, external_id=placed.code, paid_amount=None)
    world.work()
    assert world.standing(placed) == PAID
    assert world.payment(placed).channel == "OVO"


def test_an_invoice_of_another_order_pays_nothing_here(world: World) -> None:
    ticket = world.add_ticket()
    rich, poor = world.order(ticket), world.order(ticket)
    world.standin.pay(world.invoice_id(rich))

    world.callback(poor, "PAID", id=world.invoice_id(rich))
    world.work()

    assert world.standing(poor).order == "PENDING"
    assert world.payment(poor).paid_amount is None
    assert world.standing(rich).order == "PENDING"  # nobody told us about that one yet


def test_expired_after_paid_changes_nothing(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.callback(placed, "PAID")
    world.callback(placed, "EXPIRED")
    world.work()
    world.callback(placed, "EXPIRED")
    world.work()

    assert world.standing(placed) == PAID
    assert [kept.status for kept in callbacks(world)] == ["PAID", "EXPIRED"]


@pytest.mark.parametrize("stays_expired", [False, True])
def test_late_money_has_its_seats_again_where_they_are_left(
    world: World, stays_expired: bool
) -> None:
    if stays_expired:
        world.standin.set_fault("late_payment_stays_expired")
    placed = world.order(world.add_ticket(amount=1))
    world.advance(hours=1)
    world.work()
    assert world.standing(placed) == Standing("EXPIRED", "EXPIRED", 0, 0, 0)

    world.standin.pay(world.invoice_id(placed), "QRIS", after_expiry=True)
    world.callback(placed, "PAID")
    world.work(CONFIRM)

    assert world.standing(placed) == PAID
    assert world.violations() == []


def test_late_money_without_seats_is_kept_and_sells_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = world.add_ticket(amount=1)
    late = world.order(ticket)
    world.advance(hours=1)
    world.work()
    world.place(ticket)

    world.standin.pay(world.invoice_id(late), "QRIS", after_expiry=True)
    world.callback(late, "PAID")
    world.work(CONFIRM)

    assert world.standing(late) == Standing("EXPIRED", "PAID", held=1, sold=0, e_tickets=0)
    assert "money without seats" in [record.message for record in caplog.records]
    assert world.jobs(DELIVER) == []
    assert world.violations() == []


def test_two_different_payments_of_an_order_make_one_set_of_tickets_and_a_cry(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    placed = world.place(world.add_ticket())
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    assert world.try_open_invoice(placed) is None
    world.standin.set_fault("list_empty", times=1)  # as if the first were not there yet
    world.advance(minutes=1)
    world.work("open_invoice")
    first, second = [each["id"] for each in reversed(world.standin.invoices(placed.code))]

    for invoice in (first, second):
        world.standin.pay(invoice)
    for invoice in (first, second):
        world.callback(placed, "PAID", id=invoice)
    world.work(CONFIRM)

    assert world.standing(placed) == PAID
    assert len(world.jobs(DELIVER)) == 1
    assert "a second paid invoice: refund it" in [record.message for record in caplog.records]


@pytest.mark.parametrize(
    "body",
    [
        DASHBOARD_SAMPLE,
        {"id": "6923e1f0c0ffee0000000001", "external_id": "SOMEBODY-ELSE", "status": "PAID"},
        {"id": "6923e1f0c0ffee0000000001", "status": "PAID"},
        {"id": "x" * 5000, "external_id": ["TX"], "status": {"a": 1}, "payment_id": 7},
        {"id": "\u0000é\ud800", "external_id": "\u0000", "status": "ÜBER" * 100},
    ],
    ids=["dashboard sample", "foreign", "no external_id", "wrong types", "odd characters"],
)
def test_what_is_not_ours_is_kept_and_left_alone(each_world: World, body: dict[str, Any]) -> None:
    placed = each_world.order(each_world.add_ticket())

    assert each_world.deliver(body).status_code == 200
    assert each_world.deliver(body).status_code == 200

    assert [kept.deliveries for kept in callbacks(each_world)] == [2]
    assert json.loads(callbacks(each_world)[0].body) == body
    assert each_world.jobs(CONFIRM) == []
    assert each_world.standing(placed) == WAITING


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("not JSON", 400),
        ("null", 400),
        ("[]", 400),
        ("{}", 400),
        ('{"id": ""}', 400),
        ('{"id": 7}', 400),
        ("[" * 60_000, 400),
        ('{"id":' * 10_000, 400),
        ("9" * 60_000, 400),
        ('{"id": "a", "amount": ' + "9" * 5000 + "}", 400),
        (json.dumps({"id": "a", "filler": "x" * 64 * 1024}), 413),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_body_nobody_can_use_is_refused_and_not_kept(
    world: World, body: str, status: int
) -> None:
    answer = world.deliver(body)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert callbacks(world) == []


@pytest.mark.parametrize("token", ["", "local-callback-toke", "LOCAL-CALLBACK-TOKEN", "ü" * 20])
def test_a_sender_without_the_token_leaves_no_trace(world: World, token: str) -> None:
    placed = world.order(world.add_ticket())

    answer = world.deliver({"id": "a", "external_id": placed.code}, token=token)

    assert (answer.status_code, answer.get_json()["code"]) == (401, "callback_token_invalid")
    assert callbacks(world) == []
    assert world.jobs(CONFIRM) == []


@pytest.mark.parametrize("named", ["0" * 24, "..", "a/../b", "{id}"])
def test_an_invoice_nobody_knows_ends_its_job_and_changes_nothing(world: World, named: str) -> None:
    placed = world.order(world.add_ticket())

    world.callback(placed, "PAID", id=named)
    world.work(CONFIRM)

    assert len(world.jobs(CONFIRM, JobStatus.DONE)) == 1
    assert world.standing(placed) == WAITING
    assert world.count(ETicket) == 0
