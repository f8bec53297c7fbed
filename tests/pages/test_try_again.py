"""Try again: the checkout comes filled in, and no personal data stands in an address or cookie."""

from base64 import b64decode

import pytest
from flask.testing import FlaskClient

from tests.pages.html import Page
from tests.pages.order_states import (
    ENGLISH,
    State,
    cancelled,
    expired,
    failed,
    mailed,
    payable,
    seats_gone,
)
from tests.pages.shop import Shop

TYPED = {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "0812-3456-7890"}


def try_again(client: FlaskClient, token: str) -> Page:
    """Press the button on the order's page and return the very answer."""
    page = Page(client.get(f"/orders/{token}", headers=ENGLISH))
    fields = {"csrf_token": page.fields["csrf_token"]} if "csrf_token" in page.fields else {}
    return Page(client.post(f"/orders/{token}/again", data=fields, headers=ENGLISH))


@pytest.mark.parametrize("state", [expired, cancelled, failed])
def test_the_checkout_has_everything_that_was_typed(shop: Shop, state: State) -> None:
    client, token = shop.client, state(shop)
    with shop.changing(token) as order:
        (ticket,) = order.quantities
    answer = try_again(client, token)
    assert answer.status == 303
    form = Page(client.get(answer.headers["Location"])).fields
    expected = {**TYPED, f"t{ticket}": "2", f"a{ticket}_1": "Sari Dewi", f"a{ticket}_2": "Budi"}
    assert expected.items() <= form.items()


def test_addresses_and_cookies_hold_nothing_personal(shop: Shop) -> None:
    client, token = shop.client, expired(shop)
    answer = try_again(client, token)
    cookie = client.get_cookie("session")
    assert cookie is not None
    payload = cookie.value.lstrip(".").split(".")[0]
    told = answer.headers["Location"] + b64decode(payload + "===", altchars=b"-_").decode("latin1")
    for secret in ("Sari", "Budi", "example.com", "81234"):
        assert secret not in told
    assert "sari@example.com" not in Page(client.get(f"/orders/{token}")).source


def test_the_next_visitor_of_the_browser_finds_an_empty_form(shop: Shop) -> None:
    client = shop.client
    url = try_again(client, expired(shop)).headers["Location"]
    assert Page(client.get(url)).fields["email"] == "sari@example.com"
    assert Page(client.get(url)).fields["email"] == ""


@pytest.mark.parametrize("state", [payable, mailed, seats_gone])
def test_an_order_that_did_not_end_unpaid_gives_nothing_away(shop: Shop, state: State) -> None:
    client, token = shop.client, state(shop)
    form = Page(client.get("/checkout")).fields
    fields = {"csrf_token": form["csrf_token"]}
    answer = Page(client.post(f"/orders/{token}/again", data=fields))
    assert (answer.status, answer.headers["Location"]) == (303, f"/orders/{token}")
    assert Page(client.get("/checkout?t1=1")).fields["email"] == ""
