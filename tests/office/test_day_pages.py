"""The pages of days: seen, closed, refused with what was typed; few statements each."""

import pytest
from playwright.sync_api import Browser, expect

from app.extensions import db
from app.models import (
    Role,
    Verdict,
)
from tests.browser.log_in import bring_session
from tests.door.web import web_server
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.statements import listening
from tests.office.day_books import ONE_DAY, Books, fill
from tests.pages.axe import check_page
from tests.pages.html import Page
from tests.staff.office import Office, send


def test_a_treasurer_closes_the_days(small_office: Office) -> None:
    books = fill(Books(small_office.app))
    client = small_office.log_in(Role.FINANCE)
    page = Page(client.get("/staff/finance/days"))
    assert f"/staff/finance/days/{books.day(2)}" in page.source
    assert "Next to close" in page.text

    where = f"/staff/finance/days/{books.day(2)}"
    assert "Close this day" in Page(client.get(where)).text
    seen = Page(client.get(f"{where}/close")).fields["seen"]
    answer = send(client, f"{where}/close", seen=seen)

    assert answer.status == 303
    page = Page(client.get(answer.headers["Location"]))
    assert "Closed by finance@tedxsenja.example" in page.text
    assert "Close this day" not in page.text
    assert page.all("a", class_="button", href=f"/staff/finance/days/{books.day(1)}")


def test_a_day_that_changed_is_shown_again_with_what_was_typed(small_office: Office) -> None:
    books = fill(Books(small_office.app))
    client = small_office.log_in(Role.FINANCE)
    where = f"/staff/finance/days/{books.day(2)}/close"

    answer = send(client, where, seen="stale", explanation="All is well.")

    assert answer.status == 409
    assert "The figures changed while you looked" in answer.text
    assert "All is well." in answer.text
    assert books.closes() == []


def test_an_explanation_is_asked_for(small_office: Office) -> None:
    books = fill(Books(small_office.app))
    books.compare(books.day(2), books.day(2), (Verdict.NOT_THERE, "TX99999999"))
    client = small_office.log_in(Role.FINANCE)
    where = f"/staff/finance/days/{books.day(2)}/close"
    page = Page(client.get(where))
    assert "unknown to Xendit" in page.text

    assert send(client, where, seen=page.fields["seen"]).status == 422
    answer = send(client, where, seen=page.fields["seen"], explanation="A test invoice.")
    assert answer.status == 303


@pytest.mark.parametrize("day", ["nonsense", "2999-01-01"])
def test_a_day_that_cannot_be_is_not_found(small_office: Office, day: str) -> None:
    client = small_office.log_in(Role.FINANCE)

    assert client.get(f"/staff/finance/days/{day}").status_code == 404


def test_the_pages_ask_the_database_little(office: Office) -> None:
    books = fill(Books(office.app))
    books.compare(books.day(1), books.day(1), (Verdict.NOT_THERE, "TX99999999"))
    books.close(books.day(2))
    books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    books.post()
    client = office.log_in(Role.FINANCE)
    with office.app.app_context():
        engine = db.engine
    for path in ("", f"/{books.day(1)}", f"/{books.day(2)}"):
        with listening(engine) as spoken:
            assert client.get(f"/staff/finance/days{path}").status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_a_day_is_closed_in_a_browser_that_finds_no_fault(
    small_office: Office, browser: Browser, size: tuple[int, int], scheme: str
) -> None:
    books = fill(Books(small_office.app))
    books.compare(books.day(2), books.day(2), (Verdict.NOT_THERE, "TX99999999"))
    client = small_office.log_in(Role.FINANCE, "id")
    with (
        web_server(small_office.app) as address,
        browsing(browser, size=size, color_scheme=scheme) as page,
    ):
        bring_session(client, page, address)
        page.goto(f"{address}/staff/finance/days")
        check_page(page)
        page.get_by_role("link", name="Tutup berikutnya").click()
        check_page(page)
        page.get_by_role("link", name="Tutup tanggal ini").click()
        check_page(page)
        page.fill("#explanation", "Sisa gladi bersih.")
        page.get_by_role("button", name="Tutup tanggal ini").click()
        expect(page.locator(".done[role=status]")).to_have_text("Tanggal ini sudah ditutup.")
        check_page(page)

    assert [close.explanation for close in books.closes()] == ["Sisa gladi bersih."]
