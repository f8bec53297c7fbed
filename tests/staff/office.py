"""An office for tests: staff of every role with their browsers, gates, phones, seats."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import DeviceRole, ETicket, Role, Staff
from app.services.door import devices, gates
from app.services.door.devices import DeviceWish
from app.services.door.gates import GateWish
from app.services.office import second_factor
from app.services.office.staffing import add_staff
from app.services.running.audit import Actor
from tests.pages.html import Page

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of every second factor here
TESTS = Actor.command("tests")
CODE_PAGE = "/staff/log-in/code"
DOOR = "/staff/door"
PAGES = (
    "/staff",
    "/staff/me",
    DOOR,
    f"{DOOR}/this-phone",
    f"{DOOR}/gates",
    f"{DOOR}/gates/new",
    f"{DOOR}/devices",
    f"{DOOR}/devices/new",
    f"{DOOR}/lanes",
    f"{DOOR}/conflicts",
    "/staff/people",
    "/staff/people/invite",
    "/staff/people/1",
    "/staff/audit",
    "/staff/proof",
    "/staff/me/recovery-codes",
)
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

    def hire(self, role: Role, email: str | None = None, *, is_new: bool = False) -> str:
        """Add an account and return its address; one that `is_new` has no second factor yet."""
        address, now = email or f"{role.value}@tedxsenja.example", datetime.now(UTC)
        with self.working():
            staff_id = add_staff(address, role, PASSWORD, by=TESTS, now=now)
            if role.needs_second_factor and not is_new:
                second_factor.set_secret(staff_id, SECRET, by=TESTS, now=now)
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
            return gates.add_gate(wish, by=TESTS, now=datetime.now(UTC))

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
    """Send the log-in form as a browser does, and the code where one is asked for."""
    form = Page(client.get("/staff/log-in", query_string={"next": next} if next else None)).fields
    page = Page(client.post("/staff/log-in", data=form | {"email": email, "password": password}))
    where = page.headers.get("Location", "")
    return send(client, where, code=fresh_code(client.application)) if CODE_PAGE in where else page


def fresh_code(app: Flask) -> str:
    """Return the code of this moment, as if nobody had used one yet."""
    with app.app_context():
        db.session.execute(sa.update(Staff).values(totp_last_step=None))
        db.session.commit()
    return code_at(SECRET, datetime.now(UTC))


def code_at(secret: str, now: datetime) -> str:
    """Return what a phone with this secret shows now."""
    return pyotp.TOTP(secret).at(now)


def send(client: FlaskClient, path: str, /, page: str | None = None, **fields: object) -> Page:
    """Post to `path` with the token of the form on `page` (default: the path itself)."""
    form = Page(client.get(page or path)).fields
    kept = {name: form[name] for name in ("csrf_token", "next") if name in form}
    return Page(client.post(path, data={**kept, **fields}))
