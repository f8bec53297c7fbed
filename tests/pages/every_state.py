"""Every page in every state it knows, as a browser gets it."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response

from app.errors import Busy, RateLimited
from app.fair_door_settings import FairDoorSettings
from app.gateways import current_settings
from app.models import Role, VoucherEffect
from app.routes import error_handlers
from app.routes.waiting_page import write_page
from app.services.office import invitations
from app.services.selling import voucher_editing
from app.services.selling.wishes import VoucherWish
from app.services.waiting.news import News, State
from tests.door.world import DoorWorld, Guest
from tests.pages import order_states
from tests.pages.html import Page
from tests.pages.shop import BUYER, LONG_AGO, Shop
from tests.staff.office import DOOR, PAGES, PASSWORD, Office, fresh_code

Answers = Iterator[tuple[str, Response]]
Part = Callable[[Shop, str], Answers]
SOON = datetime(2030, 1, 20, 10, tzinfo=UTC)
LEADING_ON = {State.STRANGER, State.TURN, State.OPEN}
SLIP = "sari@gmial.com"
ORDER_STATES = [*order_states.WAITING, *order_states.ENDED, *order_states.FINAL]
INVITED = {"email": "budi@example.com", "role": "finance"}
STAFF_PAGES = (*PAGES, "/staff/people/2", "/staff/audit?person=nobody")


class OneTicketShop(Shop):
    """A shop whose orders are all for the same ticket."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.app, shop.settings)
        self.ticket = shop.add_ticket("Balkon", amount=500)

    def add_ticket(self, *_names: Any, **_values: Any) -> int:
        return self.ticket


def buyers_states(shop: Shop, language: str) -> Answers:
    """Visit each page of buyers in each state; the shop must be new."""
    client = shop.app.test_client()
    client.set_cookie("language", language)
    yield from catalogue_states(shop, client)
    one = OneTicketShop(shop)
    yield from checkout_states(one, client)
    yield from order_pages(one, client)
    yield from refusals(one, client)
    yield from faults(shop, language)
    yield from waiting_states(shop, language)


def staffs_states(shop: Shop, language: str) -> Answers:
    """Visit each page of staff in each state; the shop must be new."""
    yield from staff_states(Office(shop.app), language)


PARTS: list[Part] = [buyers_states, staffs_states]


def catalogue_states(shop: Shop, client: FlaskClient) -> Answers:
    """Nothing yet, not open, sold out, ended, and one on sale among all others."""
    yield "catalogue, empty", client.get("/")
    ticket = shop.add_ticket("Presale", amount=20, opens_in=timedelta(hours=3))
    yield "catalogue, not open", client.get("/")
    long_ago = datetime.now(UTC) - LONG_AGO
    shop.change(ticket, valid_from=long_ago, held=20)
    yield "catalogue, sold out", client.get("/")
    shop.change(ticket, valid_until=long_ago + timedelta(days=1), held=0)
    yield "catalogue, ended", client.get("/")
    shop.add_ticket("Early Bird", price=0, amount=3, closes_in=timedelta(hours=2))
    shop.add_ticket("Student", opens_in=timedelta(days=2))
    shop.add_ticket("Patron", amount=0)
    yield "catalogue, open", client.get("/")


def checkout_states(shop: OneTicketShop, client: FlaskClient) -> Answers:
    """Empty, filled in, refused, and with each question it asks."""
    field = f"t{shop.ticket}"
    yield "checkout, nothing chosen", client.get("/checkout")
    page = client.get(f"/checkout?{field}=2")
    yield "checkout", page
    form = Page(page).fields | {"intent": "pay"}
    yield "checkout, nothing typed", client.post("/checkout", data=form)
    filled = form | BUYER
    wrong = filled | {"email": "sari@", "no_hp": "12", field: "99"}
    yield "checkout, mistakes", client.post("/checkout", data=wrong)
    yield "checkout, slip", client.post("/checkout", data=filled | {"email": SLIP})
    assert client.post("/checkout", data=filled).status_code == 303
    second = Page(client.get(f"/checkout?{field}=2")).fields | BUYER | {"intent": "pay"}
    yield "checkout, second order", client.post("/checkout", data=second)
    sold_out = Page(client.get(f"/checkout?{field}=2")).fields | BUYER | {"intent": "pay"}
    shop.change(shop.ticket, amount=2)
    yield "checkout, sold out", client.post("/checkout", data=sold_out)
    yield "checkout, gone", client.get(f"/checkout?{field}=2")
    shop.change(shop.ticket, amount=500)
    yield from voucher_states(shop, client)
    for path in ("/terms", "/privacy"):
        yield path, client.get(path)


def voucher_states(shop: OneTicketShop, client: FlaskClient) -> Answers:
    """A code that counts, and one that does not, in the catalogue and the checkout."""
    with shop.app.app_context():
        half = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")
        now = datetime.now(UTC)
        code = f"HALF-{secrets.token_hex(4).upper()}"
        voucher_editing.create_voucher(code, half, by="tests", now=now)
    for words, typed in (("good", code), ("unknown", "SALAH-2027")):
        yield f"catalogue, {words} code", client.get(f"/?voucher={typed}")
        yield f"checkout, {words} code", client.get(f"/checkout?voucher={typed}&t{shop.ticket}=2")


def order_pages(shop: OneTicketShop, client: FlaskClient) -> Answers:
    """The order in every state, and the pages that hang on it."""
    for state in [*ORDER_STATES, *order_states.WITH_MONEY]:
        yield f"order, {state.__name__}", client.get(f"/orders/{state(shop)}")
    unpaid = order_states.payable(shop)
    yield "order, cancel?", client.get(f"/orders/{unpaid}/cancel")
    yield "order, form too old", client.post(f"/orders/{unpaid}/extend")
    yield "e-tickets", client.get(f"/orders/{order_states.mailed(shop)}/tickets")
    late = order_states.payable(shop)
    path = f"/orders/{late}/bank-details?refund={shop.come_too_late(late)}"
    yield "bank details", client.get(path)
    wrong = _form(client, path) | {"account_number": "x"}
    yield "bank details, mistakes", client.post(path, data=wrong)


def refusals(shop: Shop, client: FlaskClient) -> Answers:
    """Each error page that differs from the others."""
    yield "404", client.get("/nowhere")
    yield "404 of an order", client.get("/orders/nothing")
    yield "405", client.get(f"/orders/{order_states.preparing(shop)}/extend")
    yield "413", client.post("/checkout", data={"full_name": "y" * 70_000})


def faults(shop: Shop, language: str) -> Answers:
    """The error pages that no request of ours can bring about at will."""
    with shop.app.test_request_context("/?t1=2", headers={"Cookie": f"language={language}"}):
        yield "429", error_handlers.render_refusal(RateLimited(retry_after=40))
        yield "500", error_handlers.render_http(InternalServerError())
        yield "503", error_handlers.render_refusal(Busy())
        yield "last words", Response(error_handlers.last_words("id"), mimetype="text/html")


def waiting_states(shop: Shop, language: str) -> Answers:
    """The waiting room for a visitor in each state, but those that lead on by themselves."""
    door = FairDoorSettings(SOON, per_minute=60, turn=timedelta(minutes=10), seats_per_person=4)
    pages = {}
    with shop.app.test_request_context("/waiting?t1=2", headers={"Cookie": f"language={language}"}):
        settings = shop.app.extensions["settings"]
        shop.app.extensions["settings"] = replace(settings, fair_door=door)
        for state in set(State) - LEADING_ON:
            news = News(state, 30, ahead=1234, minutes=9, is_scarce=True, opens_in=754)
            pages[state.value] = Response(write_page(news, SOON), mimetype="text/html")
        shop.app.extensions["settings"] = settings
    for name, page in pages.items():
        yield f"waiting, {name}", page


def staff_states(office: Office, language: str) -> Answers:
    """Log-in, pairing, and the office with nothing in it and with everything."""
    client = office.browser(language)
    yield "door, stranger", client.get("/door")
    yield "pair", client.get("/door/pair")
    wrong = _form(client, "/door/pair") | {"code": "x"}
    yield "pair, refused", client.post("/door/pair", data=wrong)
    yield "log-in", client.get("/staff/log-in")
    form = _form(client, "/staff/log-in") | {"email": office.hire(Role.ADMIN)}
    wrong = form | {"password": "wrong"}
    yield "log-in, refused", client.post("/staff/log-in", data=wrong)
    client.post("/staff/log-in", data=form | {"password": PASSWORD})
    yield from second_step(office, client, language)
    for path in STAFF_PAGES[2:]:
        yield f"{path}, empty", client.get(path)
    gate = office.add_gate("A")
    office.add_phone("Boss", gate_id=gate, role="supervisor")
    phone = office.add_phone("Ayu", gate_id=gate, lanes="AB").device_id
    for path in (*STAFF_PAGES, f"{DOOR}/gates/{gate}", f"{DOOR}/devices/{phone}"):
        yield path, client.get(path)
    token = {"csrf_token": _form(client, f"{DOOR}/gates/new")["csrf_token"]}
    yield "gate, refused", client.post(f"{DOOR}/gates/new", data=token)
    path = f"{DOOR}/devices/{phone}/code"
    yield "code, gone", client.get(path)
    client.post(path, data=token)
    yield "code", client.get(path)
    yield from evening(office, client, language)
    yield from refused_staff(office, language)


def second_step(office: Office, admin: FlaskClient, language: str) -> Answers:
    """The code of a log-in, and how a second factor is set up."""
    where = "/staff/log-in/code"
    yield "code of a log-in", admin.get(where)
    form = _form(admin, where)
    yield "code of a log-in, refused", admin.post(where, data=form | {"code": "0"})
    admin.post(where, data=form | {"code": fresh_code(office.app)})
    volunteer, where = office.log_in(Role.DOOR, language), "/staff/me/second-factor"
    yield "second factor", volunteer.get(where)
    yield "second factor, refused", volunteer.post(where, data=_form(volunteer, where))
    admin.post("/staff/people/invite", data=_form(admin, "/staff/me") | INVITED)
    with office.working():
        token = invitations.link_token(1, current_settings())
    yield "invitation", office.browser(language).get(f"/staff/invitations/{token}")
    yield "invitation, gone", office.browser(language).get("/staff/invitations/x")
    yield "recovery codes", admin.post("/staff/me/recovery-codes", data=_form(admin, "/staff/me"))


def evening(office: Office, admin: FlaskClient, language: str) -> Answers:
    """What an evening leaves behind: verdicts, numbers, a ticket that came in twice, old phones."""
    world = DoorWorld(office.app, now=datetime.now(UTC))
    twice, phones = world.guest(), []
    for number, name in enumerate(("Budi", "Citra")):
        phone = office.browser(language)
        pairing = office.add_phone(name)
        phone.post("/door/pair", data=_form(phone, "/door/pair") | {"code": pairing.code})
        _report(phone, twice, number)
        phones.append((phone, pairing.device_id))
    yield "door, scanner", phones[0][0].get("/door")
    guest = world.guest()
    for word in ("admitted", "refused"):
        form = _form(phones[0][0], "/door") | {"code": guest.qr_text}
        yield f"door, {word}", phones[0][0].post("/door", data=form)
    for path in (DOOR, f"{DOOR}/conflicts"):
        yield f"{path}, used", admin.get(path)
    gone, device_id = phones[1]
    admin.post(f"{DOOR}/devices/{device_id}/cut-off", data=_form(admin, f"{DOOR}/gates/new"))
    yield "devices, cut off", admin.get(f"{DOOR}/devices")
    yield "door, cut off", gone.get("/door")


def _form(client: FlaskClient, path: str) -> dict[str, str]:
    """Return what the page's forms send unseen, its token against forgery among it."""
    hidden = Page(client.get(path)).all("input", type="hidden")
    return {e.attributes["name"]: e.attributes["value"] for e in hidden}


def _report(phone: FlaskClient, guest: Guest, number: int) -> None:
    """Tell of an entry that the phone decided without a network."""
    moment = datetime.now(UTC).isoformat()
    fact: dict[str, Any] = {
        "code": guest.qr_text,
        "scanId": f"0b8e9a52-6f1e-4c55-9d53-0d1a4a5b7c1{number}",
        "scannedAt": moment,
        "gate": "A",
        "direction": "in",
        "result": "admitted",
        "reason": None,
    }
    body = {"sentAt": moment, "checkIns": [fact]}
    assert phone.post("/api/check-ins/batch", json=body).status_code == 200


def refused_staff(office: Office, language: str) -> Answers:
    """Somebody who may not, and a form that is too old."""
    client = office.log_in(Role.FINANCE, language)
    yield "403", client.get(DOOR)
    yield "form too old", client.post("/staff/log-out")
