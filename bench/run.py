"""Measure the running service: start-up, memory, page sizes, from order to mail, check-ins.

Real processes on MariaDB, on this machine: trust comparisons made on one machine at one time.
Usage: make bench, or python -m bench.run [ROUNDS]; medians of three rounds by default.
"""

import gzip
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.check_ins import print_check_ins
from bench.pages import measure_in_browser
from tests.harness.database import MariaDB
from tests.harness.service import Service, sample_catalogue
from tests.harness.waiting import eventually

ROUNDS = 3
POLL_SECONDS = 0.01
BUYER = {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "+6281234567890"}

Figures = dict[str, list[float]]


def main() -> None:
    """Run the rounds and print one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    figures: Figures = defaultdict(list)
    server = MariaDB()
    try:
        for _ in range(rounds):
            with running_service(server, figures) as service:
                measure_memory(service, figures)
                measure_pages(service, figures, "catalogue", "/")
                measure_pages(service, figures, "checkout", "/checkout")
                order_page = measure_sale(service, figures)
                paths = {"catalogue": "/", "checkout": "/checkout?t2=2", "paid order": order_page}
                measure_in_browser(service, figures, paths)
    finally:
        server.stop()
    print_table(figures, rounds)
    print_check_ins(rounds)


@contextmanager
def running_service(server: MariaDB, figures: Figures) -> Iterator[Service]:
    """Start the service on an empty database, taking the time of each step."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    service = Service(server.fresh_database(), folder)
    try:
        service.flask("db", "upgrade")
        service.load_catalogue(sample_catalogue())
        service.start_neighbours()
        with timed(figures, "start of web until /healthz, s"):
            service.start_web()
        with timed(figures, "start of worker until /readyz, s"):
            service.start_worker()
            service.wait_until_ready()
        yield service
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    """Note the seconds that the block took."""
    start = time.perf_counter()
    yield
    figures[name].append(time.perf_counter() - start)


def measure_memory(service: Service, figures: Figures) -> None:
    """Note the memory of web (all its processes) and worker, shared pages counted once."""
    figures["memory of web, MiB"].append(memory_of_group(service.processes["web"].pid))
    figures["memory of worker, MiB"].append(memory_of_group(service.processes["worker-1"].pid))


def memory_of_group(group: int) -> float:
    """Return the proportional set size (proc(5), smaps_rollup) of a process group in MiB."""
    kibibytes = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) != group:
                continue
            lines = (process / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended while we looked, or is somebody else's
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kibibytes / 1024


def measure_pages(service: Service, figures: Figures, name: str, path: str) -> None:
    """Note the size of a page's HTML, as it is and as a gzipping proxy would send it."""
    url = path if path.startswith("http") else service.url + path
    with client() as http:
        page = http.get(url, timeout=10)
    page.raise_for_status()
    figures[f"{name} page, bytes"].append(len(page.content))
    figures[f"{name} page, bytes gzipped"].append(len(gzip.compress(page.content)))


def measure_sale(service: Service, figures: Figures) -> str:
    """Order, pay, and note when the order is paid and the mail is there; return its page."""
    with client() as http:
        http.headers["Authorization"] = f"Bearer {service.api_key()}"
        with timed(figures, "order until its answer with invoice, s"):
            order, payment = place_order(service, http)
        service.standin.pay(payment["invoiceId"], callback=False)
        sent = service.standin.callback(payment["invoiceId"], status="PAID", wait=True)
        assert sent, "the stand-in sent no callback"
        answered = time.perf_counter()
        url = f"{service.url}/api/orders/{order['code']}"
        eventually(
            lambda: http.get(url, timeout=10).json()["order"]["status"] == "PAID",
            within=30,
            every=POLL_SECONDS,
        )
        figures["callback answered until order PAID, s"].append(time.perf_counter() - answered)
        eventually(lambda: service.mailbox.mails(BUYER["email"]), within=30, every=POLL_SECONDS)
        figures["callback answered until mail arrived, s"].append(time.perf_counter() - answered)
    page: str = order["url"]
    measure_pages(service, figures, "paid order", page)
    return page


def place_order(service: Service, http: requests.Session) -> tuple[dict[str, Any], dict[str, Any]]:
    """Order two regular tickets and return the answer's order and payment."""
    tickets = http.get(f"{service.url}/api/tickets", timeout=10).json()["tickets"]
    regular = next(each for each in tickets if each["type"] == "Reguler")
    answer = http.post(
        f"{service.url}/api/orders",
        json={"user": BUYER, "items": [{"ticketId": regular["id"], "quantity": 2}]},
        timeout=30,
    )
    answer.raise_for_status()
    body = answer.json()
    return body["order"], body["payment"]


def client() -> requests.Session:
    """Return an HTTP client that no proxy of this machine stands in the way of."""
    session = requests.Session()
    session.trust_env = False
    return session


def print_table(figures: Figures, rounds: int) -> None:
    """Print each figure's median with its lowest and highest value."""
    print(f"\n{f'median of {rounds}':<46}{'median':>12}{'lowest':>12}{'highest':>12}")
    for name, values in figures.items():
        digits = 0 if "bytes" in name else 2
        row = (statistics.median(values), min(values), max(values))
        print(f"{name:<46}" + "".join(f"{value:>12,.{digits}f}" for value in row))


if __name__ == "__main__":
    main()
