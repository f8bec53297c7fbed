"""A load of HTTP requests over kept connections, cheap enough to share two cores with the server.

A client that spent more on a request than the server would measure itself. So one thread watches
all connections: with a thread for each, 128 of them cost twice as much.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MakeRequest = Callable[[int], bytes]
Keep = Callable[[int, int, bytes], None]
STALLED_SECONDS = 60.0


@dataclass
class Load:
    """What a load measured: seconds of each answer by its status, and how long it all took.

    `client_seconds` is the CPU time that sending and reading took, here, beside the server.
    """

    seconds: float
    answers: list[tuple[int, float]] = field(default_factory=list)
    client_seconds: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """Return how often each status was answered; 0 is a connection that broke."""
        return Counter(status for status, _ in self.answers)

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.answers) / self.seconds

    @property
    def client_share(self) -> float:
        """Return how much of one core the client used, 0 to 1."""
        return self.client_seconds / self.seconds

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which this share (0 to 1) of answers came."""
        times = sorted(seconds for _, seconds in self.answers)
        return times[min(len(times) - 1, int(share * len(times)))] * 1000


def request(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """Return the bytes of a request that keeps its connection."""
    parts = urlsplit(url)
    path = parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run_load(
    url: str,
    make: MakeRequest,
    *,
    connections: int,
    requests: int,
    seconds: float | None = None,
    keep: Keep | None = None,
) -> Load:
    """Send `make(number)` for every number below `requests`, over so many connections at once.

    Nothing new is sent after `seconds`. `keep` is given number, status and body of each answer.
    May run in several threads at once, each with connections of its own.
    """
    begun, cpu = time.perf_counter(), time.thread_time()
    deadline = begun + seconds if seconds is not None else float("inf")
    numbers = (n for n in range(requests) if time.perf_counter() < deadline)
    exchange = _Exchange(make, numbers, keep)
    exchange.run(url, min(connections, requests))
    seconds_taken = time.perf_counter() - begun
    return Load(seconds_taken, exchange.answers, time.thread_time() - cpu)


class _Exchange:
    """Keeps every connection busy until the numbers end; `answers` are statuses and seconds."""

    def __init__(self, make: MakeRequest, numbers: Iterator[int], keep: Keep | None) -> None:
        self.answers: list[tuple[int, float]] = []
        self._make = make
        self._numbers = numbers
        self._keep = keep

    def run(self, url: str, connections: int) -> None:
        with selectors.DefaultSelector() as selector:
            for _ in range(connections):
                self._go_on(_Connection(url, selector))
            while selector.get_map():
                ready = selector.select(STALLED_SECONDS)
                for key, _ in ready:
                    self._read(key.data)
                if not ready:
                    for key in list(selector.get_map().values()):
                        self._end(key.data, 0)

    def _go_on(self, connection: "_Connection") -> None:
        for number in self._numbers:
            if connection.send(number, self._make(number)):
                return
            self._note(connection, 0)
        connection.close()

    def _read(self, connection: "_Connection") -> None:
        status = connection.read()
        if status is not None:
            self._end(connection, status)

    def _end(self, connection: "_Connection", status: int) -> None:
        if status == 0 or connection.is_ending:
            connection.close()
        self._note(connection, status)
        self._go_on(connection)

    def _note(self, connection: "_Connection", status: int) -> None:
        self.answers.append((status, time.perf_counter() - connection.begun))
        if self._keep is not None:
            self._keep(connection.number, status, connection.body)


class _Connection:
    """One kept connection with at most one request under way; opened again when it was closed."""

    def __init__(self, url: str, selector: selectors.BaseSelector) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._selector = selector
        self._socket: socket.socket | None = None
        self._received = b""
        self.number = 0
        self.begun = 0.0
        self.body = b""
        self.is_ending = False

    def send(self, number: int, data: bytes) -> bool:
        """Send a request, small enough never to wait; False when the connection broke."""
        self.number, self.begun, self._received, self.body = number, time.perf_counter(), b"", b""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=STALLED_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(self._socket, selectors.EVENT_READ, self)
            self._socket.sendall(data)
        except OSError:
            self.close()
            return False
        return True

    def read(self) -> int | None:
        """Read what has come; return the status once it is all there, 0 when it broke off."""
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
        except OSError:
            return 0
        if not data:
            return 0
        self._received += data
        head, end, self.body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        lower = head.lower()
        length = 0
        if (at := lower.find(b"\r\ncontent-length:")) >= 0:
            length = int(lower[at + 17 :].split(b"\r\n", 1)[0])
        if len(self.body) < length:
            return None
        self.is_ending = b"\r\nconnection: close" in lower
        return int(head[9:12])

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
