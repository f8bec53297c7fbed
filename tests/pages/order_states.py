"""Orders in every state their page knows, and a look at that page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.extensions import db
from app.models import CaseKind, CaseStatus, MoneyCase, Order, OrderStatus, PaymentStatus, Refund
from tests.pages.html import Page
from tests.pages.shop import Shop

ENGLISH = {"Accept-Language": "en"}
FRAGMENT = {**ENGLISH, "HX-Request": "true"}


def opened(seconds: int) -> str:
    """Return the query of a page that has been open so long."""
    return f"?since={int(datetime.now(UTC).timestamp()) - seconds}"


def show(shop: Shop, token: str, query: str = "") -> Page:
    return Page(shop.client.get(f"/orders/{token}{query}", headers=ENGLISH))


def preparing(shop: Shop) -> str:
    return shop.order(shop.add_ticket())


def payable(shop: Shop) -> str:
    token = preparing(shop)
    shop.give_invoice(token)
    return token


def closing(shop: Shop) -> str:
    token = shop.order(shop.add_ticket(), age=timedelta(hours=1))
    shop.give_invoice(token)
    return token


def paid(shop: Shop) -> str:
    token = payable(shop)
    shop.pay(token)
    return token


def mailed(shop: Shop) -> str:
    token = paid(shop)
    shop.mail_tickets(token)
    return token


def expired(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.EXPIRED)
    return token


def cancelled(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.CANCELLED, payment=PaymentStatus.EXPIRED)
    return token


def failed(shop: Shop) -> str:
    token = preparing(shop)
    shop.end(token, OrderStatus.CANCELLED, payment=PaymentStatus.FAILED)
    return token


def seats_gone(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.PAID)
    return token


def refunding(shop: Shop) -> str:
    token = paid(shop)
    with shop.changing(token) as order:
        order.move_to(OrderStatus.CANCELLED)
    return token


def checking(shop: Shop) -> str:
    return payable(shop) + "?from=xendit"


def late(shop: Shop) -> str:
    return expired(shop) + "?from=xendit"


def cancelling(shop: Shop) -> str:
    token = payable(shop)
    with shop.changing(token) as order:
        order.cancel_requested_at = datetime.now(UTC)
    return token


def choosing(shop: Shop) -> str:
    token = payable(shop)
    shop.come_too_late(token)
    return token


def _case_of(order: Order) -> MoneyCase:
    return db.session.query(MoneyCase).filter_by(order_id=order.id).one()


def in_line(shop: Shop) -> str:
    token = choosing(shop)
    with shop.changing(token) as order:
        _case_of(order).status = CaseStatus.WAITING
        db.session.query(Refund).filter_by(order_id=order.id).delete()
    return token


def money_back(shop: Shop) -> str:
    token = choosing(shop)
    with shop.changing(token) as order:
        _case_of(order).status = CaseStatus.RESOLVED
    return token


def underpaid(shop: Shop) -> str:
    token = payable(shop)
    with shop.changing(token) as order:
        case = MoneyCase(
            order_id=order.id,
            kind=CaseKind.UNDERPAID,
            status=CaseStatus.OPEN,
            invoice_id="662f",
            amount=100,
            opened_at=datetime.now(UTC),
        )
        db.session.add(case)
    return token


State = Callable[[Shop], str]
WAITING: list[State] = [preparing, payable, closing, paid]
ENDED: list[State] = [expired, cancelled]
FINAL: list[State] = [mailed, failed, seats_gone, refunding]
WITH_MONEY: list[State] = [checking, late, cancelling, choosing, in_line, money_back, underpaid]
