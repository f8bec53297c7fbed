"""Charts: what they are drawn from, drawn by a browser too; and the count of looks at the shop."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser

from app.extensions import db
from app.models import ETicket, PageView, Quota, Role, Ticket
from app.routes import looks
from app.services.office import charts
from app.services.office.charts import add_looks, chart_arrivals, chart_sales, count_funnel
from tests.browser.log_in import bring_session
from tests.door.web import web_server
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.statements import listening
from tests.office.money_history import History
from tests.pages.axe import check_page
from tests.pages.html import Page
from tests.staff.office import Office

CHARTS = "/staff/finance/charts"
PAGES = (CHARTS, f"{CHARTS}/funnel", f"{CHARTS}/channels", f"{CHARTS}/arrivals")
FIRST = datetime(2030, 1, 26, 2, 3, tzinfo=UTC)


@pytest.fixture
def history(sqlite_app: Flask) -> History:
    return History(sqlite_app)


def admit(history: History, *minutes: int) -> None:
    """Let as many people in, so many minutes after the first."""
    with history.shop.working():
        seats = db.session.scalars(sa.select(ETicket).order_by(ETicket.id)).all()
        for seat, minute in zip(seats, minutes, strict=False):
            seat.admitted_at = FIRST + timedelta(minutes=minute)


def test_sales_grow_day_by_day_without_gaps_and_fall_by_what_is_taken_back(
    history: History,
) -> None:
    dear, cheap = history.shop.add_ticket("Reguler"), history.shop.add_ticket("Pelajar")
    history.sell(dear, 3, ago=timedelta(days=3))
    history.sell(cheap, 2, ago=timedelta(days=1))
    history.cancel(history.sell(dear, 1, ago=timedelta(days=3)))
    history.post()
    with history.app.app_context():
        course = chart_sales()
    assert course.lines == ("Reguler", "Pelajar")
    assert [seats for _day, seats in course.days] == [(4, 0), (4, 0), (4, 2), (3, 2)]
    assert course.capacity == 200
    assert [(one.name, one.seats, one.amount) for one in course.windows] == [
        ("Reguler", 3, 100),
        ("Pelajar", 2, 100),
    ]


def test_tickets_that_sold_least_share_a_line(history: History) -> None:
    for number in range(1, 9):
        history.sell(history.shop.add_ticket(f"Kind {number}"), 1 + (number > 3))
    history.post()
    with history.app.app_context():
        course = chart_sales()
    [(_day, seats)] = course.days
    assert len(course.lines) == charts.MOST_LINES
    assert course.lines[-1] is None
    assert sum(seats) == 3 * 1 + 5 * 2


def test_tickets_of_one_quota_share_its_seats(history: History) -> None:
    first, second = history.shop.add_ticket("A", amount=80), history.shop.add_ticket("B", amount=80)
    history.shop.add_ticket("C", amount=7)
    with history.shop.working():
        quota = Quota(name="Hall", amount=100)
        db.session.add(quota)
        db.session.flush()
        for ticket_id in (first, second):
            db.session.get_one(Ticket, ticket_id).stock.quota_id = quota.id
    with history.app.app_context():
        assert chart_sales().capacity == 107


def test_the_funnel_counts_looks_orders_payments_people_and_entries(history: History) -> None:
    ticket_id = history.shop.add_ticket()
    history.sell(ticket_id, 3)
    history.sell(ticket_id, 2)
    history.shop.order(ticket_id)
    history.post()
    admit(history, 0, 1)
    with history.app.app_context():
        before = count_funnel()
        add_looks(FIRST.date(), 5)
        add_looks(FIRST.date(), 2)
        after = count_funnel()
    assert (before.looks, after.looks) == (None, 7)
    assert (after.orders, after.paid, after.seats, after.entered) == (3, 2, 5, 2)


@pytest.mark.parametrize("kind", ["sqlite_app", "mariadb_app"])
def test_arrivals_are_counted_by_ten_minutes_without_gaps(
    request: pytest.FixtureRequest, kind: str
) -> None:
    history = History(request.getfixturevalue(kind))
    zone = history.app.extensions["settings"].event.timezone
    history.sell(history.shop.add_ticket(), 4)
    admit(history, 0, 6, 7, 30)
    with history.app.app_context():
        slots = chart_arrivals(zone)
    assert [(f"{at:%H:%M}", count) for at, count in slots] == [
        ("09:00", 2),
        ("09:10", 1),
        ("09:20", 0),
        ("09:30", 1),
    ]


# --- looks --------------------------------------------------------------------------------------


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are written with every look, not once a minute."""
    monkeypatch.setattr(looks, "EVERY_SECONDS", 0)


def views(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.sum(PageView.views))) or 0


@pytest.mark.usefixtures("hurried")
def test_every_look_at_the_shop_counts_also_when_its_page_is_repeated(history: History) -> None:
    history.shop.add_ticket()
    client = history.app.test_client()
    for _ in range(3):
        client.get("/").close()
    assert views(history.app) == 3


@pytest.mark.usefixtures("hurried")
def test_no_other_request_is_a_look_and_nobody_gets_a_cookie_for_it(history: History) -> None:
    client = history.app.test_client()
    client.get("/", headers={"HX-Request": "true"}).close()
    client.post("/").close()
    client.get("/checkout").close()
    assert views(history.app) == 0
    answer = client.get("/")
    answer.close()
    assert "Set-Cookie" not in answer.headers
    assert views(history.app) == 1


def test_looks_wait_for_the_minute_to_be_written(history: History) -> None:
    history.app.test_client().get("/").close()
    assert views(history.app) == 0


@pytest.mark.usefixtures("hurried")
def test_looks_that_could_not_be_written_are_written_later(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = history.app.test_client()
    with monkeypatch.context() as broken:
        broken.setattr(looks, "add_looks", lambda day, count: 1 / 0)
        client.get("/").close()
    assert views(history.app) == 0
    client.get("/").close()
    assert views(history.app) == 2


# --- pages --------------------------------------------------------------------------------------


def fill(history: History) -> None:
    ticket_id = history.shop.add_ticket()
    history.sell(ticket_id, 2, ago=timedelta(days=2))
    history.sell(ticket_id, 2, channel="BCA")
    history.post()
    admit(history, 0, 25)


@pytest.mark.parametrize("path", PAGES)
def test_each_chart_has_its_table_and_few_statements(small_office: Office, path: str) -> None:
    client = small_office.log_in(Role.FINANCE)
    empty = client.get(path)
    assert empty.status_code == 200
    fill(History(small_office.app))
    with small_office.app.app_context(), listening(db.engine) as spoken:
        page = Page(client.get(path))
    assert spoken.statements <= 12
    for figure in page.all("figure", class_="chart"):
        rows = page.by_id(figure.attributes["data-table"])
        assert any("data-at" in element.attributes for element in rows.walk())
    assert page.all("caption")


def test_there_is_no_other_chart(small_office: Office) -> None:
    assert small_office.log_in(Role.FINANCE).get(f"{CHARTS}/nonsense").status_code == 404


def test_the_chart_library_is_pinned_and_licensed() -> None:
    folder = Path(looks.__file__).parents[1] / "static/vendor/uplot"
    [script] = folder.glob("uplot-*.iife.min.js")
    version = script.name.removeprefix("uplot-").removesuffix(".iife.min.js")
    assert f"(v{version})" in script.read_text(encoding="utf-8")[:100]
    assert (folder / f"uplot-{version}.min.css").is_file()
    assert "The MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")


# What the browser was given to draw: how many different colours there are in it.
COLOURS = """
canvas => new Set(new Uint32Array(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size
"""
FINANCE = ("/staff/finance", "/staff/finance/ledger", "/staff/finance/exports")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_a_browser_draws_the_charts_and_finds_no_fault_in_the_pages(
    small_office: Office, browser: Browser, size: tuple[int, int], scheme: str
) -> None:
    """Script errors, violations of the policy and other hosts fail it too: `browsing` watches."""
    fill(History(small_office.app))
    client = small_office.log_in(Role.ADMIN, "id")
    with (
        web_server(small_office.app) as address,
        browsing(browser, size=size, color_scheme=scheme) as page,
    ):
        bring_session(client, page, address)
        for path in (*PAGES, *FINANCE):
            page.goto(f"{address}{path}")
            for figure in page.locator("figure.chart").all():
                figure.locator("canvas").wait_for()
                assert figure.locator("canvas").evaluate(COLOURS) > 3
            check_page(page)
