"""The protected page for the bank account of a refund: who may see it, when, and what it takes."""

import pytest

from app.models import Refund, RefundStatus
from tests.money.world import World
from tests.pages.buyer import Buyer, clock_of_pages, heading, pay_late
from tests.pages.html import Page

ACCOUNT = {
    "bank_name": "BCA",
    "account_number": "123-456 7890",
    "account_holder": "Sari  Dewi",
}


@pytest.fixture
def owed(world: World, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    """Somebody who paid late by a virtual account and wants the money back."""
    clock_of_pages(world, monkeypatch)
    return owe(world)


def owe(world: World) -> Buyer:
    buyer = Buyer(world, world.order(world.add_ticket(f"Reguler {world.count(Refund)}", amount=1)))
    pay_late(world, buyer.placed, "BCA")
    buyer.press(buyer.open(), "choose-refund")
    return buyer


def form_of(buyer: Buyer) -> Page:
    """Go from the order's page to the form, as its button leads."""
    (link,) = [e for e in buyer.open().all("a") if "bank-details" in e.attributes["href"]]
    return buyer.open(link.attributes["href"])


def test_the_page_says_why_who_sees_it_and_that_it_is_erased(owed: Buyer) -> None:
    page = form_of(owed)
    assert heading(page) == "Where may we send your money?"
    assert "Rp 150.000" in page.text
    assert "cannot carry money back" in page.text
    assert "Only the organiser's finance team sees the account. It is erased" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert {e.attributes["autocomplete"] for e in page.all("input") if "id" in e.attributes} == {
        "off"
    }


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_account_is_kept_once_and_never_shown_again(owed: Buyer, language: str) -> None:
    owed.headers = {"Accept-Language": language}
    form = form_of(owed)
    page = owed.press(form, "send", **ACCOUNT)
    (refund,) = owed.refunds()
    kept = (refund.bank_name, refund.account_number, refund.account_holder)
    assert kept == ("BCA", "1234567890", "Sari Dewi")
    assert page.has_id("status")
    assert "1234567890" not in page.source
    assert not [e for e in page.all("a") if "bank-details" in e.attributes["href"]]

    again = owed.send(form, "send", **{**ACCOUNT, "account_number": "999999"})
    assert again.status == 303
    assert owed.refunds()[0].account_number == "1234567890"
    assert owed.open(address_of(owed)).status == 303


def address_of(buyer: Buyer) -> str:
    (refund,) = buyer.refunds()
    return f"{buyer.url}/bank-details?refund={refund.reference_id}"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("bank_name", ""),
        ("bank_name", "B" * 101),
        ("account_number", ""),
        ("account_number", "1234"),
        ("account_number", "12345678901a"),
        ("account_number", "1" * 60_000),
        ("account_number", "１２３４５６"),
        ("account_holder", "   "),
        ("account_holder", "\x00"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    owed: Buyer, field: str, typed: str
) -> None:
    page = owed.send(form_of(owed), "send", **{**ACCOUNT, field: typed})
    assert page.status == 422
    wrong = [e.attributes["name"] for e in page.all("input", aria_invalid="true")]
    assert wrong == [field]
    assert page.by_id(f"{field}-error").text
    assert f"{field}-error" in page.by_id(field).attributes["aria-describedby"]
    assert [e.attributes["href"] for e in page.by_id("problems").walk() if e.tag == "a"] == [
        f"#{field}"
    ]
    for name, value in ACCOUNT.items():
        if name != field:
            assert page.by_id(name).attributes["value"] == value
    assert owed.refunds()[0].account_number is None


def test_nothing_typed_runs_as_html(owed: Buyer) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    page = owed.send(form_of(owed), "send", **{**ACCOUNT, "bank_name": evil, "account_number": ""})
    assert not page.all("img")
    assert page.by_id("bank_name").attributes["value"] == evil


def test_another_orders_refund_cannot_be_touched(owed: Buyer) -> None:
    other = owe(owed.world)
    (theirs,) = other.refunds()
    for reference in (theirs.reference_id, "", "x" * 500, "%00"):
        for answer in (
            owed.open(f"{owed.url}/bank-details?refund={reference}"),
            owed.act(f"bank-details?refund={reference}", **ACCOUNT),
        ):
            assert answer.status == 404
            assert answer.headers["Cache-Control"] == "private, no-store"
    assert other.refunds()[0].account_number is None


def test_the_reference_without_the_orders_token_is_nothing(owed: Buyer) -> None:
    address = address_of(owed).replace(owed.placed.token, "x" * 32)
    assert owed.open(address).status == 404
    assert owed.post(address, csrf_token=owed.csrf(), **ACCOUNT).status == 404


def test_without_the_token_against_forgery_nothing_is_kept_and_nothing_lost(owed: Buyer) -> None:
    page = owed.post(address_of(owed), **ACCOUNT)
    assert page.status == 400
    assert "Please press again" in page.by_id("problems").text
    assert page.by_id("account_number").attributes["value"] == ACCOUNT["account_number"]
    assert owed.refunds()[0].account_number is None
    assert owed.press(page, "send").has_id("status")
    assert owed.refunds()[0].account_number == "1234567890"


@pytest.mark.parametrize("status", [RefundStatus.DONE_BY_HAND, RefundStatus.SUCCEEDED])
def test_a_refund_that_is_done_asks_for_nothing(owed: Buyer, status: RefundStatus) -> None:
    form = form_of(owed)
    owed.world.change(Refund, Refund.reference_id.is_not(None), status=status)
    assert owed.open(address_of(owed)).status == 303
    assert "Sent back" in owed.press(form, "send", **ACCOUNT).text
    assert owed.refunds()[0].account_number is None


def test_what_goes_back_through_xendit_asks_for_no_account(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_of_pages(world, monkeypatch)
    buyer = Buyer(world, world.order(world.add_ticket(amount=1)))
    pay_late(world, buyer.placed, "DANA")
    page = buyer.press(buyer.open(), "choose-refund")
    assert not [e for e in page.all("a") if "bank-details" in e.attributes["href"]]
    assert buyer.open(address_of(buyer)).status == 303


def test_no_log_line_tells_the_account(owed: Buyer, caplog: pytest.LogCaptureFixture) -> None:
    owed.press(form_of(owed), "send", **ACCOUNT)
    told = " ".join(str(record.__dict__) for record in caplog.records)
    assert "1234567890" not in told
    assert "123-456" not in told
