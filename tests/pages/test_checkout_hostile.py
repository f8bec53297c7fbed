"""Forms no page of ours sends: bounded, answered, and never half understood."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form, pay_form

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def post(shop: Shop, changes: Mapping[str, Any], **options: Any) -> Page:
    """Send a good form with these changes by a browser of its own."""
    client = shop.client
    good = open_form(client, t1=1).fields | BUYER | {"intent": "pay"}
    return Page(client.post("/checkout", data={**good, **changes}, **options))


TEXTS = (
    *("x" * 40_000, "\x00", "\ud7ff\ue000", "\u202e", "\r\nBcc: all@example.com"),
    *("{{7*7}}", "%(x)s", "' OR 1=1 --", "-1", "", "\U0001f39f"),
)


@pytest.mark.parametrize("name", ["full_name", "email", "no_hp", "a1_1"])
def test_no_text_breaks_the_form(shop: Shop, name: str) -> None:
    shop.add_ticket(amount=1000)
    made = 0
    for text in TEXTS:
        page = post(shop, {name: text})
        assert page.status in (303, 422), ascii(text)[:20]
        if page.status == 422:
            assert page.fields["t1"] == "1"
            assert len(page.fields[name]) <= 300
            assert page.has_id("problems")
        made += page.status == 303
    assert shop.count_orders() == made


@pytest.mark.parametrize(
    "name", ["order_token", "shown_total", "prefilled", "asked_email", "asked_orders", "t1"]
)
def test_no_hidden_field_breaks_the_form(shop: Shop, name: str) -> None:
    shop.add_ticket(amount=1000)
    statuses = [post(shop, {name: text}).status for text in TEXTS]
    assert set(statuses) <= {303, 422}
    assert shop.count_orders() == statuses.count(303)


def test_of_a_repeated_field_the_first_counts_everywhere(shop: Shop) -> None:
    ticket = shop.add_ticket(price=100_000)
    client = shop.client
    good = open_form(client, **{f"t{ticket}": 1}).fields | BUYER
    sent = MultiDict([*good.items(), (f"t{ticket}", "5"), ("email", "x"), ("intent", "pay")])
    answer = Page(client.post("/checkout", data=sent))
    with shop.changing(answer.headers["Location"].rpartition("/")[2]) as order:
        assert (order.total, order.user.email) == (100_000, BUYER["email"])
    assert shop.held(ticket) == 1


def test_many_fields_are_read_up_to_a_bound(shop: Shop) -> None:
    shop.add_ticket()
    page = post(shop, {f"a1_{number}": "x" for number in range(999)})
    assert page.status in (303, 422)
    assert len(page.source) < 60_000


def test_more_parts_than_any_form_has_are_refused(shop: Shop) -> None:
    parts = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a1_{n}"\r\n\r\nx\r\n'
        for n in range(501)
    )
    page = Page(
        shop.client.post(
            "/checkout",
            data=f"{parts}--{BOUNDARY}--\r\n",
            content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )
    )
    assert page.status == 413
    assert page.all("h1")


@pytest.mark.parametrize("name", ["email", "t1", "order_token"])
def test_a_file_in_place_of_a_text_is_nothing_typed(shop: Shop, name: str) -> None:
    shop.add_ticket()
    file = (io.BytesIO(b"sari@example.com"), "sari.txt")
    page = post(shop, {name: file}, content_type="multipart/form-data")
    assert page.status in (303, 422)
    assert shop.count_orders() == (page.status == 303) == (name == "order_token")


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data", "image/png"]
)
def test_another_kind_of_body_is_an_empty_form(shop: Shop, content_type: str) -> None:
    shop.add_ticket()
    body = b'{"t1": 1, "email": "sari@example.com"}'
    page = Page(shop.client.post("/checkout", data=body, content_type=content_type))
    assert page.status == 400
    assert page.fields["t1"] == "0"
    assert shop.count_orders() == 0


def test_no_other_intent_makes_an_order(shop: Shop) -> None:
    shop.add_ticket()
    for intent in ("", "buy", "PAY", "pay ", "validate", "suggested", "x" * 9_000):
        page = post(shop, {"intent": intent, "field": "../../etc/passwd"})
        assert page.status == 200, intent
    assert shop.count_orders() == 0


def test_the_order_of_another_browser_cannot_be_reached_by_its_code(shop: Shop) -> None:
    """`asked_orders` only silences a question: it is never looked up."""
    ticket = shop.add_ticket()
    first, _sent = pay_form(shop.client, **{f"t{ticket}": "1"})
    with shop.changing(first.headers["Location"].rpartition("/")[2]) as order:
        code = order.code
    page = post(shop, {"asked_orders": code, "no_hp": "12"})
    assert page.status == 422
    assert page.source.count(code) == 1  # the field itself, sent back
