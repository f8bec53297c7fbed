"""Readings of an invoice in an order's story: the first, what was new, and what failed."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.integrations.xendit import Invoice, InvoiceStatus, XenditClient, XenditUnreachable
from app.services.money import payments
from app.services.office.happenings import Happening, What
from app.services.office.order_story import tell_order
from app.tracing import request_id
from tests.office.desk import Desk

READINGS = (What.READING, What.READING_FAILED, What.READ)
NOBODY = XenditClient("http://127.0.0.1:1", "xnd_development_local")


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def read(desk: Desk, code: str, status: InvoiceStatus, at: datetime) -> None:
    """Let Xendit say this of the order's invoice; the request is called by the state."""
    invoice = Invoice(
        id=f"inv{code.lower()}",
        external_id=code,
        status=status,
        amount=300_000,
        currency="IDR",
        url="",
        expires_at=None,
        paid_amount=None,
        paid_at=None,
        method=None,
        channel=None,
        payment_id=None,
    )
    order_id = desk.id_of(code)
    with desk.app.app_context(), request_id(f"reading-{status.value}"):
        payments.settle(order_id, invoice, now=at)


def fail(desk: Desk, code: str, at: datetime) -> None:
    """Ask where nobody answers."""
    payment_id = desk.read(code, lambda facts: facts.order.payment.id)
    with desk.app.app_context(), request_id("reading-failed"), pytest.raises(XenditUnreachable):
        payments.confirm_payment(payment_id, now=at, gateway=NOBODY, invoice_id="inv")


def readings(desk: Desk, code: str) -> list[Happening]:
    with desk.app.app_context():
        story = tell_order(code)
    assert story is not None
    return [one for one in story.happenings if one.what in READINGS]


def test_what_was_new_at_xendit_stands_in_the_story_each_with_its_request(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    start = datetime.now(UTC)
    states = [InvoiceStatus.PENDING] * 3 + [InvoiceStatus.PAID] * 3
    for minute, status in enumerate(states):
        read(desk, code, status, start + timedelta(minutes=minute))

    told = [(one.what, one.facts.get("status"), one.request_id) for one in readings(desk, code)]

    assert told == [
        (What.READING, "PENDING", "reading-PENDING"),
        (What.READING, "PAID", "reading-PAID"),
        (What.READ, None, None),
    ]


def test_what_a_reading_brought_about_is_told_with_its_request(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    read(desk, code, InvoiceStatus.PAID, datetime.now(UTC))
    with desk.app.app_context():
        story = tell_order(code)
    assert story is not None
    [paid] = [one for one in story.happenings if one.what is What.PAID]
    assert paid.request_id == "reading-PAID"


def test_a_failure_is_told_once_until_a_reading_succeeds(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    start = datetime.now(UTC)
    for minute in (1, 2, 5, 6):
        fail(desk, code, start + timedelta(minutes=minute))
        if minute == 2:
            read(desk, code, InvoiceStatus.PENDING, start + timedelta(minutes=3))

    found = readings(desk, code)

    failed, said = What.READING_FAILED, What.READING
    assert [one.what for one in found] == [failed, said, failed]
    assert [one.request_id for one in found][::2] == ["reading-failed"] * 2
    assert found[0].facts == {"why": "no connection"}
