"""What people and Xendit do to a shop, one request each, for measuring what it costs."""

import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import ETicket
from bench.load import request
from bench.recorded_order import wanted
from bench.stage import add_key, put_on_sale, quiet_settings
from tests.app_factory import running_app
from tests.harness.service import XENDIT_CALLBACK_TOKEN
from tests.running.sales import add_ticket, order

PLENTY = 10_000_000
SEATS, ORDER_SIZE = 100, 10
Body = dict[str, Any] | None

_numbers = itertools.count()


@dataclass(frozen=True)
class Action:
    """A request that may be repeated: `make_body` gives a new body each time, None for a GET.

    One that is rare (asked by a machine now and then) is not repeated as often.
    """

    name: str
    path: str
    status: int
    make_body: Callable[[], Body] = lambda: None
    headers: dict[str, str] = field(default_factory=dict)
    is_rare: bool = False

    def to_bytes(self, url: str) -> bytes:
        """Return the next request as it goes over the line."""
        body = self.make_body()
        method = "GET" if body is None else "POST"
        sent = b"" if body is None else json.dumps(body).encode()
        return request(method, url + self.path, sent, self.headers)

    def send(self, app: Flask) -> None:
        """Send the next request to the application in this process."""
        body = self.make_body()
        client = app.test_client()
        method = "GET" if body is None else "POST"
        answer = client.open(self.path, method=method, json=body, headers=self.headers)
        if answer.status_code != self.status:
            raise SystemExit(f"{self.name}: {answer.status_code} {answer.text[:200]}")


def prepare_actions(url: str) -> list[Action]:
    """Put tickets on sale, sell some seats, and return what can be done then."""
    buyers, doors = (_bearer(add_key(url, scope)) for scope in ("orders:write", "door"))
    ticket_id = put_on_sale(url, "Hot", PLENTY)
    token, code, seats = _sell(url, ticket_id)
    scans = itertools.cycle(seats)
    xendit = {"x-callback-token": XENDIT_CALLBACK_TOKEN}
    return [
        Action("POST /api/orders", "/api/orders", 202, lambda: wanted(ticket_id), buyers),
        Action("catalogue page", "/", 200),
        Action("GET /api/tickets", "/api/tickets", 200),
        Action("order page", f"/orders/{token}", 200),
        Action("callback", "/api/payment-callback", 200, lambda: _delivery(code), xendit),
        Action("check-in", "/api/check-ins", 200, lambda: _scan(next(scans)), doors),
        Action("GET /metrics", "/metrics", 200, is_rare=True),
    ]


def _sell(url: str, ticket_id: int) -> tuple[str, str, list[str]]:
    """Place an order that waits for its money, and sell seats; return token, code, QR texts."""
    settings, now = quiet_settings(url), datetime.now(UTC)
    with running_app(settings) as app, app.app_context():
        placed = order(ticket_id, 1, now=now, settings=settings)
        free = add_ticket("Undangan", now=now, amount=SEATS, price=0)
        for _ in range(SEATS // ORDER_SIZE):
            order(free, ORDER_SIZE, now=now, settings=settings)
        texts = sa.select(ETicket.qr_text).where(ETicket.ticket_id == free)
        return placed.token, placed.code, list(db.session.scalars(texts))


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _delivery(code: str) -> dict[str, Any]:
    """Return a delivery that was not seen before, about an order that is there."""
    number = f"{next(_numbers):024x}"
    return {"id": number, "external_id": code, "status": "PAID", "payment_id": number}


def _scan(code: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"code": code, "scanId": str(uuid.uuid4()), "scannedAt": now, "gate": "A"}
