"""Checkout: the form without JavaScript, its fragments, and the order it makes."""

import pytest

from app.models import OrderStatus
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form, pay_form

FRAGMENT = {"HX-Request": "true"}


def test_with_nothing_chosen_it_shows_the_quantities_and_a_hint(shop: Shop) -> None:
    ticket = shop.add_ticket()
    page = open_form(shop.client)
    assert page.fields[f"t{ticket}"] == "0"
    assert "Pilih jumlah yang Anda inginkan" in page.text
    assert "hidden" in page.by_id("seats").attributes


def test_with_nothing_on_sale_it_leads_back(shop: Shop) -> None:
    assert "Saat ini tidak ada tiket yang dijual" in open_form(shop.client).text


def test_there_is_a_name_field_for_each_seat_and_a_total(shop: Shop) -> None:
    first = shop.add_ticket("Early Bird", price=150_000)
    second = shop.add_ticket("Reguler", price=250_000)
    page = open_form(shop.client, **{f"t{first}": 1, f"t{second}": 2})
    seats = {f"a{first}_1", f"a{second}_1", f"a{second}_2"}
    assert seats <= page.fields.keys()
    assert page.fields["shown_total"] == "650000"
    assert page.by_id("pay").text == "Lanjut ke pembayaran · Rp 650.000"


def test_fields_ask_for_the_right_keyboard_and_say_their_name(shop: Shop) -> None:
    page = open_form(shop.client, **{f"t{shop.add_ticket()}": 1})
    wanted = {
        "full_name": ("text", "name", "100"),
        "email": ("email", "email", "254"),
        "no_hp": ("tel", "tel", "32"),
    }
    for name, (kind, autocomplete, longest) in wanted.items():
        field = page.by_id(name).attributes
        assert (field["type"], field["autocomplete"], field["maxlength"]) == (
            kind,
            autocomplete,
            longest,
        )
        assert page.all("label", for_=name)
        assert page.has_id(f"{name}-error")
        assert f"{name}-error" in field["aria-describedby"].split()


def test_paying_makes_an_order_and_leads_to_its_page_while_xendit_is_away(shop: Shop) -> None:
    ticket = shop.add_ticket()
    answer, _sent = pay_form(shop.client, **{f"t{ticket}": "2", f"a{ticket}_2": "Budi"})
    assert answer.status == 303
    token = answer.headers["Location"].rpartition("/")[2]
    with shop.changing(token) as order:
        assert order.status is OrderStatus.PENDING
        assert order.items[0].attendees == ["Sari Dewi", "Budi"]
        assert order.user.no_hp == "+6281234567890"
        assert order.locale == "id"
    assert shop.held(ticket) == 2


def test_paying_leads_straight_to_the_invoice_and_so_does_a_repeat(
    shop_with_xendit: Shop,
) -> None:
    shop = shop_with_xendit
    ticket = shop.add_ticket()
    client = shop.client
    answer, sent = pay_form(client, **{f"t{ticket}": "2"})
    assert answer.status == 303
    invoice_url = answer.headers["Location"]
    assert invoice_url.startswith(f"{shop.settings.xendit_api_url}/")
    assert shop.settings.xendit_api_url in answer.headers["Content-Security-Policy"]
    assert Page(client.post("/checkout", data=sent)).headers["Location"] == invoice_url
    assert shop.count_orders() == 1


def test_the_browser_may_show_the_form_again_on_the_way_back(shop: Shop) -> None:
    page = open_form(shop.client, **{f"t{shop.add_ticket()}": 1})
    assert page.headers["Cache-Control"] == "private, no-cache"


def test_a_free_order_is_paid_at_once(shop: Shop) -> None:
    ticket = shop.add_ticket(price=0)
    answer, _sent = pay_form(shop.client, **{f"t{ticket}": "1"})
    with shop.changing(answer.headers["Location"].rpartition("/")[2]) as order:
        assert order.status is OrderStatus.PAID


def test_a_double_click_or_a_reload_makes_one_order(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    answer, sent = pay_form(client, **{f"t{ticket}": "2"})
    again = Page(client.post("/checkout", data=sent))
    assert again.status == 303
    assert again.headers["Location"] == answer.headers["Location"]
    assert shop.count_orders() == 1
    assert shop.held(ticket) == 2


def test_two_forms_of_two_addresses_make_two_orders(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    assert pay_form(client, **{f"t{ticket}": "1"})[0].status == 303
    assert pay_form(client, **{f"t{ticket}": "1"}, email="budi@example.com")[0].status == 303
    assert shop.count_orders() == 2


def test_update_without_javascript_keeps_everything_and_prefills_the_seats(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields
    sent |= {**BUYER, f"t{ticket}": "3", f"a{ticket}_1": "Budi", "intent": "update"}
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 200
    for name, value in BUYER.items():
        assert page.fields[name] == value
    seats = [page.fields[f"a{ticket}_{number}"] for number in (1, 2, 3)]
    assert seats == ["Budi", "Sari Dewi", "Sari Dewi"]
    assert page.fields["order_token"] == sent["order_token"]
    assert page.fields["shown_total"] == "750000"
    assert not page.has_id("problems")
    assert shop.count_orders() == 0


def test_untouched_seats_follow_a_corrected_name(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 2}).fields | {"full_name": "Sari"}
    sent = Page(client.post("/checkout", data=sent | {"intent": "update"})).fields
    sent |= {**BUYER, f"a{ticket}_2": "Budi", "intent": "pay"}
    answer = Page(client.post("/checkout", data=sent))
    with shop.changing(answer.headers["Location"].rpartition("/")[2]) as order:
        assert order.items[0].attendees == ["Sari Dewi", "Budi"]


def test_quantities_changed_without_update_are_not_charged_unseen(shop: Shop) -> None:
    ticket = shop.add_ticket(price=100_000)
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields
    sent |= {**BUYER, f"t{ticket}": "3", "intent": "pay"}
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 422
    assert "Jumlah yang harus dibayar berubah" in page.by_id("problems").text
    assert page.by_id("pay").text == "Lanjut ke pembayaran · Rp 300.000"
    assert shop.count_orders() == 0
    assert Page(client.post("/checkout", data=page.fields | {"intent": "pay"})).status == 303


def test_a_price_changed_meanwhile_is_not_charged_unseen(shop: Shop) -> None:
    ticket = shop.add_ticket(price=100_000)
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields | BUYER | {"intent": "pay"}
    shop.change(ticket, price=120_000)
    page = Page(client.post("/checkout", data=sent))
    assert (page.status, page.by_id("pay").text) == (422, "Lanjut ke pembayaran · Rp 120.000")
    assert shop.count_orders() == 0


def test_htmx_gets_the_form_alone_with_the_parts_it_swaps(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields | {f"t{ticket}": "2", "intent": "update"}
    page = Page(client.post("/checkout", data=sent, headers=FRAGMENT))
    roots = [e for e in page.root.children if not isinstance(e, str)]
    assert [e.attributes["id"] for e in roots] == ["checkout-form"]
    field = page.by_id(f"t{ticket}").attributes
    parts = [field["hx-target"], *field["hx-select-oob"].split(",")]
    for part in parts:
        assert page.has_id(part.removeprefix("#"))
    assert page.headers["Vary"].count("HX-Request") == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "sari", "Alamat email ini belum lengkap. Contoh penulisannya: nama@example.com."),
        ("email", "sari@example.com", ""),
        ("full_name", " ", "Mohon isi nama."),
        ("full_name", "سارة", ""),
        ("no_hp", "0812 3456 7890", ""),
        ("a1_1", "", ""),
        ("a1_1", "x" * 101, "Mohon persingkat nama menjadi paling banyak 100 karakter."),
    ],
)
def test_one_field_is_checked_alone(shop: Shop, field: str, value: str, message: str) -> None:
    client = shop.client
    sent = open_form(client, **{f"t{shop.add_ticket()}": 1}).fields
    sent |= {field: value, "intent": "validate", "field": field}
    page = Page(client.post("/checkout", data=sent, headers=FRAGMENT))
    assert page.status == 200
    (error,) = [e for e in page.root.children if not isinstance(e, str)]
    assert error.attributes["id"] == f"{field}-error"
    assert error.text == message
    assert ("hidden" in error.attributes) == (not message)


def test_the_order_speaks_the_language_of_its_buyer(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    client.get("/language/en?next=/")
    answer, _sent = pay_form(client, **{f"t{ticket}": "1"})
    with shop.changing(answer.headers["Location"].rpartition("/")[2]) as order:
        assert order.locale == "en"
