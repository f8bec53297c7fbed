"""A buyer without JavaScript in a world where money moves: opens pages and presses buttons."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Mail, Order, Refund
from app.services.money.payments import CONFIRM
from app.services.selling.ordering import EXPIRE_ORDER, PlacedOrder
from tests.money.world import World
from tests.pages.html import Element, Page
from tests.rows import rows_of

ENGLISH = "en"


class Buyer:
    """One browser, without JavaScript, and the order its owner is looking at."""

    def __init__(self, world: World, placed: PlacedOrder, language: str = ENGLISH) -> None:
        self.world = world
        self.placed = placed
        self.client: FlaskClient = world.app.test_client()
        self.headers = {"Accept-Language": language}

    @property
    def url(self) -> str:
        return f"/orders/{self.placed.token}"

    def open(self, path: str | None = None) -> Page:
        """Open a page, the order's unless another is named."""
        return Page(self.client.get(path or self.url, headers=self.headers))

    def press(self, page: Page, button: str, **typed: str) -> Page:
        """Send the form a button belongs to, and follow the redirect as a browser does."""
        return self.follow(self.send(page, button, **typed))

    def send(self, page: Page, button: str, **typed: str) -> Page:
        """Send the form a button belongs to and return the very answer."""
        form = form_of(page, button)
        fields = {
            e.attributes["name"]: e.attributes.get("value", "")
            for e in form.walk()
            if e.tag == "input"
        }
        return self.post(form.attributes["action"], **{**fields, **typed})

    def post(self, path: str, **fields: str) -> Page:
        """Post fields to a path, whatever the pages offer."""
        return Page(self.client.post(path, data=fields, headers=self.headers))

    def csrf(self) -> str:
        """Return this browser's token against forgery."""
        page = self.open("/checkout")
        return page.fields["csrf_token"]

    def act(self, action: str, **fields: str) -> Page:
        """Post an action on the order that its page need not offer."""
        return self.post(f"{self.url}/{action}", csrf_token=self.csrf(), **fields)

    def follow(self, answer: Page) -> Page:
        """Go where an answer leads; a refusal leads nowhere."""
        if answer.status != 303:
            return answer
        return self.open(answer.headers["Location"])

    @contextmanager
    def order(self) -> Iterator[Order]:
        """Give the order as it is now."""
        with self.world.app.app_context():
            yield db.session.get_one(Order, self.placed.order_id)

    def refunds(self) -> list[Refund]:
        """Return the order's refunds, detached."""
        with self.world.app.app_context():
            return rows_of(self.placed.order_id, Refund)

    def mails(self) -> list[str]:
        """Return the names of the mails that were sent about the order."""
        with self.world.app.app_context():
            return [mail.name for mail in rows_of(self.placed.order_id, Mail)]


def form_of(page: Page, button: str) -> Element:
    """Return the one form that holds the element with this id."""
    held = page.by_id(button)
    (form,) = [form for form in page.all("form") if held in list(form.walk())]
    return form


def heading(page: Page) -> str:
    (found,) = page.all("h1")
    return found.text


def clock_of_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Let the pages see the world's clock, as the worker does."""
    for module in ("orders", "order_actions", "bank_details"):
        monkeypatch.setattr(f"app.routes.{module}.utcnow", world.now)
    return world


def pay_late(world: World, placed: PlacedOrder, channel: str = "BCA") -> None:
    """Let the order expire, sell its seats to somebody else, and let its money come after all."""
    invoice = world.invoice_id(placed)
    with world.app.app_context():
        ticket, quantity = next(iter(db.session.get_one(Order, placed.order_id).quantities.items()))
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    assert world.standing(placed).order == "EXPIRED"
    world.place(ticket, quantity)
    world.standin.pay(invoice, channel, after_expiry=True)
    world.callback(placed)
    world.work(CONFIRM)
    assert world.standing(placed).payment == "PAID"
