"""A webhook receiver: keeps what came and answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.client import wait_until


@dataclass(frozen=True)
class Received:
    """One POST that came: when (monotonic seconds), its headers and JSON body."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]


class Receiver:
    """Answer 200, or the queued statuses first; `blocked` holds answers back while set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.statuses: deque[int] = deque()
        self.open_gate = threading.Event()
        self.open_gate.set()

    def reset(self) -> None:
        """Forget everything and answer 200 at once again."""
        self.received.clear()
        self.statuses.clear()
        self.open_gate.set()

    def wait_for(self, count: int, timeout: float = 60.0) -> list[Received]:
        """Return what came once at least `count` posts did."""
        wait_until(lambda: len(self.received) >= count, timeout=timeout, what=f"webhook {count}")
        return list(self.received)

    def take(self, headers: dict[str, str], body: dict[str, Any]) -> int:
        """Keep a post; return the status to answer with."""
        self.received.append(Received(time.monotonic(), headers, body))
        status = self.statuses.popleft() if self.statuses else 200
        self.open_gate.wait(60)
        return status


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(headers, json.loads(raw)))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            # A sender that gave up closes its end; that is part of these tests.
            pass

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/api/payment-callback")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.open_gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
