"""A phone's calls, made without a browser."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.door.seeding import SeededDoor

REPORT = {
    "battery": 61,
    "queued": 0,
    "tickets": 0,
    "clock": "2027-01-23T09:00:00+07:00",
    "storageKept": True,
}


def pair(app: Flask, door: SeededDoor, name: str, **values: Any) -> FlaskClient:
    """Return a newly paired phone."""
    client = app.test_client()
    client.set_cookie("door_device", door.pair(name, **values))
    return client


def sync(phone: FlaskClient, since: str | None = None) -> dict[str, Any]:
    """Return what the phone is told."""
    answer = phone.post("/api/door/sync", json={"since": since, "report": REPORT})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def pages(phone: FlaskClient, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the pages of sealed tickets."""
    following: int | None = after
    while following is not None:
        page = phone.get(f"/api/door/tickets?after={following}").get_json()
        yield page
        following = page["next"]


def seat_ids(phone: FlaskClient, after: int = 0) -> list[int]:
    """Return the seats on all pages."""
    return [seat_id for page in pages(phone, after) for seat_id, _ in page["seats"]]
