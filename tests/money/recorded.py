"""An HTTP server that answers what a test tells it to, and answers in the shapes Xendit has."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.integrations.xendit import XenditError, XenditRefused, XenditThrottled, XenditUnknown

HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"
PENDING: dict[str, Any] = {
    "id": "6923e1f0c0ffee0000000001",
    "external_id": "TX7K2M9QPA",
    "user_id": "5fffffffffffffffffffffff",
    "status": "PENDING",
    "merchant_name": "TEDxSenja",
    "merchant_profile_picture_url": "https://example.com/logo.png",
    "amount": 300000,
    "description": "Tiket TEDxSenja",
    "expiry_date": "2026-11-23T03:28:30.123Z",
    "invoice_url": "https://checkout-staging.xendit.co/web/6923e1f0c0ffee0000000001",
    "available_banks": [
        {
            "bank_code": "BCA",
            "collection_type": "POOL",
            "transfer_amount": 300000,
            "bank_branch": "Virtual Account",
            "account_holder_name": "TEDXSENJA",
            "identity_amount": 0,
        }
    ],
    "available_retail_outlets": [],
    "available_ewallets": [{"ewallet_type": "OVO"}],
    "available_qr_codes": [{"qr_code_type": "QRIS"}],
    "should_exclude_credit_card": False,
    "should_send_email": False,
    "created": "2026-11-23T03:00:00.456Z",
    "updated": "2026-11-23T03:00:00.456Z",
    "currency": "IDR",
}
PAID_BY_VA: dict[str, Any] = PENDING | {
    "status": "PAID",
    "payment_method": "BANK_TRANSFER",
    "payment_channel": "BCA",
    "payment_destination": "381659999000000",
    "bank_code": "BCA",
    "paid_amount": 300000,
    "paid_at": "2026-11-23T03:04:05.000Z",
    "payment_id": "0b5e0d6e-1f2a-4c3b-9d8e-000000000001",
}
Error = tuple[int, Any, dict[str, str], type[XenditError]]
VALIDATION = {
    "error_code": "API_VALIDATION_ERROR",
    "message": "Invalid input data. Please check your request",
    "errors": [{"field": ["amount"], "location": "body", "messages": ['"amount" is required']}],
}
ERRORS: dict[str, Error] = {
    "validation": (400, VALIDATION, {}, XenditRefused),
    "no message": (400, {"error_code": "NO_COLLECTION_METHODS_ERROR"}, {}, XenditRefused),
    "no code either": (400, {}, {}, XenditRefused),
    "wrong key": (401, {"error_code": "INVALID_API_KEY", "message": "…"}, {}, XenditRefused),
    "no permission": (403, {"error_code": "REQUEST_FORBIDDEN_ERROR"}, {}, XenditRefused),
    "throttled": (429, {"error_code": "RATE_LIMIT_EXCEEDED"}, {}, XenditThrottled),
    "throttled by the edge": (429, HTML, {}, XenditThrottled),
    "server error": (500, {"error_code": "SERVER_ERROR", "message": "…"}, {}, XenditUnknown),
    "edge in HTML": (502, HTML, {}, XenditUnknown),
    "blocked by the edge": (403, HTML, {}, XenditUnknown),
    "200 in HTML": (200, HTML, {}, XenditUnknown),
    "200 and nothing": (200, "", {}, XenditUnknown),
    "a list": (200, [PENDING], {}, XenditUnknown),
    "no id": (200, {"external_id": "TX", "amount": 1}, {}, XenditUnknown),
    "no amount": (200, {"id": "1", "external_id": "TX"}, {}, XenditUnknown),
    "an endless amount": (
        200,
        '{"id": "1", "external_id": "TX", "amount": 1e999}',
        {},
        XenditUnknown,
    ),
    "a redirect": (302, "", {"Location": "http://127.0.0.1:9/elsewhere"}, XenditUnknown),
}


@dataclass(frozen=True)
class Sent:
    """A request as it arrived; `path` with its query, undecoded."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Recorded:
    """The server's URL, what it will answer, and what it was asked."""

    url: str
    requests: list[Sent] = field(default_factory=list)
    answers: deque[tuple[int, str, dict[str, str]]] = field(default_factory=deque)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, body: Any, **headers: str) -> None:
        """Answer the next request so; a body that is no text is sent as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers.append((status, text, headers))

    def hang_up(self) -> None:
        """Close the connection after the next request, unanswered."""
        self.answers.append((0, "", {}))

    def stay_silent(self) -> None:
        """Never answer the next request."""
        self.answers.append((-1, "", {}))


@contextmanager
def answering() -> Iterator[Recorded]:
    """Run the server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            recorded.requests.append(Sent(self.command, self.path, dict(self.headers), body))
            status, text, headers = recorded.answers.popleft()
            if status < 0:
                recorded.ended.wait(600)
            if status <= 0:
                self.close_connection = True
                return
            self.send_response(status)
            content = text.encode()
            kind = "text/html" if text.startswith("<") else "application/json; charset=utf-8"
            fixed = {"Content-Type": kind, "Request-Id": "5f0c1e2d3a4b"}
            for name, value in {**fixed, **headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _respond

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded = Recorded(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorded
    finally:
        recorded.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
