"""An office for tests: staff of every role with their browsers, gates, phones, seats."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import DeviceRole, ETicket, Role
from app.services.door import devices, gates
from app.services.door.devices import DeviceWish
from app.services.door.gates import GateWish
from app.services.office.staffing import add_staff
from tests.pages.html import Page

PASSWORD = "correct horse battery"
EVERYTHING = GateWish("A", (), None, None, False, False)


@dataclass
class Office:
    """The application, and what a test does behind the pages' back."""

    app: Flask

    @contextmanager
    def working(self) -> Iterator[None]:
        with self.app.app_context():
            yield
            db.session.commit()

    def hire(self, role: Role, email: str | None = None) -> str:
        """Add an account and return its address."""
        address = email or f"{role.value}@tedxsenja.example"
        with self.working():
            add_staff(address, role, PASSWORD, now=datetime.now(UTC))
        return address

    def browser(self, language: str = "en") -> FlaskClient:
        """Return a browser that nobody is logged in with."""
        client = self.app.test_client()
        client.set_cookie("language", language)
        return client

    def log_in(self, role: Role, language: str = "en") -> FlaskClient:
        """Return the browser of somebody who was just hired and logged in."""
        client = self.browser(language)
        assert log_in(client, self.hire(role)).status == 303
        return client

    def add_gate(self, name: str = "A", **changes: Any) -> int:
        """Add a gate for every ticket."""
        wish = GateWish(**{**vars(EVERYTHING), "name": name, **changes})
        with self.working():
            return gates.add_gate(wish, now=datetime.now(UTC))

    def add_phone(
        self, name: str = "Ayu", *, gate_id: int | None = None, lanes: str = "", role: str = ""
    ) -> devices.Pairing:
        """Add a phone; its code is in the answer."""
        kind = DeviceRole(role or "scanner")
        with self.working():
            wish = DeviceWish(name, kind, gate_id or self.add_gate(f"Gate {name}"), lanes)
            return devices.add_device(wish, by="admin@tedxsenja.example", now=datetime.now(UTC))

    def admit(self, seat: ETicket, gate: str, ago: timedelta) -> None:
        """Let a seat's owner in, some time ago, as a check-in leaves it."""
        seat.admitted_at, seat.admitted_gate = datetime.now(UTC) - ago, gate
        seat.is_inside = True


def log_in(client: FlaskClient, email: str, password: str = PASSWORD, next: str = "") -> Page:
    """Send the log-in form as a browser does."""
    form = Page(client.get("/staff/log-in", query_string={"next": next} if next else None)).fields
    return Page(client.post("/staff/log-in", data=form | {"email": email, "password": password}))


def send(client: FlaskClient, path: str, /, page: str | None = None, **fields: object) -> Page:
    """Post to `path` with the token of the form on `page` (default: the path itself)."""
    token = Page(client.get(page or path)).fields["csrf_token"]
    return Page(client.post(path, data={"csrf_token": token, **fields}))
