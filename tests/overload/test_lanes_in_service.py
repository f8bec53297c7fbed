"""A full shop: payments, buyers' pages and the door are answered all the same; real processes."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import requests

from bench.stage import ask
from tests.api.client import Partner, order_body
from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.harness.waiting import eventually
from tests.overload.web import IN_ALL, THREADS, locked_stock, send_callback, web_beside
from tests.test_health import samples

FORM = {"full_name": "Sari Dewi", "intent": "pay"}
LONGER_THAN_ANYTHING = 600.0  # seconds: twice what tests/overload/patient.py lets it wait


@dataclass
class Shop:
    """A running service, one small web process of it to fill up, and what there is in it."""

    service: Service
    url: str
    ticket: int
    order_page: str
    orders_key: str
    door_key: str

    def order(self, url: str | None = None) -> requests.Response:
        """Order a seat, and wait for the answer longer than the service does for anything."""
        partner = Partner(url or self.url, self.orders_key, patience=LONGER_THAN_ANYTHING)
        return partner.order(order_body(self.ticket))

    def get(self, path: str, **headers: str) -> requests.Response:
        """Get a page in English."""
        headers = {"Accept-Language": "en", **headers}
        return requests.get(self.url + path, headers=headers, timeout=60)

    def check_in(self) -> requests.Response:
        """Scan a code that nobody knows."""
        scan = {"code": "NOBODY", "scanId": "3f0a6a0e-3f7e-4f3c-9f1b-0d8a5b1c2d3e", "gate": "A"}
        return requests.post(
            f"{self.url}/api/check-ins",
            json={**scan, "scannedAt": "2026-11-23T10:00:00+07:00"},
            headers={"Authorization": f"Bearer {self.door_key}"},
            timeout=60,
        )

    def lane(self, state: str, lane: str = "shop") -> float:
        """Return how many of a lane are in this state."""
        numbers = samples(self.get("/metrics").text)
        (value,) = [
            number
            for (name, labels), number in numbers.items()
            if name == "tickets_requests" and labels[0] == lane and labels[-1] == state
        ]
        return value

    def kept(self) -> int:
        """Return how many orders there are."""
        [(count,)] = ask(self.service.database_url, "SELECT COUNT(*) FROM orders")
        assert isinstance(count, int)
        return count


@pytest.fixture(scope="module")
def shop(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One small web process in no hurry, a worker, a stand-in."""
    settings = {"WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS)}
    folder = tmp_path_factory.mktemp("full")
    service = Service(mariadb.fresh_database(), folder, settings=settings)
    service.start()
    partner = Partner(service.url, service.api_key())
    ticket = partner.ticket("Reguler")["id"]
    order_page = partner.order(order_body(ticket)).json()["order"]["url"].removeprefix(service.url)
    with web_beside(service, app="tests.overload.patient:app") as url:
        yield Shop(service, url, ticket, order_page, partner.key, service.api_key("door"))
    service.stop()


@contextmanager
def full(shop: Shop, count: int) -> Iterator[list[Future[requests.Response]]]:
    """Let so many orders come while none can be placed; they may be at the end."""
    with ThreadPoolExecutor(count) as pool, ExitStack() as stack:
        stack.enter_context(locked_stock(shop.service.database_url))
        orders = [pool.submit(shop.order) for _ in range(count)]
        eventually(
            lambda: sum(map(shop.lane, ("at_work", "waiting", "outside", "aside"))) == count,
        )
        yield orders


def test_who_pays_enters_or_watches_is_answered_while_the_shop_is_full(shop: Shop) -> None:
    with full(shop, IN_ALL) as orders:
        answers = [
            send_callback(shop.url),
            shop.get(shop.order_page),
            shop.check_in(),
            shop.get("/readyz"),
            shop.get("/healthz"),
            shop.get("/event.css"),
            shop.get("/"),
        ]
        is_still_full = not all(order.done() for order in orders)

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert is_still_full


def test_a_full_shop_refuses_at_once_kindly_and_keeps_nothing(shop: Shop) -> None:
    before = shop.kept()
    with full(shop, IN_ALL) as orders:
        page = shop.get("/checkout")
        order = shop.order()
        fragment = shop.get("/checkout", **{"HX-Request": "true"})
        form = requests.post(shop.url + "/checkout", data=FORM, timeout=60)

    assert order.status_code == 503
    assert order.headers["Content-Type"] == "application/problem+json"
    assert order.json()["code"] == "busy"
    assert {a.headers["Retry-After"].isdecimal() for a in (page, order, form)} == {True}
    assert page.status_code == fragment.status_code == form.status_code == 503
    assert page.headers["Refresh"] == page.headers["Retry-After"]
    assert "tries again by itself" in page.text
    assert "Refresh" not in {**order.headers, **fragment.headers, **form.headers}
    assert sum(each.result().status_code in (201, 202) for each in orders) == shop.kept() - before


def test_after_the_rush_the_shop_is_as_before(shop: Shop) -> None:
    with full(shop, IN_ALL):
        pass

    assert shop.order().status_code in (201, 202)
    assert shop.get("/").status_code == 200
    eventually(lambda: shop.lane("at_work") == shop.lane("waiting") == 0)


def test_xendit_that_does_not_answer_takes_no_place_and_not_every_thread(shop: Shop) -> None:
    # Who was to get an invoice later has it now: while others wait nobody asks Xendit at once.
    eventually(lambda: shop.order().status_code == 201, every=1.0)
    shop.service.standin.set_fault("latency", milliseconds=600_000)
    with ThreadPoolExecutor(IN_ALL) as pool:
        try:
            orders = [pool.submit(shop.order) for _ in range(IN_ALL)]
            at_once = ("at_work", "waiting", "aside")
            eventually(
                lambda: shop.lane("outside") == THREADS and not any(map(shop.lane, at_once)),
            )
            page = shop.get("/")
            is_waiting = sum(not order.done() for order in orders)
        finally:
            shop.service.standin.clear_faults()  # now it answers
    statuses = [order.result().status_code for order in orders]

    assert page.status_code == 200
    assert is_waiting >= THREADS
    assert set(statuses) <= {201, 202}
    assert statuses.count(202) >= IN_ALL - THREADS  # their invoices follow


def test_without_lanes_a_callback_is_refused_like_everybody(shop: Shop) -> None:
    with (
        web_beside(shop.service, app="tests.overload.one_lane:app") as url,
        ThreadPoolExecutor(2 * IN_ALL) as pool,
        locked_stock(shop.service.database_url),
    ):
        for _ in range(2 * IN_ALL):
            pool.submit(shop.order, url)

        eventually(lambda: send_callback(url).status_code == 503)
