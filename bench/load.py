"""A load of HTTP requests over kept connections, cheap enough to share two cores with the server.

A client that spent more on a request than the server would measure itself.
"""

import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MakeRequest = Callable[[int], bytes]


@dataclass
class Load:
    """What a load measured: seconds of each answer by its status, and how long it all took."""

    seconds: float
    answers: list[tuple[int, float]] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        """Return how often each status was answered; 0 is a connection that broke."""
        return Counter(status for status, _ in self.answers)

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.answers) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which this share (0 to 1) of answers came."""
        times = sorted(seconds for _, seconds in self.answers)
        return times[min(len(times) - 1, int(share * len(times)))] * 1000


def request(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """Return the bytes of a request that keeps its connection."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run_load(url: str, make: MakeRequest, *, connections: int, requests: int) -> Load:
    """Send `make(number)` for every number below `requests`, over so many connections at once."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    numbers = iter(range(requests))
    guard = threading.Lock()
    results: list[list[tuple[int, float]]] = [[] for _ in range(connections)]
    start = threading.Barrier(connections + 1)

    def take() -> Iterator[int]:
        while True:
            with guard:
                number = next(numbers, None)
            if number is None:
                return
            yield number

    def work(answers: list[tuple[int, float]]) -> None:
        connection = _Connection(address)
        start.wait()
        for number in take():
            data = make(number)
            begun = time.perf_counter()
            answers.append((connection.ask(data), time.perf_counter() - begun))
        connection.close()

    threads = [threading.Thread(target=work, args=(answers,)) for answers in results]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return Load(time.perf_counter() - begun, [answer for answers in results for answer in answers])


def middle(values: list[float]) -> str:
    """Return a median with its spread, for a table."""
    return f"{statistics.median(values):,.1f} ({min(values):,.1f}-{max(values):,.1f})"


class _Connection:
    """One kept connection; opened again when the server closed it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def ask(self, data: bytes) -> int:
        """Send a request, read its whole answer, return the status; 0 when the connection broke."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=60)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(data)
            return self._read(self._socket)
        except OSError:
            self.close()
            return 0

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self, connection: socket.socket) -> int:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        lower = head.lower()
        length = 0
        if (at := lower.find(b"content-length:")) >= 0:
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._receive(connection)
        if b"connection: close" in lower:
            self.close()
        return int(head[9:12])

    def _receive(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError
        return data
