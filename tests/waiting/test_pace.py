"""How fast the line moves: never above its rate, never for more people than there are seats."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.waiting.pace import (
    ASTRAY_US,
    AT_ONCE_US,
    MARGIN,
    MARGIN_SHARE,
    MINUTE_US,
    SLOWEST,
    Seats,
    due,
    next_rate,
    room,
)

SECOND = 1_000_000
rates = st.integers(1, 60_000)


@given(left=st.integers(0, 10_000), choosing=st.integers(0, 20_000))
def test_with_those_let_in_there_are_never_more_choosing_than_seats_and_a_margin(
    left: int, choosing: int
) -> None:
    most = left + left // MARGIN_SHARE + MARGIN

    more = room(Seats(left, 0, is_on_sale=True), choosing)

    assert more == 0 or choosing + more <= most
    assert more > 0 or left == 0 or choosing >= most


def test_nobody_is_let_in_when_nothing_is_left_though_a_margin_would_allow_it() -> None:
    assert room(Seats(0, 50, is_on_sale=True), choosing=0) == 0


@given(rate=rates, pauses=st.lists(st.integers(0, 10 * SECOND), min_size=1, max_size=40))
def test_however_often_one_looks_no_more_are_called_than_the_rate_allows(
    rate: int, pauses: list[int]
) -> None:
    ticked = at = called = 1_000 * MINUTE_US
    called = 0
    for pause in pauses:
        at += pause
        number, ticked = due(ticked, at, rate)
        called += number
        assert ticked <= at

    assert called <= sum(pauses) * rate / MINUTE_US + 1


@given(rate=rates)
def test_looking_every_second_loses_no_fraction_of_a_visitor(rate: int) -> None:
    ticked = at = 1_000 * MINUTE_US
    called = 0
    for _ in range(120):
        at += SECOND
        number, ticked = due(ticked, at, rate)
        called += number

    assert abs(called - 2 * rate) <= 2


def test_a_long_quiet_time_is_not_made_up_for_at_once() -> None:
    assert due(0, 60 * MINUTE_US, 600) == (AT_ONCE_US * 600 // MINUTE_US, 60 * MINUTE_US)
    assert due(0, 60 * MINUTE_US, 1) == (1, 60 * MINUTE_US)


def test_a_row_from_a_clock_that_was_wrong_is_set_right_and_stops_nobody_for_long() -> None:
    assert due(MINUTE_US + ASTRAY_US + 1, MINUTE_US, 600) == (0, MINUTE_US)
    assert due(MINUTE_US + 1, MINUTE_US, 600)[0] == 0


@given(rate=rates, most=rates, pressed=st.lists(st.booleans(), max_size=30))
def test_the_rate_stays_between_its_bounds(rate: int, most: int, pressed: list[bool]) -> None:
    for is_pressed in pressed:
        before, rate = rate, next_rate(rate, most, is_pressed=is_pressed)
        assert min(SLOWEST, most) <= rate <= most
        assert rate >= min(before, most) or is_pressed
