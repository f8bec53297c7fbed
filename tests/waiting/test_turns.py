"""One turn, one order; one person, so many seats: also when everything comes at once."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from app.errors import DomainError
from app.extensions import db
from app.models import FairDoorPlace
from app.services.waiting import places
from app.services.waiting.places import Turn, Wanted
from app.services.waiting.refusals import SeatLimitReached, TurnUsed
from tests.app_factory import make_settings
from tests.waiting.hall import Hall, door_settings

TOGETHER = 4  # as many as a process has connections
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


def at_once(hall: Hall, calls: list[Callable[[], None]]) -> list[DomainError | None]:
    """Run all calls in threads that begin together; return what each was refused with."""
    start, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        with hall.app.app_context():
            db.session.execute(sa.select(1))
            db.session.rollback()
            start.wait()
            try:
                calls[number]()
            except DomainError as refusal:
                results[number] = refusal  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(results)


def claiming(hall: Hall, turn: Turn, wanted: Wanted) -> Callable[[], None]:
    return lambda: places.claim(turn, wanted, hall.now, hall.door)


def test_of_many_forms_with_one_turn_one_gets_it(mariadb_hall: Hall) -> None:
    hall, [turn] = mariadb_hall, turns(mariadb_hall, 1)
    forms = [replace(SARI, order_key=f"form-{n}", seats=1) for n in range(TOGETHER)]

    refused = at_once(hall, [claiming(hall, turn, form) for form in forms])

    assert refused.count(None) == 1
    assert {type(each) for each in refused if each} == {TurnUsed}


def test_without_the_condition_several_forms_would_get_it(mariadb_hall: Hall) -> None:
    """The same rush by read, then write: it proves that the one above could fail."""
    hall, [turn] = mariadb_hall, turns(mariadb_hall, 1)
    both_read = threading.Barrier(TOGETHER)

    def careless() -> None:
        row = db.session.get_one(FairDoorPlace, turn.place_id)
        if row.order_key is not None:
            raise TurnUsed
        both_read.wait()
        row.order_key = "mine"
        db.session.commit()

    assert at_once(hall, [careless] * TOGETHER).count(None) > 1


def test_one_person_with_many_turns_never_gets_more_seats_than_allowed(mariadb_hall: Hall) -> None:
    """By address or by phone number, two seats each: of four allowed never five or more."""
    hall, mine = mariadb_hall, turns(mariadb_hall, TOGETHER)
    wanted = [replace(SARI, order_key=f"form-{n}") for n in range(TOGETHER)]
    wanted[1] = replace(wanted[1], email_key="another")

    refused = at_once(hall, [claiming(hall, *pair) for pair in zip(mine, wanted, strict=True)])

    assert sum(2 for each in refused if each is None) <= hall.door.seats_per_person
    assert {type(each) for each in refused if each} == {SeatLimitReached}


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
