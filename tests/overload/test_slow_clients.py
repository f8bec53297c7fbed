"""Slow clients: they hold no thread, so that everybody else is answered; real sockets."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from gunicorn_worker import BODY_MOST, CHUNK, HEAD_MOST, REQUEST_SECONDS, is_too_large, is_whole
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.harness.waiting import eventually
from tests.overload.web import ALL_THREADS, THREADS, send_callback, slow_clients, web_beside

MANY = 2 * ALL_THREADS + 1
HALF_A_HEAD = b"POST /api/payment-callback HTTP/1.1\r\nHost: tickets\r\nX-Slow"
HALF_A_BODY = b"POST /checkout HTTP/1.1\r\nHost: tickets\r\nContent-Length: 1000\r\n\r\nfull_name"
HALF_IN_CHUNKS = (
    b"POST /api/orders HTTP/1.1\r\nHost: tickets\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
)
SLOW = [HALF_A_HEAD, HALF_A_BODY, HALF_IN_CHUNKS, b"G"]


@pytest.fixture(scope="module")
def service(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One web process and nothing else."""
    url = mariadb.fresh_database()
    settings = {"WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS)}
    running = Service(url, tmp_path_factory.mktemp("slow"), settings=settings)
    with running_app(make_settings(url)):
        pass  # migrated
    running.start_web()
    yield running
    running.stop()


@pytest.mark.parametrize("beginning", SLOW)
def test_a_callback_is_taken_while_many_slow_clients_are_connected(
    service: Service, beginning: bytes
) -> None:
    with slow_clients(service.url, [beginning] * MANY):
        assert send_callback(service.url).status_code == 200


def test_without_the_worker_of_ours_it_is_not_taken(service: Service) -> None:
    with (
        web_beside(service, "--worker-class", "gthread") as url,
        slow_clients(url, [HALF_A_BODY] * MANY),
        pytest.raises(requests.Timeout),
    ):
        send_callback(url, timeout=3)


def test_many_that_do_not_hang_up_keep_nobody_waiting(service: Service) -> None:
    last = b"GET /healthz HTTP/1.1\r\nHost: tickets\r\nConnection: close\r\n\r\n"
    with slow_clients(service.url, [last] * MANY):
        assert send_callback(service.url).status_code == 200


def test_a_request_that_does_not_arrive_in_time_is_given_up(service: Service) -> None:
    with slow_clients(service.url, [HALF_A_BODY]) as [client]:
        client.settimeout(REQUEST_SECONDS + 60)
        assert client.recv(CHUNK) == b""


def ask(service: Service, *parts: bytes, is_all: bool = True) -> bytes:
    """Send a request in parts, one after the other, and return all that comes back.

    A server that has heard enough answers and closes; what is still to be sent is not sent then.
    """
    with slow_clients(service.url, [b""]) as [client]:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                client.sendall(part)
        if is_all:
            with suppress(OSError):  # not connected any more
                client.shutdown(socket.SHUT_WR)
        answer = bytearray()
        with suppress(ConnectionResetError):
            while data := client.recv(CHUNK):
                answer += data
        return bytes(answer)


CLOSING = b"Host: tickets\r\nConnection: close\r\n"


def test_a_request_in_single_bytes_is_answered(service: Service) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + CLOSING + b"\r\n"
    assert ask(service, *(bytes([byte]) for byte in request)).startswith(b"HTTP/1.1 200")


def test_requests_sent_without_waiting_are_answered_in_turn(service: Service) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: tickets\r\n\r\n"
    second = b"GET /nowhere HTTP/1.1\r\n" + CLOSING + b"\r\n"

    answer = ask(service, first + second[:10], second[10:])

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 404" in answer


def test_a_body_in_chunks_is_read_whole(service: Service) -> None:
    head = b"POST /api/payment-callback HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    head += CLOSING + f"x-callback-token: {service.env['XENDIT_CALLBACK_TOKEN']}\r\n\r\n".encode()

    answer = ask(service, head, b"9\r\n", b'{"id": "c\r\n4\r\n', b'1"} \r\n0\r\n', b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(service: Service) -> None:
    head = b"POST /api/payment-callback HTTP/1.1\r\nContent-Length: 2\r\n"
    with slow_clients(service.url, [head + CLOSING + b"Expect: 100-continue\r\n\r\n"]) as [client]:
        assert client.recv(CHUNK).startswith(b"HTTP/1.1 100")
        client.sendall(b"{}")
        rest = eventually(lambda: client.recv(CHUNK))
    assert b"401" in rest or b"100" in rest


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /checkout HTTP/1.1\r\nHost: tickets\r\nContent-Length: 100000000\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nX-Long: " + b"x" * (HEAD_MOST + CHUNK),
    ],
)
def test_what_is_too_large_is_refused_without_waiting_for_the_rest(
    service: Service, request_: bytes
) -> None:
    answer = ask(service, request_, is_all=False)

    assert answer == b"" or answer[9:12] in (b"400", b"413", b"431")


def test_a_body_too_large_to_gather_ends_its_connection(service: Service) -> None:
    inner = b"GET /healthz HTTP/1.1\r\nHost: tickets\r\n\r\n"
    head = f"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: {BODY_MOST + 1}\r\n\r\n".encode()

    answer = ask(service, head, inner)

    assert answer.count(b"HTTP/1.1 ") == 1  # its body is never read as another request


@pytest.mark.parametrize(
    ("data", "is_all"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n\r", False),
        (b"POST / HTTP/1.1\r\nCONTENT-LENGTH:  2 \r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 9\r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", True),
        (b"x" * (HEAD_MOST + 1), True),
    ],
)
def test_a_thread_gets_a_request_when_it_is_all_there(data: bytes, is_all: bool) -> None:
    assert is_whole(bytearray(data)) is is_all
    assert is_too_large(bytearray(data)) is (b"900000" in data)
