"""The page of the balance at Xendit: it adds up, takes entries by hand, and refuses odd ones."""

import pytest
from playwright.sync_api import Browser

from app.extensions import db
from app.models import BalanceCorrection, CorrectionKind, Role
from app.services.money import balance
from tests.browser.log_in import bring_session
from tests.door.web import web_server
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.statements import listening
from tests.office.day_books import Books, fill
from tests.pages.axe import check_page
from tests.pages.html import Page
from tests.staff.office import Office, send

HERE = "/staff/finance/balance"
GOOD = {"kind": "charged", "amount": "1.500", "day": "2026-01-05", "reason": "Dasbor, 5 Januari"}


def _fill(office: Office) -> Books:
    books = fill(Books(office.app))
    books.withdraw(100_000, fee=2_500)
    books.withdraw(20_000, status="PENDING")
    return books


def test_every_line_of_the_balance_is_shown(small_office: Office) -> None:
    books = _fill(small_office)
    books.correct(CorrectionKind.CHARGED, 1_500)
    page = Page(small_office.log_in(Role.FINANCE).get(HERE))

    settled = 150_000 - 4_440
    left = settled - 104_000
    for amount in (settled, 2_500, 1_500, 100_000, left, 20_000):
        assert f"Rp {amount:,}".replace(",", ".") in page.text
    assert "Biaya refund" in page.text


def test_an_entry_is_kept_with_the_name_of_who_made_it(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)

    answer = send(client, f"{HERE}/enter", **GOOD)

    assert (answer.status, answer.headers["Location"]) == (303, f"{HERE}?done=entered")
    assert "finance@tedxsenja.example" in Page(client.get(HERE)).text
    with small_office.app.app_context():
        [entered] = balance.look().corrections
    assert (entered.kind, entered.amount) == (CorrectionKind.CHARGED, 1_500)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", ""),
        ("kind", "gift"),
        ("amount", "0"),
        ("amount", "-5"),
        ("amount", "1,5"),
        ("amount", "1" + "0" * 13),
        ("day", "2999-01-01"),
        ("day", "yesterday"),
        ("reason", "x"),
    ],
)
def test_what_cannot_be_entered_is_told_at_its_field(
    small_office: Office, name: str, value: str
) -> None:
    client = small_office.log_in(Role.FINANCE)

    answer = send(client, f"{HERE}/enter", **(GOOD | {name: value}))

    assert answer.status == 422
    assert answer.has_id(f"{name}-error")
    if name != "reason":
        assert GOOD["reason"] in answer.text, "what was typed is kept"
    with small_office.app.app_context():
        assert db.session.query(BalanceCorrection).count() == 0


def test_the_page_asks_the_database_little(office: Office) -> None:
    _fill(office).read_balance(0, -2_500, -2_500)
    client = office.log_in(Role.FINANCE)
    with office.app.app_context():
        engine = db.engine
    with listening(engine) as spoken:
        assert client.get(HERE).status_code == 200
    assert spoken.statements <= 12, str(spoken)


@pytest.mark.parametrize(
    ("differences", "under_way", "said"),
    [
        ((), 0, "Not compared yet."),
        ((0,), 0, "They agree."),
        ((-2_500,), 0, "They differ for the first time."),
        ((-2_500, -2_500), 0, "They differ, and did so the day before."),
        ((-2_500, None), 0, "They differ for the first time."),
        ((-2_500,), 3_000, "no more than what was on its way then (Rp 3.000)"),
    ],
)
def test_the_comparison_with_xendit_is_told_in_words(
    small_office: Office, differences: tuple[int | None, ...], under_way: int, said: str
) -> None:
    Books(small_office.app).read_balance(*differences, under_way=under_way)

    page = Page(small_office.log_in(Role.FINANCE, "en").get(HERE))

    assert said in page.text
    assert ("Xendit does not let us read its balance" in page.text) == (None in differences)
    assert ("Likely reasons:" in page.text) == (differences[:1] == (-2_500,) and not under_way)


def test_the_likely_reasons_fit_the_direction(small_office: Office) -> None:
    books, client = Books(small_office.app), small_office.log_in(Role.FINANCE, "en")
    books.read_balance(-2_500)
    page = Page(client.get(HERE))
    assert "Xendit has less than this ledger" in page.text
    assert "−Rp 2.500" in page.text

    books.read_balance(7_000)

    page = Page(client.get(HERE))
    assert "Xendit has more than this ledger" in page.text
    assert "+Rp 7.000" in page.text


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_axe_finds_no_fault(
    small_office: Office, browser: Browser, size: tuple[int, int], scheme: str
) -> None:
    books = _fill(small_office)
    books.correct(CorrectionKind.CHARGED, 1_500)
    books.read_balance(-2_500, -2_500)
    client = small_office.log_in(Role.FINANCE, "id")
    with (
        web_server(small_office.app) as address,
        browsing(browser, size=size, color_scheme=scheme) as page,
    ):
        bring_session(client, page, address)
        page.goto(f"{address}{HERE}")
        check_page(page)
        page.get_by_role("link", name="Catat pergerakan").click()
        check_page(page)
