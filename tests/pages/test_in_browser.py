"""What the pages' own scripts add: nothing typed is lost, news arrive, focus stays."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import Request, Route, expect

from tests.pages.shop import Shop


def test_seats_follow_the_buyers_name_until_somebody_writes_another(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=2")
    phone.locator("#full_name").press_sequentially("Sari")
    expect(phone.locator(f"#a{ticket}_2")).to_have_value("Sari")
    phone.fill(f"#a{ticket}_1", "Budi")
    phone.fill("#full_name", "Sari Dewi")
    expect(phone.locator(f"#a{ticket}_1")).to_have_value("Budi")
    expect(phone.locator(f"#a{ticket}_2")).to_have_value("Sari Dewi")


def test_another_quantity_changes_seats_and_total_and_loses_nothing(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket(price=100_000, amount=20)
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill("#full_name", "Sari Dewi")
    phone.fill(f"#a{ticket}_1", "Budi")
    shop.change(ticket, held=12)
    phone.focus(f"#t{ticket}")
    phone.fill(f"#t{ticket}", "3")
    expect(phone.locator("#pay")).to_contain_text("Rp\N{NO-BREAK SPACE}300.000")
    expect(phone.locator(f"#a{ticket}_3")).to_have_value("Sari Dewi")
    expect(phone.locator(f"#a{ticket}_1")).to_have_value("Budi")
    expect(phone.locator(f"#state-{ticket}")).to_have_text("Sisa 8 tiket")
    expect(phone.locator(f"#t{ticket}")).to_be_focused()
    assert phone.input_value("#full_name") == "Sari Dewi"


def test_what_is_typed_while_the_answer_is_on_its_way_stays(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    held_back: list[Route] = []

    def hold_back(route: Route) -> None:
        held_back.append(route)

    phone.route("**/checkout", hold_back)
    with phone.expect_request("**/checkout"):
        phone.fill(f"#t{ticket}", "2")
    seat = phone.locator(f"#a{ticket}_1")
    seat.focus()
    seat.fill("Budi")
    phone.fill("#full_name", "Sari")
    assert held_back
    for route in held_back:
        route.continue_()
    expect(phone.locator(f"#a{ticket}_2")).to_have_value("Sari")
    expect(seat).to_have_value("Budi")


def test_another_language_comes_with_what_was_typed_and_enter_still_pays(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill("#full_name", "Sari Dewi")
    phone.get_by_role("button", name="English").click()
    expect(phone.locator("html")).to_have_attribute("lang", "en")
    expect(phone.locator("#full_name")).to_have_value("Sari Dewi")
    phone.press("#full_name", "Enter")
    expect(phone.locator("#problems")).to_contain_text("Some fields need your attention")


def test_a_field_is_checked_when_it_is_left_and_cleared_when_it_is_well(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill("#email", "sari")
    phone.focus("#no_hp")
    expect(phone.locator("#email-error")).to_be_visible()
    expect(phone.locator("#email")).to_have_attribute("aria-invalid", "true")
    phone.fill("#email", "sari@example.com")
    phone.focus("#no_hp")
    expect(phone.locator("#email-error")).to_be_hidden()
    expect(phone.locator("#email")).not_to_have_attribute("aria-invalid", "true")


def test_a_refused_form_puts_the_focus_on_its_summary(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.click("#pay")
    expect(phone.locator("#problems")).to_be_focused()
    phone.locator("#problems a").first.click()
    expect(phone.locator("#full_name")).to_be_focused()


def count_requests(page: BrowserPage, method: str, path: str) -> list[str]:
    """Return a list that grows with each such request of the page."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if request.method == method and urlsplit(request.url).path == path:
            seen.append(request.url)

    page.on("request", note)
    return seen


def test_a_double_click_makes_one_order(shop: Shop, address: str, phone: BrowserPage) -> None:
    forms: list[str] = []

    def note(request: Request) -> None:
        # Questions about its fields go there too, whenever the page comes to ask them.
        if request.method == "POST" and request.is_navigation_request():
            forms.append(request.url)

    phone.on("request", note)
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill("#full_name", "Sari Dewi")
    phone.fill("#email", "sari@example.com")
    phone.fill("#no_hp", "081234567890")
    phone.dblclick("#pay")
    expect(phone.locator("#status")).to_be_visible()
    assert len(forms) == 1
    assert shop.count_orders() == 1


def test_the_order_page_turns_by_itself_and_says_so(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    phone.goto(f"{address}/orders/{token}")
    expect(phone.locator("h1")).to_have_text("Bayar untuk mengamankan kursi Anda")
    shop.pay(token)
    expect(phone.locator("h1")).to_have_text("Sampai jumpa!")
    expect(phone.locator("#announcement")).to_have_text("Sampai jumpa!")
    expect(phone.locator("#status")).not_to_have_attribute("hx-get", "")


def test_a_failed_request_is_told_and_nothing_is_lost(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill("#full_name", "Sari Dewi")
    refusal = '<div id="problem">Kami sedang sangat sibuk</div>'
    phone.route("**/checkout", lambda route: route.fulfill(status=503, body=refusal))
    phone.fill(f"#t{ticket}", "2")
    expect(phone.locator("#notices")).to_have_text("Kami sedang sangat sibuk")
    expect(phone.locator("#pay")).to_be_visible()
    phone.unroute("**/checkout")
    phone.fill(f"#t{ticket}", "3")
    expect(phone.locator(f"#a{ticket}_3")).to_have_value("Sari Dewi")
    expect(phone.locator("#notices")).to_be_empty()


def test_a_question_that_fails_is_silent_and_is_asked_again(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    phone.goto(f"{address}/orders/{token}")
    refusal = '<div id="problem">Kami sedang sangat sibuk</div>'
    phone.route("**/orders/**", lambda route: route.fulfill(status=503, body=refusal))
    for _ in range(2):  # when the second one arrives, the first has been dealt with
        with phone.expect_response("**/orders/**"):
            pass
    expect(phone.locator("#notices")).to_be_empty()
    expect(phone.locator("#pay")).to_be_visible()
    phone.unroute("**/orders/**")
    shop.pay(token)
    expect(phone.locator("h1")).to_have_text("Sampai jumpa!")


@pytest.mark.parametrize("path", ["/", "/checkout?t1=2"])
def test_nothing_is_wider_than_a_narrow_phone(
    shop: Shop, address: str, phone: BrowserPage, path: str
) -> None:
    shop.add_ticket("Tiket Terusan Keluarga Besar Pelajar Mahasiswa Umum", price=12_750_000)
    phone.set_viewport_size({"width": 320, "height": 640})
    phone.goto(f"{address}{path}")
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 320


def test_no_name_or_address_is_too_long_for_a_narrow_phone(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    shop.pay(token)
    shop.mail_tickets(token)
    with shop.changing(token) as order:
        order.user.email = "sari@subdomain.ofauniversitywithalongname.example.com"
        order.e_tickets[0].attendee = "Djojoadhiningratwiraatmadja" * 3
    phone.set_viewport_size({"width": 320, "height": 640})
    for page in ("", "/tickets"):
        phone.goto(f"{address}/orders/{token}{page}")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320, page
