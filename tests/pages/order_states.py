"""Orders in every state their page knows, and a look at that page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.models import OrderStatus, PaymentStatus
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


State = Callable[[Shop], str]
WAITING: list[State] = [preparing, payable, closing, paid]
ENDED: list[State] = [expired, cancelled]
FINAL: list[State] = [mailed, failed, seats_gone, refunding]
