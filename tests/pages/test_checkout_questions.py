"""What the checkout asks before an order is made: once each, and never of a stranger."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.models import OrderStatus, PaymentStatus
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form, pay_form

FRAGMENT = {"HX-Request": "true"}
SLIP, MEANT = "sari@gmial.com", "sari@gmail.com"


def again(client: FlaskClient, page: Page, intent: str, **typed: str) -> Page:
    """Send the form that came back."""
    return Page(client.post("/checkout", data=page.fields | typed | {"intent": intent}))


def token_of(answer: Page) -> str:
    assert answer.status == 303
    return answer.headers["Location"].rpartition("/")[2]


def email_of(shop: Shop, answer: Page) -> str:
    with shop.changing(token_of(answer)) as order:
        return order.user.email


def test_a_slip_in_the_address_is_asked_about_and_everything_is_kept(shop: Shop) -> None:
    ticket = shop.add_ticket()
    page, sent = pay_form(shop.client, **{f"t{ticket}": "1"}, email=SLIP)
    assert page.status == 422
    assert "Apakah maksud Anda sari@gmail.com?" in page.by_id("problems").text
    assert page.fields.items() >= {**BUYER, "email": SLIP}.items()
    assert page.fields["order_token"] == sent["order_token"]
    assert shop.count_orders() == 0


@pytest.mark.parametrize(("intent", "email"), [("pay", SLIP), ("pay_suggested", MEANT)])
def test_either_answer_goes_on_with_one_press(shop: Shop, intent: str, email: str) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page, _sent = pay_form(client, **{f"t{ticket}": "1"}, email=SLIP)
    offered = {e.attributes.get("value") for e in page.by_id("problems").walk()}
    assert intent in offered
    assert email_of(shop, again(client, page, intent)) == email
    assert shop.count_orders() == 1


def test_another_slip_is_asked_about_again(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page, _sent = pay_form(client, **{f"t{ticket}": "1"}, email=SLIP)
    page = again(client, page, "pay", email="sari@gmail.con")
    assert page.status == 422
    assert shop.count_orders() == 0


def test_the_suggestion_is_taken_without_javascript(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    sent = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"email": SLIP}
    page = Page(client.post("/checkout", data=sent | {"intent": "update"}))
    button = page.by_id("take-suggestion").attributes
    assert (button["name"], button["value"]) == ("intent", "suggested")
    taken = again(client, page, "suggested")
    assert taken.status == 200
    assert taken.fields["email"] == MEANT
    assert not taken.has_id("email-suggestion")
    assert taken.fields[f"t{ticket}"] == "2"
    assert shop.count_orders() == 0


def test_a_field_that_is_left_brings_the_suggestion_and_takes_it_away(shop: Shop) -> None:
    client = shop.client
    sent = open_form(client, **{f"t{shop.add_ticket()}": 1}).fields
    sent |= {"intent": "validate", "field": "email"}
    page = Page(client.post("/checkout", data=sent | {"email": SLIP}, headers=FRAGMENT))
    assert page.fields["asked_email"] == SLIP
    assert "Apakah maksud Anda" in page.by_id("email-suggestion").text
    page = Page(client.post("/checkout", data=sent | {"email": MEANT}, headers=FRAGMENT))
    assert not page.has_id("email-suggestion")


def test_who_saw_the_suggestion_is_not_stopped(shop: Shop) -> None:
    ticket = shop.add_ticket()
    asked = {"email": SLIP, "asked_email": SLIP}
    answer, _sent = pay_form(shop.client, **{f"t{ticket}": "1"}, **asked)
    assert email_of(shop, answer) == SLIP


def test_a_second_order_from_another_tab_is_asked_about(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    tab = open_form(client, **{f"t{ticket}": 1})
    first, _sent = pay_form(client, **{f"t{ticket}": "2"})
    page = again(client, tab, "pay", **BUYER)
    assert page.status == 422
    assert "Anda sudah memesan" in page.by_id("problems").text
    assert first.headers["Location"] in [
        e.attributes.get("href") for e in page.by_id("problems").walk()
    ]
    assert page.fields.items() >= BUYER.items()
    assert shop.count_orders() == 1


def test_the_buyer_may_go_on_all_the_same_with_one_press(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    pay_form(client, **{f"t{ticket}": "1"})
    page, _sent = pay_form(client, **{f"t{ticket}": "1"})
    assert page.status == 422
    button = page.by_id("go-on").attributes
    assert again(client, page, button["value"]).status == 303
    assert shop.count_orders() == 2


def test_a_third_order_is_asked_about_anew(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    pay_form(client, **{f"t{ticket}": "1"})
    page, _sent = pay_form(client, **{f"t{ticket}": "1"})
    assert again(client, page, "pay").status == 303
    page, _sent = pay_form(client, **{f"t{ticket}": "1"})
    assert page.status == 422
    assert len([e for e in page.all("li") if e.attributes.get("class") == "own-orders__item"]) == 2


def test_an_answer_of_before_does_not_cover_an_order_made_since(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    pay_form(client, **{f"t{ticket}": "1"})
    page, _sent = pay_form(client, **{f"t{ticket}": "1"})
    answered, _sent = pay_form(client, **{f"t{ticket}": "1"}, asked_orders="")
    assert again(client, answered, "pay").status == 303
    assert again(client, page, "pay").status == 422


def test_one_that_was_paid_a_moment_ago_is_asked_about_but_not_one_of_last_week(
    shop: Shop,
) -> None:
    ticket, client = shop.add_ticket(), shop.client
    first, _sent = pay_form(client, **{f"t{ticket}": "1"})
    shop.pay(token_of(first))
    page, _sent = pay_form(client, **{f"t{ticket}": "1"})
    assert "sudah lunas" in page.by_id("problems").text
    with shop.changing(token_of(first)) as order:
        order.paid_at = datetime.now(UTC) - timedelta(days=1, minutes=1)
    assert pay_form(client, **{f"t{ticket}": "1"})[0].status == 303


def test_an_order_that_ended_or_is_being_cancelled_is_not_mentioned(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    first, _sent = pay_form(client, **{f"t{ticket}": "1"})
    shop.end(token_of(first), OrderStatus.EXPIRED, payment=PaymentStatus.EXPIRED)
    second, _sent = pay_form(client, **{f"t{ticket}": "1"})
    with shop.changing(token_of(second)) as order:
        order.cancel_requested_at = datetime.now(UTC)
    assert pay_form(client, **{f"t{ticket}": "1"})[0].status == 303


def test_the_case_of_an_address_does_not_matter_but_another_address_does(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    pay_form(client, **{f"t{ticket}": "1"}, email="Sari@Example.com")
    assert pay_form(client, **{f"t{ticket}": "1"}, email="sari@example.com")[0].status == 422
    assert pay_form(client, **{f"t{ticket}": "1"}, email="budi@example.com")[0].status == 303


SECRETS = re.compile(r'(name="(?:csrf_token|order_token)" value=)"[^"]*"')


@pytest.mark.parametrize("intent", ["pay", "update", "validate"])
def test_a_stranger_learns_nothing_from_an_address(shop: Shop, intent: str) -> None:
    """The answer for an address with an open order is the one for an address never heard of."""
    ticket = shop.add_ticket()
    assert pay_form(shop.client, **{f"t{ticket}": "1"})[0].status == 303
    answers = []
    for email in (BUYER["email"], "nobody@example.com"):
        client = shop.client
        pay_form(client, **{f"t{ticket}": "1"}, email="stranger@example.com")
        sent = open_form(client, **{f"t{ticket}": 1}).fields | BUYER
        sent |= {"email": email, "no_hp": "12", "intent": intent, "field": "email"}
        page = Page(client.post("/checkout", data=sent))
        source = SECRETS.sub(r"\1", page.source).replace(email, "…")
        answers.append((page.status, source, sorted(page.headers.keys())))
    assert answers[0] == answers[1]


def test_a_stranger_orders_with_somebodys_address_unasked(shop: Shop) -> None:
    ticket = shop.add_ticket()
    assert pay_form(shop.client, **{f"t{ticket}": "1"})[0].status == 303
    stranger = shop.client
    own, _sent = pay_form(stranger, **{f"t{ticket}": "1"}, email="stranger@example.com")
    assert own.status == 303
    assert pay_form(stranger, **{f"t{ticket}": "1"})[0].status == 303


def test_a_repeat_of_the_same_form_is_no_second_order(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    first, sent = pay_form(client, **{f"t{ticket}": "1"})
    repeat = Page(client.post("/checkout", data=sent))
    assert repeat.headers["Location"] == first.headers["Location"]
    assert shop.count_orders() == 1


def test_a_used_form_leads_to_its_order(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    first, sent = pay_form(client, **{f"t{ticket}": "1"})
    page = Page(client.post("/checkout", data=sent | {"full_name": "Ayu Lestari"}))
    assert page.all("a", href=first.headers["Location"])
    assert again(client, page, "pay").status == 303


def test_the_cookie_stays_small_however_much_is_ordered(shop: Shop) -> None:
    ticket, client = shop.add_ticket(amount=1000, price=0), shop.client
    for number in range(20):
        email = f"buyer-{number}@example.com"
        assert pay_form(client, **{f"t{ticket}": "1"}, email=email)[0].status == 303
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert len(cookie.value) < 2_000
