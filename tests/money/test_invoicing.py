"""Invoices: in the end exactly one that can be paid, whatever answer gets lost on the way."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.gateways import Gateways
from app.integrations.xendit import XenditClient
from app.models import Order
from app.services.money.payments import READ_BACK
from app.services.selling.ordering import OPEN_INVOICE, PlacedOrder
from tests.app_factory import make_settings, running_app
from tests.harness.processes import free_port
from tests.harness.waiting import eventually
from tests.money.world import Standing, World

REFUSED = Standing("CANCELLED", "FAILED", held=0, sold=0, e_tickets=0)
WAITING = Standing("PENDING", "PENDING", held=1, sold=0, e_tickets=0)


def creates(world: World) -> int:
    """Return how many calls to create an invoice have reached Xendit."""
    return len(world.standin.requests("POST", "/v2/invoices"))


def assert_one_payable(world: World, placed: PlacedOrder) -> None:
    assert world.payable(placed) == [world.invoice_id(placed)]
    assert world.standing(placed) == WAITING
    assert len(world.jobs(READ_BACK)) == 1
    assert world.jobs(OPEN_INVOICE) == []


def test_the_buyer_is_led_to_an_invoice_made_while_they_wait(world: World) -> None:
    placed = world.place(world.add_ticket())

    url = world.try_open_invoice(placed)

    invoice = world.standin.invoice(world.invoice_id(placed))
    assert url == invoice["invoice_url"] == world.payment(placed).invoice_url
    assert invoice["success_redirect_url"] == f"http://localhost/orders/{placed.token}?from=xendit"
    assert invoice["failure_redirect_url"] == f"http://localhost/orders/{placed.token}"
    assert (invoice["amount"], invoice["currency"]) == (150_000, "IDR")
    assert invoice["customer"]["mobile_number"] == "+6281234567890"
    ends = world.payment(placed).invoice_expires_at
    assert ends is not None
    assert 80 < (placed_until(world, placed) - ends).total_seconds() < 100  # 1800 / 20
    world.advance(seconds=20)
    world.work(OPEN_INVOICE)
    assert_one_payable(world, placed)
    assert creates(world) == 1


def placed_until(world: World, placed: PlacedOrder) -> datetime:
    with world.app.app_context():
        return db.session.get_one(Order, placed.order_id).expires_at


@pytest.mark.parametrize("how", ["timeout", "dropped", "502"])
def test_an_invoice_whose_answer_was_lost_is_adopted(
    each_world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("app.services.money.invoicing.INLINE", (3.0, 0.3))
    each_world.standin.set_fault("create_answer_lost", how=how, seconds=60, times=1)
    placed = each_world.place(each_world.add_ticket())

    assert each_world.try_open_invoice(placed) is None
    eventually(lambda: each_world.standin.invoices(placed.code))
    each_world.work()

    assert_one_payable(each_world, placed)
    assert creates(each_world) == 1


def test_an_invoice_that_is_listed_late_is_waited_for(world: World) -> None:
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    world.standin.set_fault("list_empty", times=1)
    world.clock.stop()
    placed = world.place(world.add_ticket())
    world.try_open_invoice(placed)

    world.work()
    assert world.payment(placed).invoice_id is None
    world.advance(seconds=4)
    world.work()

    assert_one_payable(world, placed)
    assert creates(world) == 1


def test_where_nobody_answers_the_invoice_follows_by_itself(world: World) -> None:
    gateways: Gateways = world.app.extensions["gateways"]
    nobody = XenditClient(f"http://127.0.0.1:{free_port()}", "xnd_development_local")
    world.app.extensions["gateways"] = replace(gateways, xendit=nobody)
    placed = world.place(world.add_ticket())
    assert world.try_open_invoice(placed) is None
    assert world.payment(placed).create_attempts == 0  # nothing happened: no look-up needed

    world.app.extensions["gateways"] = gateways
    world.work()

    assert_one_payable(world, placed)
    assert [each["method"] for each in world.standin.requests()] == ["POST"]


def test_a_rate_limit_is_waited_out(world: World) -> None:
    world.standin.set_fault("rate_limited", reset_seconds=30, call="create", times=2)
    world.clock.stop()
    placed = world.place(world.add_ticket())
    assert world.try_open_invoice(placed) is None
    assert world.work() == 0  # first in line, and nobody calls meanwhile

    world.advance(seconds=16)
    assert world.work() == 0
    world.advance(seconds=15)
    assert world.work() == 1, "refused once more: its place in line is kept"
    world.advance(seconds=20)
    assert world.work() == 0
    world.advance(seconds=11)
    world.work()

    assert_one_payable(world, placed)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_invoice_cancels_the_order_and_releases_its_seats(
    each_world: World, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    each_world.standin.set_fault("error_without_message", status=status, call="create")
    placed = each_world.place(each_world.add_ticket())

    assert each_world.try_open_invoice(placed) is None
    assert each_world.standing(placed) == WAITING
    each_world.work()

    assert each_world.standing(placed) == REFUSED
    assert "Xendit refuses the invoice" in [record.message for record in caplog.records]
    assert each_world.violations() == []
    assert each_world.standin.invoices() == []


def test_a_refused_look_up_is_no_refusal_of_an_invoice_that_may_exist(world: World) -> None:
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    world.standin.set_fault("error_without_message", status=401, call="list", times=2)
    placed = world.place(world.add_ticket())
    world.try_open_invoice(placed)

    world.work()
    assert world.standing(placed) == WAITING
    world.advance(seconds=60)
    world.work()
    world.advance(seconds=60)
    world.work()

    assert_one_payable(world, placed)
    assert creates(world) == 1


@pytest.mark.parametrize("fault", ["html_502", "server_error", "connection_dropped"])
def test_a_call_that_may_have_made_one_is_looked_up_before_the_next(
    world: World, fault: str
) -> None:
    world.standin.set_fault(fault, call="create", times=1)
    placed = world.place(world.add_ticket())
    assert world.try_open_invoice(placed) is None

    world.work()
    assert creates(world) == 1  # the answer may still come
    world.advance(seconds=46)
    world.work()

    assert_one_payable(world, placed)
    calls = [(each["method"], each["path"]) for each in world.standin.requests()]
    assert calls[-2:] == [("GET", "/v2/invoices"), ("POST", "/v2/invoices")]


def test_the_oldest_of_two_invoices_is_kept_and_the_other_closed(world: World) -> None:
    placed = world.place(world.add_ticket())
    world.standin.set_fault("create_answer_lost", how="502", times=2)
    world.standin.set_fault("list_empty", times=1)
    world.try_open_invoice(placed)
    world.advance(seconds=46)
    world.work(OPEN_INVOICE)
    assert len(world.payable(placed)) == 2

    world.advance(seconds=46)
    world.work()

    newest, oldest = world.standin.invoices(placed.code)
    assert world.invoice_id(placed) == oldest["id"]
    assert world.standin.invoice(newest["id"])["status"] == "EXPIRED"
    assert_one_payable(world, placed)


@pytest.mark.parametrize("fault", ["unknown_bank_code", "unknown_fields", "metadata_null"])
def test_words_nobody_knows_open_the_invoice_all_the_same(world: World, fault: str) -> None:
    world.standin.set_fault(fault)
    placed = world.place(world.add_ticket())

    assert world.try_open_invoice(placed)
    world.advance(seconds=16)
    world.work()

    assert_one_payable(world, placed)


def test_an_order_stays_placed_when_the_database_goes_away_after_it(mariadb_world: World) -> None:
    placed = mariadb_world.place(mariadb_world.add_ticket())
    url = mariadb_world.settings.database_url
    settings = make_settings(url, xendit_api_url=mariadb_world.standin.base_url)
    engine = sa.create_engine(url)
    row = sa.text("SELECT id FROM orders WHERE id = :id FOR UPDATE")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.database.LOCK_WAIT_SECONDS", 1)
        with running_app(settings) as app, engine.connect() as connection:
            connection.execute(row, {"id": placed.order_id})  # a lock that is never given up
            hindered = World(app, settings, mariadb_world.standin)
            assert hindered.try_open_invoice(placed) is None
            hindered.gateway._session.close()
    engine.dispose()

    mariadb_world.advance(seconds=16)
    mariadb_world.work()
    assert_one_payable(mariadb_world, placed)
    assert creates(mariadb_world) == 1
