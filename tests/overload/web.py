"""A small web process to fill up, and what fills it."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import requests

from bench.stage import connect
from tests.harness.processes import Process, answers, free_port
from tests.harness.service import BIN, XENDIT_CALLBACK_TOKEN, Service

THREADS = 4
# As app/lanes.py and gunicorn.conf.py make of it.
IN_ALL = 2 * THREADS
ALL_THREADS = 2 * THREADS + 120


@contextmanager
def web_beside(service: Service, *options: str, app: str = "wsgi:app") -> Iterator[str]:
    """Start one more web process of this service, otherwise made; gives its URL."""
    port = free_port()
    command = [str(BIN / "gunicorn"), *options, app]
    env = service.env | {"PORT": str(port)}
    process = Process(f"web-{port}", command, env=env, log=service.folder / f"web-{port}.log")
    try:
        url = f"http://127.0.0.1:{port}"
        process.wait_until(lambda: answers(f"{url}/healthz"))
        yield url
    finally:
        process.kill()


@contextmanager
def locked_stock(url: str) -> Iterator[None]:
    """Hold the locks that every order wants."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ticket_stock FOR UPDATE")
        yield
        connection.rollback()


def send_callback(url: str, *, timeout: float = 60) -> requests.Response:
    """Deliver a callback as Xendit does, over a connection of its own."""
    return requests.post(
        f"{url}/api/payment-callback",
        json={"id": f"invoice-{time.monotonic_ns()}", "external_id": "nobody", "status": "PAID"},
        headers={"x-callback-token": XENDIT_CALLBACK_TOKEN},
        timeout=timeout,
    )


@contextmanager
def slow_clients(url: str, beginnings: Sequence[bytes]) -> Iterator[list[socket.socket]]:
    """Open a connection for each beginning of a request, send it, and nothing more."""
    parts = urlsplit(url)
    with ExitStack() as stack:
        clients = []
        for beginning in beginnings:
            client = socket.create_connection((parts.hostname, parts.port), timeout=60)
            stack.enter_context(client)
            client.sendall(beginning)
            clients.append(client)
        yield clients
