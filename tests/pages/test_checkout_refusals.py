"""A refused checkout: the form comes back with everything kept, and says what to do."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form, pay_form

PAST = -timedelta(minutes=1)


def assert_kept(page: Page, sent: dict[str, str], *, but: tuple[str, ...] = ()) -> None:
    """Check that the form shows again what was typed and chosen; blank seats get the name."""
    seats = {name for name in sent if name[0] == "a" and name[1].isdigit()}
    quantities = {name for name in sent if name[0] == "t" and name[1].isdigit()}
    for name in (seats | quantities | BUYER.keys()) - set(but):
        expected = sent[name] or (sent["full_name"] if name in seats else "")
        assert page.fields[name] == expected, name


def test_wrong_fields_are_marked_listed_and_linked(shop: Shop) -> None:
    ticket = shop.add_ticket()
    wrong = {"full_name": " ", "email": "sari@", "no_hp": "12", f"a{ticket}_1": "Budi"}
    page, sent = pay_form(shop.client, **{f"t{ticket}": "1"}, **wrong)
    assert page.status == 422
    assert_kept(page, sent)
    summary = page.by_id("problems")
    assert summary.attributes["tabindex"] == "-1"
    assert "autofocus" in summary.attributes
    links = [e.attributes["href"] for e in summary.walk() if e.tag == "a"]
    assert links == ["#full_name", "#email", "#no_hp"]
    for name in ("full_name", "email", "no_hp"):
        assert page.by_id(name).attributes["aria-invalid"] == "true"
        assert page.by_id(f"{name}-error").text
    assert "aria-invalid" not in page.by_id(f"a{ticket}_1").attributes
    assert shop.count_orders() == 0


def test_choosing_nothing_is_refused_at_the_quantities(shop: Shop) -> None:
    shop.add_ticket()
    page, sent = pay_form(shop.client)
    assert page.status == 422
    assert_kept(page, sent)
    assert page.by_id("quantities-error").text == "Pilih setidaknya satu tiket."
    assert [e for e in page.by_id("problems").walk() if e.attributes.get("href") == "#quantities"]


def test_sold_out_says_what_is_left_and_lowers_nothing(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=10)
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 3}).fields | BUYER | {"intent": "pay"}
    shop.order(ticket, quantity=5)
    shop.change(ticket, amount=6)
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 409
    assert_kept(page, sent)
    assert page.by_id(f"t{ticket}-error").text == "Hanya tersisa 1. Kurangi jumlahnya."
    assert "hidden" in page.by_id(f"state-{ticket}").attributes
    assert "tidak tersedia" in page.by_id("summary").text
    assert page.by_id("pay").text == "Lanjut ke pembayaran"
    assert page.by_id(f"t{ticket}-limit").attributes["data-most"] == "1"
    assert shop.count_orders() == 1
    fewer = page.fields | {f"t{ticket}": "1", "intent": "update"}
    sent = Page(client.post("/checkout", data=fewer)).fields | {"intent": "pay"}
    assert Page(client.post("/checkout", data=sent)).status == 303


def test_a_ticket_that_is_all_gone_keeps_the_other_one(shop: Shop) -> None:
    gone, there = shop.add_ticket("Gone", amount=5), shop.add_ticket("There")
    client = shop.client
    sent = open_form(client, **{f"t{gone}": 1, f"t{there}": 1}).fields | BUYER | {"intent": "pay"}
    shop.change(gone, amount=0)
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 409
    assert_kept(page, sent)
    assert "habis terjual" in page.by_id(f"t{gone}-error").text
    assert page.by_id(f"t{there}-error").text == ""
    assert shop.held(there) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [("valid_until", "sudah berakhir"), ("valid_from", "belum dibuka")],
)
def test_a_sale_that_ended_or_moved_brings_the_form_back(
    shop: Shop, change: str, message: str
) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"intent": "pay"}
    moment = datetime.now(UTC) + (PAST if change == "valid_until" else -PAST)
    shop.change(ticket, **{change: moment})
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 409
    assert_kept(page, sent)
    assert message in page.by_id(f"t{ticket}-error").text
    assert shop.count_orders() == 0


def test_a_used_form_says_so_and_offers_a_new_order(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    _answer, sent = pay_form(client, **{f"t{ticket}": "1"})
    sent |= {"full_name": "Ayu Lestari"}
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 422
    assert_kept(page, sent)
    assert "sudah dipakai untuk sebuah pesanan" in page.by_id("problems").text
    assert page.fields["order_token"] != sent["order_token"]
    assert Page(client.post("/checkout", data=page.fields | {"intent": "pay"})).status == 303
    assert shop.count_orders() == 2


def test_a_locked_database_keeps_the_form_and_asks_to_try_again(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields | BUYER | {"intent": "pay"}
    with shop.app.app_context():
        sa.event.listen(db.engine, "connect", _be_impatient)
        db.engine.dispose()
        other = db.engine.raw_connection()
        other.cursor().execute("BEGIN IMMEDIATE")
        page = Page(client.post("/checkout", data=sent))
        other.cursor().execute("ROLLBACK")
        other.close()
    assert page.status == 503
    assert int(page.headers["Retry-After"]) > 0
    assert_kept(page, sent)
    assert "sangat sibuk" in page.by_id("problems").text
    assert Page(client.post("/checkout", data=sent)).status == 303


def _be_impatient(connection: object, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout = 50")  # type: ignore[attr-defined]


@pytest.mark.parametrize("quantity", ["6", "100", "999"])
def test_more_than_one_order_may_take_is_refused_at_its_field(shop: Shop, quantity: str) -> None:
    ticket = shop.add_ticket(most=5)
    sent = {**BUYER, f"t{ticket}": quantity, "intent": "pay"}
    client = shop.client
    page = Page(client.post("/checkout", data=open_form(client).fields | sent))
    assert page.status == 422
    assert shop.count_orders() == 0
    assert shop.held(ticket) == 0


def test_a_quantity_over_the_limit_is_told_at_its_field(shop: Shop) -> None:
    ticket = shop.add_ticket(most=5)
    client = shop.client
    sent = open_form(client).fields | BUYER | {f"t{ticket}": "6", "intent": "pay"}
    del sent["shown_total"]
    page = Page(client.post("/checkout", data=sent))
    assert page.by_id(f"t{ticket}-error").text == "Pilih 1 sampai 5 tiket jenis ini."


def test_an_unknown_ticket_is_refused(shop: Shop) -> None:
    shop.add_ticket()
    client = shop.client
    sent = open_form(client).fields | BUYER | {"t424242": "1", "intent": "pay"}
    assert Page(client.post("/checkout", data=sent)).status == 422
    assert shop.count_orders() == 0


def test_a_missing_csrf_token_keeps_the_form_and_makes_no_order(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields | BUYER | {"intent": "pay"}
    del sent["csrf_token"]
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 400
    assert_kept(page, sent)
    assert shop.count_orders() == 0
    assert Page(client.post("/checkout", data=page.fields | {"intent": "pay"})).status == 303


def test_hostile_names_come_back_as_text(shop: Shop) -> None:
    ticket = shop.add_ticket()
    evil = '"><script>alert(1)</script>'
    page, sent = pay_form(shop.client, **{f"t{ticket}": "1"}, full_name=evil, email=evil)
    assert page.status == 422
    assert_kept(page, sent, but=(f"a{ticket}_1",))
    assert not [e for e in page.all("script") if "src" not in e.attributes]


def test_a_flood_of_fields_and_long_values_is_cut(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    many = {f"a{ticket}_{number}": "x" for number in range(900)}
    sent = open_form(client, **{f"t{ticket}": 1}).fields | many | {"full_name": "y" * 20_000}
    page = Page(client.post("/checkout", data=sent | {"intent": "update"}))
    assert page.status == 200
    assert len(page.fields["full_name"]) <= 300
    assert len(page.source) < 60_000


def test_a_body_beyond_all_measure_is_refused(shop: Shop) -> None:
    client = shop.client
    page = Page(client.post("/checkout", data={"full_name": "y" * 70_000}))
    assert page.status == 413
    assert page.all("h1")


def test_too_many_orders_from_one_address_keep_the_form(limited_shop: Shop) -> None:
    ticket = limited_shop.add_ticket(amount=1000, price=0)
    client = limited_shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields | BUYER | {"intent": "pay"}
    for _ in range(120):
        assert client.post("/checkout", data=sent).status_code == 303
    page = Page(client.post("/checkout", data=sent))
    assert page.status == 429
    assert 0 < int(page.headers["Retry-After"]) <= 60
    assert_kept(page, sent)
    assert Page(client.post("/checkout", data=sent | {"intent": "update"})).status == 200


def test_htmx_is_told_of_a_missing_csrf_token_in_its_own_way(shop: Shop) -> None:
    page = Page(shop.client.post("/checkout", data={}, headers={"HX-Request": "true"}))
    assert page.status == 400
    assert page.by_id("problem").text
