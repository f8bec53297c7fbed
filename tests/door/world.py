"""A door to test at: seats that were sold, phones, staff and a partner, and a clock to move."""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import CheckIn, DeviceRole, DoorSettings, ETicket, Gate, Ticket
from app.services.door import devices
from app.services.door.devices import DeviceWish
from app.services.office import partners
from app.services.running.invariants import find_violations
from tests.app_factory import make_settings
from tests.running.sales import add_ticket, order

START = datetime(2027, 1, 23, 2, 0, tzinfo=UTC)  # nine o'clock at the event
UTCNOW = ("app.routes.api.check_ins.utcnow", "app.routes.credentials.utcnow")


@dataclass(frozen=True)
class Guest:
    """A seat as its holder has it."""

    e_ticket_id: int
    qr_text: str
    code: str
    seat_id: int


@dataclass
class DoorWorld:
    """An application with an event that is sold; `now` is its time."""

    app: Flask
    now: datetime = START
    _tickets: dict[str, int] = field(default_factory=dict)

    def ticket(self, name: str = "Reguler") -> int:
        """Return the id of a kind of ticket, put on sale when it is new."""
        if name not in self._tickets:
            with self.app.app_context():
                self._tickets[name] = add_ticket(name, now=self.now, amount=1000, price=0)
        return self._tickets[name]

    def guests(self, count: int, ticket: str = "Reguler") -> list[Guest]:
        """Sell so many seats, at most ten."""
        ticket_id = self.ticket(ticket)
        with self.app.app_context():
            placed = order(ticket_id, count, now=self.now, settings=make_settings("sqlite://"))
            seats = db.session.scalars(
                sa.select(ETicket)
                .where(ETicket.order_id == placed.order_id)
                .order_by(ETicket.number)
            )
            return [Guest(each.id, each.qr_text, each.code, each.seat_id) for each in seats]

    def guest(self, ticket: str = "Reguler") -> Guest:
        return self.guests(1, ticket)[0]

    def phone(
        self,
        name: str = "Phone 1",
        *,
        gate_id: int | None = None,
        lanes: str = "",
        is_supervisor: bool = False,
    ) -> "Caller":
        """Pair a phone."""
        role = DeviceRole.SUPERVISOR if is_supervisor else DeviceRole.SCANNER
        with self.app.app_context():
            wish = DeviceWish(name, role, gate_id, lanes)
            token = devices.adopt(wish, by="admin@example.com", now=self.now)
        return Caller(self, cookie=token)

    def partner(self, *scopes: str) -> "Caller":
        """Make an API key, with scope door when none is named."""
        with self.app.app_context():
            key = partners.add_key("Turnstile", scopes or ("door",), by="tests", now=self.now)
        return Caller(self, key=key)

    def gate(self, name: str, **columns: Any) -> int:
        """Configure a gate, or configure it anew; return its id."""
        gate = {"ticket_ids": [], "has_reentry": False, "has_exit": False, **columns}
        with self.app.app_context():
            db.session.execute(sa.delete(Gate).where(Gate.name == name))
            row = Gate(name=name, created_at=self.now, **gate)
            db.session.add(row)
            db.session.commit()
            return row.id

    def lane_mode(self, *, is_on: bool = True) -> None:
        """Let each phone admit its own lanes only, or all again."""
        row = DoorSettings(id=1, is_lane_mode=is_on, changed_by="admin", changed_at=self.now)
        with self.app.app_context():
            db.session.merge(row)
            db.session.commit()

    def change(self, model: type[Any], *where: sa.ColumnElement[bool], **values: Any) -> None:
        """Change rows behind the service's back."""
        with self.app.app_context():
            db.session.execute(sa.update(model).where(*where).values(**values))
            db.session.commit()

    def change_ticket(self, name: str = "Reguler", **values: Any) -> None:
        self.change(Ticket, Ticket.id == self.ticket(name), **values)

    def scans(self, guest: Guest | None = None) -> list[CheckIn]:
        """Return the scans on record (of one seat), the oldest first, detached."""
        query = sa.select(CheckIn).order_by(CheckIn.id)
        if guest:
            query = query.where(CheckIn.e_ticket_id == guest.e_ticket_id)
        with self.app.app_context():
            rows = list(db.session.scalars(query))
            db.session.expunge_all()
            return rows

    def seat(self, guest: Guest) -> ETicket:
        """Return the e-ticket's row, detached."""
        with self.app.app_context():
            row = db.session.get_one(ETicket, guest.e_ticket_id)
            db.session.expunge(row)
            return row

    def violations(self) -> list[str]:
        with self.app.app_context():
            return find_violations()

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Caller:
    """Somebody at the door who calls the API over HTTP; `clock` is how far theirs is ahead."""

    world: DoorWorld
    key: str | None = None
    cookie: str | None = None
    clock: timedelta = timedelta()

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        client = self.world.app.test_client()
        if self.cookie:
            client.set_cookie("door_device", self.cookie)
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        data = body if isinstance(body, str) else json.dumps(body)
        return client.post(path, data=data, content_type="application/json", headers=headers)

    def get(self, path: str, **query: str) -> TestResponse:
        client = self.world.app.test_client()
        if self.cookie:
            client.set_cookie("door_device", self.cookie)
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return client.get(path, query_string=query, headers=headers)

    def body(self, code: str, **changes: Any) -> dict[str, Any]:
        """Return a scan of this code now."""
        scanned_at = (self.world.now + self.clock).isoformat()
        body = {"code": code, "scanId": new_id(), "scannedAt": scanned_at, "gate": "A"}
        return body | changes

    def scan(self, code: str, **changes: Any) -> dict[str, Any]:
        """Scan a code and return the answer."""
        answer = self.post("/api/check-ins", self.body(code, **changes))
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json, dict)
        return answer.json

    def verdict(self, code: str, **changes: Any) -> str:
        """Scan a code and return `admitted` or the reason of the refusal."""
        answer = self.scan(code, **changes)
        return str(answer["reason"] or answer["result"])

    def fact(self, code: str, **changes: Any) -> dict[str, Any]:
        """Return what this device decided about a code at this moment, alone."""
        fact = self.body(code, direction="in", result="admitted", reason=None)
        return fact | changes

    def tell(self, facts: Sequence[Any]) -> list[dict[str, Any]]:
        """Send what was decided alone and return the results."""
        sent_at = (self.world.now + self.clock).isoformat()
        answer = self.post("/api/check-ins/batch", {"sentAt": sent_at, "checkIns": list(facts)})
        assert answer.status_code == 200, answer.text
        assert isinstance(answer.json, dict)
        results: list[dict[str, Any]] = answer.json["results"]
        return results

    def undo(self, scan_id: str) -> TestResponse:
        return self.post(f"/api/check-ins/{scan_id}/undo", {})


def new_id() -> str:
    return str(uuid.uuid4())


@contextmanager
def door_world(app: Flask) -> Iterator[DoorWorld]:
    """Give a door at START, whose time is the application's too."""
    world = DoorWorld(app)
    with pytest.MonkeyPatch.context() as patch:
        for name in UTCNOW:
            patch.setattr(name, lambda: world.now)
        yield world
