"""Free tickets: seats out of the stock, for nothing, with a reason, once for each form."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import OrderStatus, Role
from app.services.office import free_tickets
from app.services.office.free_tickets import Gift
from app.services.office.order_actions import MoveNotPossible
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import OrderRequest, WantedItem
from tests.office.desk import BY, SARI, WHY, Desk
from tests.pages.html import Page
from tests.staff.office import Office

PATH = "/staff/orders/free"
TYPED = {
    "full_name": "Bu Ratna",
    "email": "ratna@example.com",
    "no_hp": "0812 3456 7890",
    "quantity": "2",
    "reason": "speaker",
}


@pytest.fixture
def desk(small_office: Office) -> Desk:
    return Desk(small_office.app)


@pytest.fixture
def admin(small_office: Office) -> FlaskClient:
    return small_office.log_in(Role.ADMIN)


def give(client: FlaskClient, **typed: str) -> tuple[Page, dict[str, str]]:
    sent = {**Page(client.get(PATH)).fields, **TYPED, **typed}
    return Page(client.post(PATH, data=sent)), sent


def code_of(page: Page) -> str:
    return page.headers["Location"].partition("?")[0].rpartition("/")[2]


def test_a_free_order_is_paid_at_once_and_its_e_tickets_are_mailed(
    desk: Desk, admin: FlaskClient
) -> None:
    ticket = desk.add_ticket("VIP", price=400_000)

    page, _ = give(admin, ticket=str(ticket), names="Bu Ratna\n\n Pak  Joko ")

    code = code_of(page)
    assert desk.read(code, lambda facts: facts.order.status) is OrderStatus.PAID
    assert desk.read(code, lambda facts: (facts.order.total, facts.order.payment.amount)) == (0, 0)
    assert [seat[:2] for seat in desk.seats(code)] == [("Bu Ratna", "VIP"), ("Pak Joko", "VIP")]
    assert (desk.sold(ticket), desk.jobs(DELIVER)) == (2, 1)
    assert (desk.done(code), desk.violations()) == (["order.given"], [])
    assert "The free order was made." in Page(admin.get(page.headers["Location"])).text


def test_one_form_makes_one_order_and_another_content_is_told_so(
    desk: Desk, admin: FlaskClient
) -> None:
    ticket = desk.add_ticket("VIP")
    first, sent = give(admin, ticket=str(ticket))

    second = Page(admin.post(PATH, data=sent))
    other = Page(admin.post(PATH, data={**sent, "quantity": "3"}))

    assert code_of(first) == code_of(second)
    assert (other.status, code_of(first) in other.text) == (409, True)
    assert desk.sold(ticket) == 2


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "21"}, "quantity"),
        ({"names": "only one"}, "names"),
        ({"names": "one\n\N{ZERO WIDTH SPACE}"}, "names"),
        ({"email": "ratna@gmial.com"}, "email"),
        ({"ticket": "99"}, "ticket"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_cannot_be_used_is_marked_and_kept(
    desk: Desk, admin: FlaskClient, typed: dict[str, str], field: str
) -> None:
    ticket = desk.add_ticket("VIP")
    page, _ = give(admin, **{"ticket": str(ticket), **typed})
    assert (page.status, page.by_id(field).attributes.get("aria-invalid")) == (422, "true")
    assert page.by_id("full_name").attributes["value"] == "Bu Ratna"
    assert desk.sold(ticket) == 0


def test_a_ticket_that_is_not_on_sale_can_be_given_but_not_more_than_there_are(
    sqlite_app: Flask,
) -> None:
    desk = Desk(sqlite_app)
    ticket = desk.add_ticket("VIP", amount=1)

    def gift(quantity: int) -> Gift:
        request = OrderRequest(SARI, (WantedItem(ticket, quantity),))
        return Gift(request, WHY, f"a key for {quantity} seats")

    later = desk.now() + timedelta(days=365)
    with desk.app.app_context():
        with pytest.raises(MoveNotPossible):
            free_tickets.give(gift(2), by=BY, now=later)
        code = free_tickets.give(gift(1), by=BY, now=later)
    assert [seat[1] for seat in desk.seats(code)] == ["VIP"]
    assert desk.violations() == []
