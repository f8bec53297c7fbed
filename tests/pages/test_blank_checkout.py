"""The form many open at once: drawn together, with tokens and words that are each visitor's own."""

import pytest

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.routes import blank_checkout, checkout
from tests.pages.html import Page
from tests.pages.shop import Shop, open_form, pay_form


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collects what is drawn anew; the clock of the drawings stands still."""
    made: list[str] = []
    draw = checkout._draw_blank
    now = utcnow()

    def noted(form: CheckoutForm) -> str:
        made.append(draw(form))
        return made[-1]

    monkeypatch.setattr(checkout, "_draw_blank", noted)
    monkeypatch.setattr(checkout, "utcnow", lambda: now)
    monkeypatch.setattr(blank_checkout, "look_at_tickets", lambda _now: ())
    return made


def test_visitors_share_a_drawing_and_no_token(shop: Shop, drawings: list[str]) -> None:
    ticket = shop.add_ticket()
    chosen = {f"t{ticket}": 2}

    pages = [open_form(shop.app.test_client(), **chosen) for _ in range(3)]

    assert len(drawings) == 1
    for name in ("csrf_token", "order_token"):
        assert len({page.fields[name] for page in pages}) == 3
    for page in pages:
        assert blank_checkout.CSRF_MARK not in page.fields.values()
        assert blank_checkout.ORDER_MARK not in page.fields.values()
        assert page.fields[f"t{ticket}"] == "2"


def test_quantities_and_languages_are_drawn_apart(shop: Shop, drawings: list[str]) -> None:
    ticket = shop.add_ticket()
    english = shop.app.test_client()
    english.set_cookie("language", "en")

    for client in (shop.client, english):
        for quantity in (1, 2):
            page = open_form(client, **{f"t{ticket}": quantity})
            assert page.fields[f"t{ticket}"] == str(quantity)

    assert len(drawings) == 4
    assert "Pesanan Anda" in drawings[0]
    assert "Your order" in drawings[2]


def test_what_somebody_typed_is_drawn_for_nobody_else(shop: Shop, drawings: list[str]) -> None:
    ticket = shop.add_ticket()

    typed = {f"t{ticket}": "1", "full_name": "Sari Dewi"}
    mine = Page(shop.client.get("/checkout", query_string=typed))
    theirs = open_form(shop.app.test_client(), **{f"t{ticket}": 1})

    assert mine.fields["full_name"] == "Sari Dewi"
    assert theirs.fields["full_name"] == ""
    assert len(drawings) == 1


def test_the_form_that_was_shared_orders_as_any_other(shop: Shop) -> None:
    ticket = shop.add_ticket()
    open_form(shop.app.test_client(), **{f"t{ticket}": 1})

    first, _sent = pay_form(shop.client, **{f"t{ticket}": "1"})
    second, _sent = pay_form(shop.app.test_client(), **{f"t{ticket}": "1"})

    assert (first.status, second.status) == (303, 303)
    assert first.headers["Location"] != second.headers["Location"]


def test_invented_addresses_do_not_fill_the_memory(shop: Shop) -> None:
    for number in range(250):
        assert isinstance(open_form(shop.client, **{f"t{number}": 1}), Page)

    assert len(shop.app.extensions["drawings"]) <= 200
