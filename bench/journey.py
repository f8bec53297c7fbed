"""One buyer alone, from order to mail, and the pages met on the way: `python -m bench.journey`."""

import gzip
import time
from typing import Any

import requests

from bench.figures import Sheet, at_most
from bench.pages import measure_in_browser
from bench.recorded_order import BUYER
from bench.stage import NO_LIMIT, add_key, http_client, run_alone, running_service
from tests.harness.database import MariaDB
from tests.harness.service import Service, sample_catalogue
from tests.harness.waiting import eventually

POLL_SECONDS = 0.01
SECONDS = "s"


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return how long each step takes, and what pages weigh and need to appear on a slow phone."""
    sheet = Sheet("journey")
    for _ in range(rounds):
        url = server.fresh_database()
        with running_service(url, calls_a_minute=NO_LIMIT) as service:
            service.load_catalogue(sample_catalogue())
            with http_client() as http:
                http.headers["Authorization"] = f"Bearer {add_key(url, 'orders:write')}"
                order_page = _buy(sheet, service, http)
                pages = {
                    "catalogue": f"{service.url}/",
                    "checkout": f"{service.url}/checkout?t2=2",
                    "paid order": order_page,
                }
                for name, address in pages.items():
                    _weigh(sheet, http, name, address)
            measure_in_browser(sheet, pages)
    return sheet


def _buy(sheet: Sheet, service: Service, http: requests.Session) -> str:
    """Order, pay, and wait until the order is paid and the mail is there; return its page."""
    begun = time.perf_counter()
    order, payment = _place_order(service, http)
    sheet.note("order until its answer with invoice", SECONDS, time.perf_counter() - begun)
    service.standin.pay(payment["invoiceId"], callback=False)
    sent = service.standin.callback(payment["invoiceId"], status="PAID", wait=True)
    if not sent:
        raise SystemExit("the stand-in sent no callback")
    answered = time.perf_counter()
    url = f"{service.url}/api/orders/{order['code']}"
    eventually(
        lambda: http.get(url, timeout=10).json()["order"]["status"] == "PAID",
        within=30,
        every=POLL_SECONDS,
    )
    paid = time.perf_counter() - answered
    sheet.note("callback answered until order PAID", SECONDS, paid, targets=[at_most(2)])
    eventually(lambda: service.mailbox.mails(BUYER["email"]), within=30, every=POLL_SECONDS)
    sheet.note("callback answered until mail arrived", SECONDS, time.perf_counter() - answered)
    page: str = order["url"]
    return page


def _place_order(service: Service, http: requests.Session) -> tuple[dict[str, Any], dict[str, Any]]:
    """Order two regular tickets and return the answer's order and payment."""
    tickets = http.get(f"{service.url}/api/tickets", timeout=10).json()["tickets"]
    regular = next(each for each in tickets if each["type"] == "Reguler")
    wanted = {"user": BUYER, "items": [{"ticketId": regular["id"], "quantity": 2}]}
    answer = http.post(f"{service.url}/api/orders", json=wanted, timeout=30)
    answer.raise_for_status()
    body = answer.json()
    return body["order"], body["payment"]


def _weigh(sheet: Sheet, http: requests.Session, name: str, address: str) -> None:
    """Note the size of a page's HTML, as it is and as a gzipping proxy would send it."""
    page = http.get(address, timeout=10)
    page.raise_for_status()
    sheet.note(f"{name} page", "bytes", len(page.content))
    sheet.note(f"{name} page", "bytes gzipped", len(gzip.compress(page.content)))


if __name__ == "__main__":
    run_alone(measure)
