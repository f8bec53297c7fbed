"""Codes cannot be tried out one after the other; who has a good one is never slowed down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from limits import parse_many
from werkzeug.test import TestResponse

from app.models import VoucherEffect
from app.routes import voucher_codes
from app.services.office import partners
from app.services.selling import voucher_editing
from app.services.selling.wishes import VoucherWish
from tests.app_factory import running_app
from tests.pages.html import Page
from tests.pages.shop import Shop, pay_form, shop_settings

MOST = 6
CODE = "TEMAN-2027"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("limited")
    settings = replace(shop_settings(folder), rate_limit_enabled=True)
    with pytest.MonkeyPatch.context() as patch, running_app(settings) as app:
        patch.setattr(voucher_codes, "GUESSES", parse_many(f"{MOST} per minute"))
        shop = Shop(app, settings)
        with app.app_context():
            wish = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")
            now = datetime.now(UTC)
            voucher_editing.create_voucher(CODE, wish, by="tests", now=now)
        yield shop


def ask(shop: Shop, address: str, code: str, caller: str) -> Page:
    """Show the code in an address and return the page; it comes in any case."""
    answer = shop.client.get(
        address, query_string={"voucher": code}, environ_base={"REMOTE_ADDR": caller}
    )
    assert answer.status_code == 200
    return Page(answer)


def test_unknown_codes_are_counted_over_all_pages_and_good_ones_are_not(limited: Shop) -> None:
    limited.add_ticket(price=250_000)
    caller = "192.0.2.1"
    for number in range(MOST):
        assert "Rp 125.000" in ask(limited, "/", CODE, caller).text
        page = ask(limited, ("/", "/checkout")[number % 2], f"SALAH-{number}", caller)
        assert "tidak dikenal" in page.by_id("voucher-error").text

    for address in ("/", "/checkout"):
        good, bad = (ask(limited, address, code, caller) for code in (CODE, "SALAH-99"))
        assert "tunggu" in good.by_id("voucher-error").text
        assert good.by_id("voucher-error").text == bad.by_id("voucher-error").text
        assert "Rp 125.000" not in good.text, "else a try would tell good from bad"
        assert bad.fields["voucher"] == "SALAH-99"
        assert "Rp 125.000" in ask(limited, address, CODE, "192.0.2.2").text, "nobody else waits"


def test_paying_tells_no_more_of_a_code_than_looking(limited: Shop) -> None:
    ticket = limited.add_ticket("Bayar")
    for number in range(MOST):
        ask(limited, "/", f"SALAH-{number}", "127.0.0.1")

    page, _ = pay_form(limited.client, **{f"t{ticket}": "1", "voucher": CODE})

    assert page.status == 429
    assert limited.count_orders() == 0


def test_a_partner_cannot_guess_through_the_api(limited: Shop) -> None:
    ticket = limited.add_ticket("Mitra")
    with limited.app.app_context():
        key = partners.add_key("x", ["orders:write"], by="tests", now=datetime.now(UTC))
    body = {
        "user": {"full_name": "Sari", "email": "sari@example.com", "no_hp": "+6281234567890"},
        "items": [{"ticketId": ticket, "quantity": 1}],
    }

    def order(**more: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {key}"}
        return limited.client.post("/api/orders", json={**body, **more}, headers=headers)

    answers = [order(voucher=f"salah-{number}") for number in range(MOST + 1)]

    assert {answer.get_json()["code"] for answer in answers[:MOST]} == {"voucher_unknown"}
    assert {answer.status_code for answer in answers[:MOST]} == {422}
    assert answers[MOST].status_code == 429
    assert order().status_code in (201, 202), "without a code orders go on"
