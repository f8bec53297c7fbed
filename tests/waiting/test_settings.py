"""The fair door's settings: off by default, and no way around it when it is on."""

from datetime import timedelta

import pytest

from app.environment import Reader
from app.fair_door_settings import FairDoorSettings, read_fair_door


def read(
    *, is_key_required: bool = True, **environ: str
) -> tuple[FairDoorSettings | None, list[str]]:
    reader = Reader(environ)
    return read_fair_door(reader, is_key_required=is_key_required), reader.problems


def test_it_is_off_unless_switched_on() -> None:
    assert read() == (None, [])
    assert read(FAIR_DOOR="false", FAIR_DOOR_PER_MINUTE="30") == (None, [])


def test_switched_on_everything_else_has_a_default() -> None:
    found, problems = read(FAIR_DOOR="true")
    assert found == FairDoorSettings(None, 600, timedelta(minutes=10), 8)
    assert problems == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAIR_DOOR", "perhaps"),
        ("FAIR_DOOR_OPENS_AT", "2027-01-23T10:00:00"),
        ("FAIR_DOOR_PER_MINUTE", "0"),
        ("FAIR_DOOR_TURN_SECONDS", "10"),
        ("FAIR_DOOR_SEATS_PER_PERSON", "none"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    environ = {"FAIR_DOOR": "true", name: value}
    _, problems = read(is_key_required=True, **environ)
    assert len(problems) == 1
    assert problems[0].startswith(name)


def test_orders_without_a_key_would_walk_around_it() -> None:
    _, problems = read(is_key_required=False, FAIR_DOOR="true")
    assert "API_KEY_REQUIRED=true" in problems[0]
