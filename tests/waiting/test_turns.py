"""One turn, one order; one person, so many seats: also when everything comes at once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from app.extensions import db
from app.models import FairDoorPlace
from app.services.waiting import places
from app.services.waiting.places import Turn, Wanted
from app.services.waiting.refusals import SeatLimitReached, TurnUsed
from tests.app_factory import make_settings
from tests.harness.interleaving import overlap
from tests.waiting.hall import Hall, door_settings

SARI = Wanted("form-1", "mail-of-sari", "phone-of-sari", 2)


@pytest.fixture
def mariadb_hall(mariadb_app: Flask) -> Hall:
    settings = replace(make_settings("sqlite://"), fair_door=door_settings())
    return Hall(mariadb_app, settings)


def turns(hall: Hall, count: int) -> list[Turn]:
    """Return the turns of visitors who have just come in."""
    hall.add_ticket(amount=100)
    waiting = hall.take_places(count)
    hall.move_on()
    hall.later(seconds=5)
    hall.move_on()
    entered = [hall.enter(place) for place in waiting]
    return [turn for turn in entered if turn is not None]


def claiming(hall: Hall, turn: Turn, wanted: Wanted) -> Callable[[], None]:
    return lambda: places.claim(turn, wanted, hall.now, hall.door)


@pytest.mark.parametrize("statements", [1, 2])
def test_of_two_forms_with_one_turn_one_gets_it(mariadb_hall: Hall, statements: int) -> None:
    hall, [turn] = mariadb_hall, turns(mariadb_hall, 1)
    forms = [replace(SARI, order_key=f"form-{n}", seats=1) for n in (1, 2)]

    told = overlap(hall.app, *[claiming(hall, turn, form) for form in forms], after=statements)

    assert {type(each) for each in told} == {type(None), TurnUsed}


def test_without_the_condition_both_forms_would_get_it(mariadb_hall: Hall) -> None:
    """The same meeting by read, then write: it proves that the one above could fail."""
    hall, [turn] = mariadb_hall, turns(mariadb_hall, 1)

    def careless() -> None:
        row = db.session.get_one(FairDoorPlace, turn.place_id)
        if row.order_key is not None:
            raise TurnUsed
        row.order_key = "mine"
        db.session.commit()

    assert overlap(hall.app, careless, careless, after=1) == (None, None)


@pytest.mark.parametrize("same", ["email_key", "phone_key"])
@pytest.mark.parametrize("statements", [1, 2])
def test_one_person_with_two_turns_never_gets_more_seats_than_allowed(
    mariadb_hall: Hall, same: str, statements: int
) -> None:
    """By address or by phone number, three seats each: of four allowed never five or more."""
    hall, mine = mariadb_hall, turns(mariadb_hall, 2)
    wanted = [replace(SARI, order_key=f"form-{n}", seats=3) for n in (1, 2)]
    if same == "email_key":
        wanted[1] = replace(wanted[1], phone_key="another")
    else:
        wanted[1] = replace(wanted[1], email_key="another")
    claims = [claiming(hall, *pair) for pair in zip(mine, wanted, strict=True)]

    told = overlap(hall.app, *claims, after=statements)

    assert sum(3 for each in told if each is None) <= hall.door.seats_per_person
    assert {type(each) for each in told if each} == {SeatLimitReached}


def test_seats_of_an_order_that_was_not_made_do_not_count(hall: Hall) -> None:
    first, second = turns(hall, 2)
    with hall.working():
        places.claim(first, replace(SARI, seats=4), hall.now, hall.door)
        with pytest.raises(SeatLimitReached):
            places.claim(second, replace(SARI, order_key="form-2"), hall.now, hall.door)
        places.release(first, SARI.order_key)
        places.claim(second, replace(SARI, order_key="form-2"), hall.now, hall.door)


def test_the_same_form_may_come_again_with_its_turn(hall: Hall) -> None:
    [turn] = turns(hall, 1)
    with hall.working():
        places.claim(turn, SARI, hall.now, hall.door)
        places.claim(turn, SARI, hall.now, hall.door)
        with pytest.raises(TurnUsed):
            places.claim(turn, replace(SARI, order_key="form-2"), hall.now, hall.door)


def test_a_turn_that_is_over_orders_nothing(hall: Hall) -> None:
    [turn] = turns(hall, 1)
    hall.later(minutes=10)
    with hall.working(), pytest.raises(TurnUsed):
        places.claim(turn, SARI, hall.now, hall.door)


def test_contacts_are_known_again_however_they_are_written_and_never_told() -> None:
    key = places.contact_key("secret", "email", "Sari@Example.com ")
    assert key == places.contact_key("secret", "email", "sari@example.com")
    assert key != places.contact_key("secret", "phone", "sari@example.com")
    assert key != places.contact_key("other", "email", "sari@example.com")
    assert "sari" not in key
