"""A shop behind the fair door, and visitors in front of it, at times of the test's own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.extensions import db
from app.fair_door_settings import FairDoorSettings
from app.models import FairDoor, FairDoorPlace, FairDoorStep
from app.services.waiting import admission, places
from app.services.waiting.look import Look, Place, Watch, watch
from app.services.waiting.places import Turn
from tests.pages.shop import Shop

TURN = timedelta(minutes=10)
PLENTY = 60_000


def door_settings(opens_at: datetime | None = None, **changes: Any) -> FairDoorSettings:
    """Return settings that admit as fast as seats allow, unless changed."""
    usual = FairDoorSettings(opens_at, per_minute=PLENTY, turn=TURN, seats_per_person=4)
    return replace(usual, **changes)


class Hall(Shop):
    """The shop with its fair door; `now` is the line's clock in calls that bypass the pages."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        super().__init__(app, settings)
        assert settings.fair_door is not None
        self.door = settings.fair_door
        self.now = datetime.now(UTC)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def take_places(self, count: int) -> list[Place]:
        with self.working():
            return [places.take_place(self.now, self.door) for _ in range(count)]

    def move_on(self, *, is_pressed: bool = False) -> None:
        with self.working():
            admission.move_on(self.now, self.door, is_pressed=is_pressed)

    def look(self) -> Look:
        """Return how a process that has just started sees the line."""
        with self.working():
            return Watch().look(self.now, self.door)

    def watch_line(self, watch: Watch) -> None:
        """Look at the line as a process that has seen it before does."""
        with self.working():
            watch.renew(self.now, self.door)

    def enter(self, place: Place) -> Turn | None:
        with self.working():
            return places.enter(place, self.look(), self.now, self.door)

    def set_door(self, **values: Any) -> None:
        """Change the line in use behind everybody's back, and have the pages see it at once."""
        with self.working():
            admission.ensure_door(self.now, self.door)
            row = db.session.query(FairDoor).order_by(FairDoor.id.desc()).first()
            assert row is not None
            for name, value in values.items():
                setattr(row, name, value)
        with self.working():
            watch().renew(datetime.now(UTC), self.door)

    def rate(self) -> int:
        return self.look().door.per_minute

    def admitted(self) -> int:
        return self.look().door.admitted

    def count_places(self) -> int:
        with self.app.app_context():
            return db.session.query(FairDoorPlace).count()

    def call_long_ago(self) -> None:
        """Let everything that happened in line have happened six minutes before."""
        with self.working():
            for step in db.session.query(FairDoorStep):
                step.at -= timedelta(minutes=6)
        with self.working():
            watch().renew(datetime.now(UTC), self.door)


def visitor(hall: Hall) -> FlaskClient:
    """Return a browser without JavaScript that has taken a place."""
    client = hall.client
    assert client.post("/waiting").status_code == 303
    return client
