"""The fair door in the numbers for Prometheus, and what it hears of refusals."""

from dataclasses import replace
from datetime import UTC, datetime

from app.lanes import Lane
from app.services.waiting.look import watch
from tests.pages.shop import Shop
from tests.test_health import samples
from tests.waiting.hall import Hall

NAMES = ("waiting", "admitted", "per_minute", "moving")


def told(shop: Shop) -> dict[str, float]:
    """Return what a scrape says of the door."""
    numbers = samples(shop.client.get("/metrics").text)
    names = {name: (f"tickets_fair_door_{name}", ()) for name in NAMES}
    return {name: numbers[key] for name, key in names.items() if key in numbers}


def test_it_is_told_who_waits_who_was_let_in_and_how_fast(hall: Hall) -> None:
    hall.add_ticket()
    hall.take_places(5)
    hall.set_door(is_paused=True, admitted=2, per_minute=120)

    assert told(hall) == {"waiting": 3, "admitted": 2, "per_minute": 120, "moving": 0}


def test_without_a_fair_door_there_is_nothing_to_tell(shop: Shop) -> None:
    assert told(shop) == {}


def test_whoever_is_refused_in_the_shop_slows_the_line_down(hall: Hall) -> None:
    hall.add_ticket()
    hall.take_places(5)
    before = told(hall)["per_minute"]
    gate = hall.app.extensions["lanes"][Lane.SHOP]
    gate.limits = replace(gate.limits, in_all=0)

    assert hall.client.get("/terms").status_code == 503
    with hall.working():
        watch().renew(datetime.now(UTC), hall.door)

    assert told(hall)["per_minute"] < before
