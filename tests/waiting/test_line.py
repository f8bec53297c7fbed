"""The line over time: the lot, those called, those who sleep, and those who come back."""

from datetime import UTC, datetime, timedelta

from app.services.waiting import switching
from app.services.waiting.look import Watch
from app.services.waiting.news import LONGEST_PAUSE, State, news_of
from app.services.waiting.pace import MARGIN
from tests.waiting.conftest import OpenHall
from tests.waiting.hall import TURN, Hall, door_settings

HOUR = timedelta(hours=1)


def soon() -> datetime:
    return datetime.now(UTC) + HOUR


def test_the_lot_is_drawn_once_and_every_process_sees_the_same_order(open_hall: OpenHall) -> None:
    hall = open_hall(soon())
    hall.add_ticket(amount=100)
    early = hall.take_places(20)
    hall.move_on()
    assert not hall.look().is_open
    assert [hall.look().number(place) for place in early] == [None] * 20

    hall.later(hours=1)
    hall.move_on()
    first = hall.look()
    late = hall.take_places(2)
    hall.later(seconds=5)
    hall.move_on()
    second = hall.look()

    numbers = [first.number(place) for place in early]
    assert sorted(n for n in numbers if n is not None) == list(range(20))
    assert numbers != list(range(20))  # once in 20! runs it is
    assert [second.number(place) for place in early] == numbers
    assert [second.number(place) for place in late] == [20, 21]


def test_before_the_opening_nothing_is_kept_that_tells_the_order(open_hall: OpenHall) -> None:
    hall = open_hall(soon())
    hall.take_places(3)
    hall.move_on()

    assert hall.look().door.seed is None


def test_no_more_are_called_than_there_are_seats_with_a_margin(hall: Hall) -> None:
    hall.add_ticket(amount=3)
    hall.take_places(40)
    for _ in range(10):
        hall.move_on()
        hall.later(seconds=2)

    assert hall.admitted() == 3 + MARGIN


def test_seats_that_come_back_let_more_in(hall: Hall) -> None:
    ticket = hall.add_ticket(amount=3)
    waiting = hall.take_places(40)
    hall.change(ticket, held=3)
    hall.move_on()
    assert hall.admitted() == 0
    assert news_of(hall.look(), waiting[0], hall.now).state is State.TAKEN

    hall.change(ticket, held=1)
    hall.later(seconds=3)
    hall.move_on()

    assert hall.admitted() == 2 + MARGIN


def test_who_does_not_come_makes_room_for_the_next(hall: Hall) -> None:
    hall.add_ticket(amount=1)
    waiting = hall.take_places(40)
    hall.later(seconds=5)
    hall.move_on()
    called = hall.admitted()
    assert hall.enter(waiting[0]) is not None

    hall.later(minutes=5)
    hall.move_on()

    # All but the one who came: that turn goes on.
    assert hall.admitted() == called + called - 1
    assert hall.enter(waiting[1]) is None
    assert news_of(hall.look(), waiting[1], hall.now).state is State.MISSED
    assert hall.enter(waiting[called]) is not None


def test_who_is_slow_to_come_keeps_nobody_waiting_and_may_still_come(hall: Hall) -> None:
    hall.add_ticket(amount=1)
    waiting = hall.take_places(40)
    hall.later(seconds=5)
    hall.move_on()
    called = hall.admitted()

    hall.later(seconds=30)
    hall.move_on()
    assert hall.admitted() == called

    hall.later(seconds=30)
    hall.move_on()
    assert hall.admitted() == 2 * called
    assert hall.enter(waiting[0]) is not None


def test_who_was_in_when_all_was_taken_keeps_nobody_from_what_comes_back(hall: Hall) -> None:
    ticket, process = hall.add_ticket(amount=3), Watch()
    waiting = hall.take_places(40)
    hall.later(seconds=5)
    hall.watch_line(process)
    called = hall.admitted()
    turns = [hall.enter(place) for place in waiting[:called]]
    hall.change(ticket, held=3)
    hall.later(seconds=2)
    hall.watch_line(process)

    hall.change(ticket, held=2)
    hall.later(seconds=30)
    hall.watch_line(process)
    assert hall.admitted() == called  # they may not have heard it yet

    hall.later(seconds=31)
    hall.move_on()
    assert hall.admitted() == called  # without having seen that all was taken
    hall.watch_line(process)
    assert hall.admitted() == called + 1 + MARGIN
    assert [hall.enter(place) for place in waiting[:called]] == turns


def test_the_first_in_line_ask_often_while_all_is_taken(hall: Hall) -> None:
    hall.add_ticket(amount=0)
    hall.change(hall.add_ticket("Pelajar", amount=3), held=3)
    waiting = hall.take_places(60)
    hall.move_on()

    told = [news_of(hall.look(), place, hall.now) for place in (waiting[0], waiting[59])]

    assert {news.state for news in told} == {State.TAKEN}
    assert told[0].pause < told[1].pause < LONGEST_PAUSE


def test_a_turn_ends_when_it_was_to_end_however_often_one_enters(hall: Hall) -> None:
    hall.add_ticket(amount=5)
    [place] = hall.take_places(1)
    hall.move_on()
    turn = hall.enter(place)
    assert turn is not None
    assert turn.until == hall.now + TURN

    for _ in range(3):
        hall.later(minutes=3)
        assert hall.enter(place) == turn
    hall.later(minutes=1)
    assert hall.enter(place) is None


def test_while_the_line_rests_nobody_is_called_and_places_stay(hall: Hall) -> None:
    hall.add_ticket(amount=5)
    hall.set_door(is_paused=True)
    [place] = hall.take_places(1)
    hall.later(seconds=5)
    hall.move_on()
    assert hall.admitted() == 0

    hall.set_door(is_paused=False, drawn_at=hall.now)
    hall.later(seconds=5)
    hall.move_on()

    assert hall.enter(place) is not None


def test_pressure_halves_the_rate_once_and_calm_lets_it_grow_again(open_hall: OpenHall) -> None:
    hall = open_hall(per_minute=400)
    hall.add_ticket(amount=500)
    hall.take_places(300)
    hall.move_on()
    hall.later(seconds=10)
    hall.move_on(is_pressed=True)
    assert hall.rate() == 200
    hall.later(seconds=1)
    hall.move_on(is_pressed=True)
    assert hall.rate() == 200

    for _ in range(12):
        hall.later(seconds=6)
        hall.move_on()

    assert hall.rate() == 400


def test_a_new_line_ends_the_places_of_the_one_before(hall: Hall) -> None:
    hall.add_ticket(amount=5)
    [old] = hall.take_places(1)
    hall.move_on()
    with hall.working():
        switching.begin_new_line(None, hall.now, door_settings(), by="tests")
    [new] = hall.take_places(1)
    hall.later(seconds=5)
    hall.move_on()

    assert hall.enter(old) is None
    assert hall.look().number(new) == 0
    assert hall.enter(new) is not None


def test_clocks_that_differ_neither_stop_the_line_nor_let_more_in(hall: Hall) -> None:
    hall.add_ticket(amount=3)
    waiting = hall.take_places(20)
    hall.later(hours=2)
    hall.move_on()
    hall.later(hours=-2)
    for _ in range(3):
        hall.later(seconds=2)
        hall.move_on()

    assert hall.admitted() == 3 + MARGIN
    assert hall.enter(waiting[0]) is not None
