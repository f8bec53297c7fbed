"""Pages on which staff act on an order: they say what will happen, and keep what was typed."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.extensions import db
from app.models import OrderStatus, RefundStatus, RefundWay, Role
from tests.harness.statements import listening
from tests.office.desk import WHY, Desk
from tests.pages.html import Page
from tests.staff.office import Office

MOST_STATEMENTS = 12


@pytest.fixture
def desk(small_office: Office) -> Desk:
    return Desk(small_office.app)


@pytest.fixture
def finance(small_office: Office) -> FlaskClient:
    return small_office.log_in(Role.FINANCE)


def fill(client: FlaskClient, path: str, **typed: str) -> tuple[Page, dict[str, str]]:
    """Open a page's form, fill it in and send it; return the answer and what was sent."""
    fields = Page(client.get(path)).fields
    sent = {**fields, **typed}
    return Page(client.post(path.partition("?")[0], data=sent)), sent


def where(page: Page) -> str:
    return page.headers.get("Location", "")


# --- what the pages say -------------------------------------------------------------------------


def test_the_order_s_page_leads_to_every_move_and_says_why_others_are_not_possible(
    desk: Desk, finance: FlaskClient
) -> None:
    code = desk.order(desk.add_ticket("Reguler"))

    page = Page(finance.get(f"/staff/orders/{code}"))

    links = {link.attributes["href"] for link in page.all("a") if "href" in link.attributes}
    moves = {link.rpartition("/")[2] for link in links if link.startswith(f"/staff/orders/{code}/")}
    assert moves == {"buyer", "names", "cancel"}
    assert "there are no e-tickets" in page.text


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("move", ["resend", "buyer", "names", "seats", "cancel", "refund"])
def test_every_page_can_be_drawn_with_few_statements(
    small_office: Office, desk: Desk, move: str, language: str
) -> None:
    client = small_office.log_in(Role.FINANCE, language)
    code = desk.paid_order(desk.add_ticket("Reguler"), 4)
    for other in range(8):
        desk.add_ticket(f"Tribun {other}")
    with small_office.app.app_context(), listening(db.engine) as spoken:
        page = Page(client.get(f"/staff/orders/{code}/{move}"))
    assert page.status == 200
    assert page.fields.get("seen") or move in ("seats", "refund"), "those are sent once confirmed"
    assert spoken.statements <= MOST_STATEMENTS, str(spoken)


def test_cancelling_says_what_it_does_and_asks_why(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    desk.admit(code, 1)
    path = f"/staff/orders/{code}/cancel"
    text = Page(finance.get(path)).text
    assert "Rp 300.000 goes back to the buyer" in text
    assert "1 guest of this order has entered already" in text

    page, _ = fill(finance, path, reason=" ")
    assert (page.status, "Say why" in page.text) == (422, True)
    page, _ = fill(finance, path, reason=WHY)

    assert where(page) == f"/staff/orders/{code}?done=cancelled"
    assert "The order was cancelled." in Page(finance.get(where(page))).text
    assert desk.read(code, lambda facts: facts.order.status) is OrderStatus.CANCELLED


def test_changing_seats_is_previewed_before_it_is_done(desk: Desk, finance: FlaskClient) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=100_000)
    code = desk.paid_order(dear, 2)
    path = f"/staff/orders/{code}/seats?seat=2&ticket={cheap}"

    preview = Page(finance.get(path))
    assert "Rp 300.000 goes back to the buyer" in preview.text
    assert "codes of these seats become worthless" in preview.text
    page, _ = fill(finance, path, reason=WHY)

    assert where(page).endswith("?done=seats")
    assert [seat[1] for seat in desk.seats(code)] == ["VIP", "Tribun"]


def test_dearer_seats_are_called_what_they_are(desk: Desk, finance: FlaskClient) -> None:
    cheap, dear = desk.add_ticket("Tribun", price=100_000), desk.add_ticket("VIP", price=400_000)
    code = desk.paid_order(cheap, 1)
    text = Page(finance.get(f"/staff/orders/{code}/seats?seat=1&ticket={dear}")).text
    assert "The new seats cost Rp 300.000 more: nobody pays that." in text


@pytest.mark.parametrize("query", ["?ticket=99999", "?seat=1&ticket=x", "?seat=7&ticket=1"])
def test_a_choice_that_is_none_is_asked_again(desk: Desk, finance: FlaskClient, query: str) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    page = Page(finance.get(f"/staff/orders/{code}/seats{query}"))
    assert (page.status, "Look at the change" in page.text) == (200, True)


def test_money_is_sent_back_after_it_was_shown_how(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"), channel="BCA")
    path = f"/staff/orders/{code}/refund"
    assert "what is left of the payment" in Page(finance.get(f"{path}?amount=300.001")).text
    assert "Enter whole rupiah" in Page(finance.get(f"{path}?amount=lots")).text
    shown = Page(finance.get(f"{path}?amount=Rp 50.000")).text
    assert "The buyer is asked for a bank account" in shown

    page, _ = fill(finance, f"{path}?amount=50.000", reason=WHY)

    assert where(page).endswith("?done=refunded")
    assert desk.refunds(code) == [("by_staff", 50_000)]
    again = Page(finance.get(path)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "At most Rp 250.000" in again, "there is more to send back"
    assert "A seat of Reguler cost Rp 150.000." in again


def test_an_address_that_looks_mistyped_is_asked_about_once(
    desk: Desk, finance: FlaskClient
) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    path = f"/staff/orders/{code}/buyer"

    page, sent = fill(finance, path, email="sari@gmial.com")
    assert (page.status, "Did you mean sari@gmail.com?" in page.text) == (422, True)
    again = Page(finance.post(path, data={**sent, **page.fields}))

    assert where(again).endswith("?done=corrected_mailed")
    assert desk.read(code, lambda facts: facts.order.user.email) == "sari@gmial.com"


def test_names_are_read_as_at_the_checkout(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    path = f"/staff/orders/{code}/names"
    page, _ = fill(finance, path, name_1="  ", name_2="Bima")
    assert (page.status, page.by_id("name_1").attributes.get("aria-invalid")) == (422, "true")
    assert page.by_id("name_2").attributes["value"] == "Bima"


# --- cases and refunds --------------------------------------------------------------------------


def test_a_transfer_is_noted_with_its_number_once(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"), channel="BCA")
    fill(finance, f"/staff/orders/{code}/cancel", reason=WHY)
    reference = desk.read(code, lambda facts: facts.refunds[0].reference_id)
    path = f"/staff/orders/{code}/refunds/{reference}/done"
    assert "has not named a bank account yet" in Page(finance.get(path)).text

    page, sent = fill(finance, path, note="BCA 20261123-0042")
    late = Page(finance.post(path, data=sent))

    assert where(page).endswith("?done=transferred")
    assert (late.status, "do not transfer again" in late.text) == (409, True)
    assert "noted a refund as transferred" in late.text
    noted = desk.read(code, lambda facts: (facts.refunds[0].status, facts.refunds[0].note))
    assert noted == (RefundStatus.DONE_BY_HAND, "BCA 20261123-0042")


def test_a_refund_that_failed_is_tried_again(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    fill(finance, f"/staff/orders/{code}/cancel", reason=WHY)
    reference = desk.fail_refund(code, status=RefundStatus.FAILED, way=RefundWay.BY_HAND)
    page, _ = fill(finance, f"/staff/orders/{code}/refunds/{reference}/retry")
    assert where(page).endswith("?done=retried")
    assert desk.read(code, lambda facts: facts.refunds[0].status) is RefundStatus.DUE


def test_money_paid_beyond_the_price_can_be_kept(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"), amount=310_000)
    case_id = desk.read(code, lambda facts: facts.cases[0].id)
    path = f"/staff/orders/{code}/cases/{case_id}"
    assert "It is about Rp 10.000." in Page(finance.get(path)).text

    nothing, _ = fill(finance, path, decision="")
    page, sent = fill(finance, path, decision="accept")
    late = Page(finance.post(path, data={**sent, "decision": "refund"}))

    assert nothing.status == 422
    assert where(page).endswith("?done=decided")
    assert (late.status, desk.refunds(code)) == (409, [])


def test_what_is_not_of_this_order_is_not_found(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    for rest in (f"{code}/cases/9", f"{code}/refunds/none/done", "TXNOTHERE1/cancel"):
        assert finance.get(f"/staff/orders/{rest}").status_code == 404


# --- too late -----------------------------------------------------------------------------------


@pytest.fixture
def stale(desk: Desk, finance: FlaskClient) -> Iterator[tuple[str, Page]]:
    """Let somebody correct the buyer while a page to cancel is open; what that page then says."""
    code = desk.paid_order(desk.add_ticket("Reguler"))
    path = f"/staff/orders/{code}/cancel"
    fields = Page(finance.get(path)).fields
    fill(finance, f"/staff/orders/{code}/buyer", full_name="Sari D. Lestari")
    yield code, Page(finance.post(path, data={**fields, "reason": WHY}))


def test_a_stale_page_says_what_changed_and_who_did_it(stale: tuple[str, Page]) -> None:
    _code, late = stale
    assert late.status == 409
    assert "Somebody changed this order meanwhile" in late.text
    assert "the buyer's details" in late.text
    assert "finance@tedxsenja.example: corrected an order's buyer" in late.text


def test_a_stale_page_keeps_what_was_typed_and_can_be_sent_again(
    desk: Desk, finance: FlaskClient, stale: tuple[str, Page]
) -> None:
    code, late = stale
    assert desk.refunds(code) == []
    assert late.by_id("reason").attributes["value"] == WHY

    page = Page(finance.post(f"/staff/orders/{code}/cancel", data=late.fields))

    assert where(page).endswith("?done=cancelled")


def test_a_double_click_acts_once_and_says_what_was_done(desk: Desk, finance: FlaskClient) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    first, sent = fill(finance, f"/staff/orders/{code}/cancel", reason=WHY)
    second = Page(finance.post(f"/staff/orders/{code}/cancel", data=sent))
    assert (first.status, second.status) == (303, 409)
    assert "cancelled an order" in second.text
    assert desk.refunds(code) == [("cancelled", 300_000)]
