"""Late money on the pages: seats gone, and what the buyer can make of it."""

import pytest

from app.extensions import db
from app.models import CaseStatus, MoneyCase, Refund, RefundReason, RefundStatus
from app.services.money.cancelling import cancel_paid
from app.services.money.cases import CLOSE_CASE, SERVE_WAITING, TIME_TO_CHOOSE
from app.services.selling.ordering import EXPIRE_ORDER
from tests.money.world import PRICE, World
from tests.pages.buyer import Buyer, clock_of_pages, heading, pay_late
from tests.pages.html import Page

GONE = "We have your money, but your seats were gone"


@pytest.fixture
def late(world: World, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    """Somebody whose money came when the last two seats had been sold."""
    clock_of_pages(world, monkeypatch)
    buyer = Buyer(world, world.order(world.add_ticket(amount=2), 2))
    pay_late(world, buyer.placed, "DANA")
    return buyer


def case_of(buyer: Buyer) -> MoneyCase:
    with buyer.world.app.app_context():
        (case,) = db.session.query(MoneyCase).all()
        db.session.expunge(case)
        return case


def test_the_page_offers_other_seats_the_line_and_the_money(late: Buyer) -> None:
    cheap = late.world.add_ticket("Tribun", price=100_000)
    late.world.add_ticket("VIP", price=PRICE + 1)
    late.world.add_ticket("Satu", price=1, amount=1)
    page = late.open()
    assert heading(page) == GONE
    offers = [e.text for e in page.all("h2") if e.text in ("Tribun", "VIP", "Satu", "Reguler")]
    assert offers == ["Tribun"]
    assert "2 × Rp 100.000 = Rp 200.000" in page.text
    assert "Rp 100.000 comes back to you." in page.text
    assert page.by_id(f"choose-switch-{cheap}").text == "Take these 2 seats: Tribun"
    assert page.has_id("choose-wait")
    assert "All of it: Rp 300.000" in page.text
    assert "If you choose nothing by" in page.text


@pytest.mark.parametrize("language", ["id", "en"])
def test_other_seats_are_paid_at_once_and_the_difference_comes_back(
    late: Buyer, language: str
) -> None:
    late.headers = {"Accept-Language": language}
    cheap = late.world.add_ticket("Tribun", price=100_000)
    page = late.press(late.open(), f"choose-switch-{cheap}")
    assert page.has_id("download")
    assert [e.text for e in page.all("span", class_="seats__type")] == ["Tribun", "Tribun"]
    (refund,) = late.refunds()
    assert (refund.amount, refund.reason) == (100_000, RefundReason.DIFFERENCE)
    assert refund.reference_id in page.text
    pdf = late.client.get(f"{late.url}/tickets.pdf")
    assert pdf.data.startswith(b"%PDF-")
    assert late.world.violations() == []


def test_the_same_choice_sent_twice_is_one_choice(late: Buyer) -> None:
    cheap = late.world.add_ticket("Tribun", price=100_000)
    page = late.open()
    assert late.send(page, f"choose-switch-{cheap}").status == 303
    again = late.send(page, f"choose-switch-{cheap}")
    assert again.status == 409
    assert again.by_id("problems-title").text == "There is nothing left to choose here"
    assert again.has_id("download")
    assert len(late.refunds()) == 1
    assert late.world.standing(late.placed).sold == 2
    assert late.world.violations() == []


def test_seats_that_went_meanwhile_are_said_and_the_choice_stays_open(late: Buyer) -> None:
    cheap = late.world.add_ticket("Tribun", price=100_000, amount=2)
    page = late.open()
    late.world.place(cheap)
    refused = late.send(page, f"choose-switch-{cheap}")
    assert refused.status == 409
    assert "just gone" in refused.by_id("problems").text
    assert heading(refused) == GONE
    assert not refused.has_id(f"choose-switch-{cheap}")
    assert late.refunds() == []
    assert late.world.standing(late.placed).order == "EXPIRED"
    assert late.world.violations() == []


def test_tickets_that_were_not_offered_cannot_be_taken(late: Buyer) -> None:
    dear = late.world.add_ticket("VIP", price=PRICE + 1)
    for ticket in (str(dear), "999999", "-1", str(2**70)):
        assert late.act("choice", choice="switch", ticket=ticket).status == 409
    for sent in ({"choice": "switch", "ticket": "x"}, {"choice": "switch"}, {"choice": "x"}, {}):
        refused = late.act("choice", **sent)
        assert refused.status == 422
        assert refused.by_id("problems-title").text == "Please choose one of the ways below"
    assert case_of(late).status is CaseStatus.OPEN
    assert late.world.violations() == []


def test_who_waits_gets_the_first_seats_that_come_free(late: Buyer) -> None:
    page = late.press(late.open(), "choose-wait")
    assert heading(page) == "You are in line for your seats"
    assert "hx-get" in page.by_id("status").attributes
    assert page.has_id("choose-refund")
    assert not page.has_id("choose-wait")
    assert late.act("choice", choice="wait").status == 303  # once more: still in line

    late.world.advance(hours=1)
    late.world.work(EXPIRE_ORDER, SERVE_WAITING)  # the other buyer did not pay

    page = late.open()
    assert page.has_id("download")
    assert late.refunds() == []
    assert late.world.violations() == []


def test_who_waits_may_still_take_the_money(late: Buyer) -> None:
    page = late.press(late.press(late.open(), "choose-wait"), "choose-refund")
    assert heading(page) == "Your money comes back to you"
    assert case_of(late).status is CaseStatus.RESOLVED


def test_the_money_back_is_shown_with_its_amount_and_reference(late: Buyer) -> None:
    page = late.press(late.open(), "choose-refund")
    assert heading(page) == "Your money comes back to you"
    (refund,) = late.refunds()
    assert (refund.amount, refund.reason) == (2 * PRICE, RefundReason.SEATS_GONE)
    assert "Rp 300.000" in page.text
    assert refund.reference_id in page.text
    assert "It will be sent back the way you paid" in page.text
    assert late.act("choice", choice="refund").status == 409
    assert late.act("choice", choice="wait").status == 409
    assert len(late.refunds()) == 1


@pytest.mark.parametrize("choice", [None, "choose-wait"])
def test_without_a_choice_in_time_the_money_goes_back(late: Buyer, choice: str | None) -> None:
    if choice:
        late.press(late.open(), choice)
    late.world.advance(seconds=TIME_TO_CHOOSE.total_seconds() + 60)
    late.world.work(CLOSE_CASE)
    assert heading(late.open()) == "Your money comes back to you"
    assert [refund.amount for refund in late.refunds()] == [2 * PRICE]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RefundStatus.SENT, "On its way"),
        (RefundStatus.SUCCEEDED, "Sent back"),
        (RefundStatus.FAILED, "did not take it"),
    ],
)
def test_each_state_of_a_refund_is_said(late: Buyer, status: RefundStatus, words: str) -> None:
    late.press(late.open(), "choose-refund")
    (refund,) = late.refunds()
    late.world.change(Refund, Refund.id == refund.id, status=status, sent_at=late.world.now())
    assert words in late.open().text


def test_an_order_cancelled_by_staff_says_that_its_tickets_are_void(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_of_pages(world, monkeypatch)
    buyer = Buyer(world, world.order(world.add_ticket()))
    world.standin.pay(world.invoice_id(buyer.placed), "DANA")
    world.callback(buyer.placed)
    world.work("confirm_payment")
    with world.app.app_context():
        cancel_paid(buyer.placed.order_id, by="tests", now=world.now())
    page = buyer.open()
    assert heading(page) == "This order was cancelled"
    assert "no longer valid" in page.text
    assert "Rp 150.000" in page.text
    assert not page.has_id("download")
    assert Page(buyer.client.get(f"{buyer.url}/tickets.pdf")).status == 303


def test_too_little_money_is_said_and_nothing_is_offered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_of_pages(world, monkeypatch)
    buyer = Buyer(world, world.order(world.add_ticket()))
    world.standin.pay(world.invoice_id(buyer.placed), "BCA", amount=PRICE - 1_000)
    world.callback(buyer.placed)
    world.work("confirm_payment")
    page = buyer.open()
    assert heading(page) == "Your payment is less than the total"
    assert "Rp 149.000 of Rp 150.000" in page.text
    assert not page.has_id("pay")
    assert not page.has_id("cancel")
