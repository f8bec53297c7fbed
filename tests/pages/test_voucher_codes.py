"""A code in the shop: what it opens and lowers, for who has it and for nobody else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.models import VoucherEffect
from app.routes.blank_checkout import is_blank
from app.services.office import partners
from app.services.selling import quota_editing, ticket_editing, voucher_editing
from app.services.selling.wishes import QuotaWish, VoucherWish
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, pay_form

CODE = "TEMAN-2027"
HALF = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")


def make(shop: Shop, code: str = CODE, **changes: Any) -> int:
    with shop.app.app_context():
        wish = replace(HALF, **changes)
        return voucher_editing.create_voucher(code, wish, by="tests", now=datetime.now(UTC))


def text_of(page: Page, id: str) -> str:
    return page.by_id(id).text


def look(client: FlaskClient, address: str, **query: str) -> Page:
    answer = client.get(address, query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Page(answer)


def test_nobody_is_asked_for_a_code_while_there_is_none(shop: Shop) -> None:
    shop.add_ticket()
    for address in ("/", "/checkout"):
        assert not look(shop.client, address).has_id("voucher")
    make(shop)
    for address in ("/", "/checkout"):
        assert look(shop.client, address).has_id("voucher")


def test_a_link_with_a_code_shows_both_prices_and_is_kept_private(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    make(shop)

    answer = shop.client.get("/?voucher=teman-2027")

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert text_of(Page(answer), f"ticket-{ticket}").count("Rp 250.000") == 1
    assert "Rp 125.000" in text_of(Page(answer), f"ticket-{ticket}")
    assert "Rp 125.000" not in look(shop.client, "/").text
    assert f"voucher={CODE.lower()}" in answer.get_data(as_text=True), "news are asked for with it"


def test_a_hidden_ticket_is_seen_with_its_code_only(shop: Shop) -> None:
    shop.add_ticket("Reguler")
    hidden = shop.add_ticket("Rahasia")
    shop.change(hidden, is_hidden=True)
    make(shop, "VIP-01", ticket_ids=(hidden,), effect=VoucherEffect.NONE, value=0)
    make(shop, "SEMUA")

    for query in ({}, {"voucher": "SEMUA"}, {"voucher": "SALAH"}, {f"t{hidden}": "1"}):
        for address in ("/", "/checkout"):
            assert "Rahasia" not in look(shop.client, address, **query).text
    for address in ("/", "/checkout"):
        assert "Rahasia" in look(shop.client, address, voucher="VIP-01").text
        assert "Rahasia" not in look(shop.client, address).text, "and nobody else after that"
    for address in ("/api/tickets", "/api/tickets?status=all", "/api/tickets?voucher=VIP-01"):
        assert "Rahasia" not in shop.client.get(address).get_data(as_text=True)


def test_what_is_bought_with_a_code_costs_what_was_shown(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    make(shop)
    client = shop.client
    form = look(client, "/checkout", voucher=CODE, **{f"t{ticket}": "2"})
    assert form.fields["shown_total"] == "250000"
    assert form.fields["voucher"] == CODE

    answer = client.post("/checkout", data={**form.fields, **BUYER, "intent": "pay"})

    assert answer.status_code == 303
    page = look(client, answer.headers["Location"])
    assert f"Voucher {CODE}−Rp 250.000" in page.text


def test_a_code_typed_late_asks_for_a_look_at_the_new_total(shop: Shop) -> None:
    ticket = shop.add_ticket()
    make(shop)

    page, sent = pay_form(shop.client, **{f"t{ticket}": "1", "voucher": CODE})

    assert page.status == 422
    assert shop.count_orders() == 0
    again = {**page.fields, "intent": "pay"}
    assert again["voucher"] == CODE
    assert again["shown_total"] != sent["shown_total"]


def typed(shop: Shop, code: str, ticket: int) -> tuple[Page, Mapping[str, str]]:
    return pay_form(shop.client, **{f"t{ticket}": "2", "voucher": code})


@pytest.mark.parametrize(
    ("code", "changes", "words"),
    [
        ("SALAH-2027", {}, "tidak dikenal"),
        ("a", {}, "4 sampai 32"),
        ("王王王王", {}, "4 sampai 32"),
        (CODE, {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "sudah lewat"),
        (CODE, {"max_seats": 1, "effect": VoucherEffect.NONE, "value": 0}, "1 tiket lagi"),
    ],
)
def test_a_code_that_does_not_count_is_told_beside_its_field_and_kept(
    shop: Shop, code: str, changes: dict[str, Any], words: str
) -> None:
    ticket = shop.add_ticket()
    make(shop, **changes)

    page, _ = typed(shop, code, ticket)

    assert page.status in (409, 422)
    assert words in text_of(page, "voucher-error")
    assert page.fields["voucher"] == code
    assert page.fields["email"] == BUYER["email"], "nothing typed is lost"
    assert shop.count_orders() == 0


def test_a_code_in_an_address_that_does_not_count_shows_what_everybody_sees(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    make(shop)
    page = look(shop.client, "/", voucher="SALAH-2027")
    assert "tidak dikenal" in text_of(page, "voucher-error")
    assert "Rp 250.000" in text_of(page, f"ticket-{ticket}")


def test_types_that_share_seats_are_too_many_together(shop: Shop) -> None:
    one, other = shop.add_ticket("A"), shop.add_ticket("B")
    with shop.app.app_context():
        now = datetime.now(UTC)
        quota = quota_editing.create_quota(QuotaWish("Aula", 3), by="tests", now=now)
        for ticket in (one, other):
            seen = ticket_editing.get_ticket(ticket, now).wish
            wish = replace(seen, quota_id=quota)
            ticket_editing.change_ticket(ticket, wish, seen=seen, by="tests", now=now)

    page = look(shop.client, "/checkout", **{f"t{one}": "2", f"t{other}": "2"})
    assert "3" in text_of(page, f"t{one}-error")
    page, _ = pay_form(shop.client, **{f"t{one}": "2", f"t{other}": "2"})
    assert page.status == 409
    assert shop.count_orders() == 0
    page, _ = pay_form(shop.client, **{f"t{one}": "2", f"t{other}": "1"})
    assert page.status == 303
    assert "Habis" in text_of(look(shop.client, "/"), f"ticket-{one}")


def test_plus_goes_to_the_least_of_an_order_and_minus_back_to_none(shop: Shop) -> None:
    ticket = shop.add_ticket()
    shop.change(ticket, min_per_order=3)
    name, client = f"t{ticket}", shop.client
    form = look(client, "/checkout").fields

    more = Page(client.post("/checkout", data={**form, "more": name, "intent": "update"}))
    assert more.fields[name] == "3"
    less = Page(client.post("/checkout", data={**more.fields, "less": name, "intent": "update"}))
    assert less.fields[name] == "0"
    page, _ = pay_form(client, **{name: "2"})
    assert page.status == 422
    assert "3" in text_of(page, f"{name}-error")


def test_a_form_sent_twice_makes_one_order_also_with_the_last_seat_of_a_code(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    make(shop, max_seats=1)
    client = shop.client
    form = look(client, "/checkout", voucher=CODE, **{f"t{ticket}": "1"}).fields
    sent = {**form, **BUYER, "intent": "pay"}

    first, again = (client.post("/checkout", data=sent) for _ in range(2))

    assert (first.status_code, again.status_code) == (303, 303)
    assert shop.count_orders() == 1
    page, _ = pay_form(shop.client, **{f"t{ticket}": "1", "voucher": CODE})
    assert page.status == 409
    assert "sudah diambil" in text_of(page, "voucher-error")


def test_a_partner_sends_a_code_and_is_told_the_true_price(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    make(shop)
    with shop.app.app_context():
        now = datetime.now(UTC)
        key = partners.add_key("vouchers", ["orders:write"], by="tests", now=now)
    person = {"full_name": "Sari", "email": "sari@example.com", "no_hp": "+6281234567890"}
    body = {"user": person, "items": [{"ticketId": ticket, "quantity": 2}]}
    headers = {"Authorization": f"Bearer {key}"}

    def order(voucher: object) -> Any:
        sent = {**body, "voucher": voucher}
        return shop.client.post("/api/orders", json=sent, headers=headers).get_json()

    told = order("teman-2027")["order"]
    assert (told["total"], told["items"][0]["price"]) == (250_000, 125_000)
    shown = shop.client.get(f"/api/orders/{told['code']}", headers=headers).get_json()
    assert shown["order"]["items"] == told["items"]
    assert shown["order"]["voucher"] == told["voucher"] == {"code": CODE, "discount": 250_000}
    without = order(None)["order"]
    assert (without["total"], without["voucher"]) == (500_000, None)
    for wrong in ("a", "王王王王", 7, "x" * 33):
        refused = order(wrong)
        assert refused["code"] == "validation_error"
        assert [error["field"] for error in refused["errors"]] == ["voucher"]
    assert order("SALAH-2027")["code"] == "voucher_unknown"


def test_the_catalogue_s_field_left_empty_leads_to_the_form_all_share(shop: Shop) -> None:
    for query, is_shared in (("t1=2&voucher=", True), ("t1=2&voucher=ABCD", False)):
        with shop.app.test_request_context(f"/checkout?{query}"):
            assert is_blank() is is_shared
