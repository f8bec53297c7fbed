"""Rate limits at the door: phones that share an address do not stop each other, inventors do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.extensions import db, limiter
from app.routes.credentials import scanner
from tests.app_factory import make_settings, running_app
from tests.door.calls import REPORT
from tests.door.world import Caller, DoorWorld, door_world
from tests.harness.database import fresh_sqlite

SEARCHES = 120  # a minute
SYNCS = 600


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[DoorWorld]:
    """A door with its rate limits, counted from nothing."""
    settings = make_settings(fresh_sqlite(tmp_path), rate_limit_enabled=True)
    with running_app(settings) as app, door_world(app) as world:
        limiter.reset()
        yield world
        limiter.reset()


def search(caller: Caller) -> int:
    return caller.get("/api/door/search", q="nobody").status_code


@pytest.mark.parametrize("kind", ["cookie", "key"])
def test_who_invents_who_they_are_is_counted_by_address(limited: DoorWorld, kind: str) -> None:
    words = [f"invented{number}" for number in range(SEARCHES + 1)]
    inventors = [
        Caller(limited, cookie=w) if kind == "cookie" else Caller(limited, w) for w in words
    ]
    *refused, last = map(search, inventors)

    assert set(refused) == {401}
    assert last == 429
    assert search(limited.phone()) == 200, "a phone of ours behind the same address goes on"


def test_each_phone_has_a_limit_of_its_own(limited: DoorWorld) -> None:
    busy, other = limited.phone("Busy"), limited.phone("Other")

    assert {search(busy) for _ in range(SEARCHES)} == {200}
    assert search(busy) == 429
    assert search(other) == 200


def test_phones_behind_one_address_keep_in_step_with_the_server(limited: DoorWorld) -> None:
    """Limits of the address alone would end it with forty phones, four calls a minute each."""
    address = limited.app.test_client()
    codes = {address.get("/api/door/tickets").status_code for _ in range(SYNCS + 1)}
    assert codes == {401, 429}
    phone = limited.phone()

    assert phone.get("/api/door/tickets").status_code == 200
    body = {"since": None, "report": REPORT}
    assert phone.post("/api/door/sync", body).status_code == 200


def test_without_the_database_callers_are_counted_by_address(limited: DoorWorld) -> None:
    """An error here, the limiter would take for one of its own storage, and count elsewhere."""
    with limited.app.app_context():
        db.session.execute(sa.text("DROP TABLE devices"))
        db.session.execute(sa.text("DROP TABLE api_keys"))
        db.session.commit()
    headers = {"Cookie": "door_device=any", "Authorization": "Bearer any"}
    address = {"REMOTE_ADDR": "192.0.2.1"}

    with limited.app.test_request_context(headers=headers, environ_base=address):
        assert scanner() == "192.0.2.1"
