"""The pace of calls that create invoices: never over what Xendit allows, and hardly under it."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import CallPace
from app.services.money import invoice_line, pacing
from app.services.running.transaction import transaction, use_case
from app.services.selling.ordering import OPEN_INVOICE, PlacedOrder
from tests.money.world import World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
THREADS = 3


def set_pace(world: World, allowed: int, *, next_at: datetime = NOON) -> None:
    """Begin with what Xendit allows a minute, and nothing taken."""
    with world.app.app_context(), transaction() as session:
        session.execute(sa.delete(CallPace))
        interval = pacing.interval_us(allowed)
        session.add(CallPace(endpoint=pacing.CREATE, interval_us=interval, next_us=us(next_at)))


def us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def crowd(world: World, *, until: datetime) -> list[datetime]:
    """Let somebody call whenever a call may be made; return when calls were made."""
    made, now = [], NOON
    with world.app.app_context():
        while now < until:
            pause = pacing.take(now)
            if pause is None:
                made.append(now)
            else:
                now += pause
    return made


def most_in_a_minute(made: list[datetime]) -> int:
    """Return the most calls in any 60 seconds, as Xendit counts them."""
    window: deque[datetime] = deque()
    most = 0
    for moment in made:
        window.append(moment)
        while window[0] <= moment - MINUTE:
            window.popleft()
        most = max(most, len(window))
    return most


@pytest.mark.parametrize(("allowed", "minutes"), [(7, 3), (60, 2), (600, 1.2)])
def test_no_minute_sees_too_many_calls_and_a_line_uses_nearly_all(
    world: World, allowed: int, minutes: float
) -> None:
    set_pace(world, allowed)

    made = crowd(world, until=NOON + minutes * MINUTE)

    assert most_in_a_minute(made) <= allowed
    assert len(made) / minutes >= 0.95 * allowed


def test_after_a_quiet_time_a_few_may_call_at_once(world: World) -> None:
    set_pace(world, 600, next_at=NOON - MINUTE)

    with world.app.app_context():
        at_once = sum(pacing.take(NOON) is None for _ in range(60))

    assert at_once == 7


def test_a_faster_pace_counts_from_the_last_call(world: World) -> None:
    second = timedelta(microseconds=pacing.interval_us(60))
    set_pace(world, 60, next_at=NOON + second)

    with world.app.app_context():
        pacing.learn(600)

        assert pacing.free_at(NOON) == NOON, "the last was called a tenth of a second before this"
        assert [pacing.take(NOON) is None for _ in range(7)] == [True] * 6 + [False]


@pytest.mark.parametrize("statements", [1, 2])
def test_two_processes_never_take_one_place(mariadb_world: World, statements: int) -> None:
    set_pace(mariadb_world, 60, next_at=NOON)
    with mariadb_world.app.app_context():
        while pacing.take(NOON) is None:
            pass
    one_back = CallPace.next_us - CallPace.interval_us
    mariadb_world.change(CallPace, CallPace.endpoint == pacing.CREATE, next_us=one_back)

    taken = mariadb_world.overlap(*[lambda: pacing.take(NOON)] * 2, after=statements)

    assert [each is None for each in taken].count(True) == 1, taken


def test_many_processes_get_no_more_than_one_alone(mariadb_world: World) -> None:
    def grab(_: int) -> int:
        with mariadb_world.app.app_context():
            return sum(pacing.take(NOON) is None for _ in range(25))

    set_pace(mariadb_world, 600, next_at=NOON)
    alone = grab(0)
    set_pace(mariadb_world, 600, next_at=NOON)
    taken = mariadb_world.in_threads(THREADS, grab)

    assert 1 < alone < 25
    assert sum(int(str(n)) for n in taken) == alone, taken


@use_case
def take_carelessly(now: datetime) -> bool:
    """Read, think, write: how a pace is lost. Two who think at once are enough."""
    with transaction() as session:
        pace = session.get_one(CallPace, pacing.CREATE)
        if pace.next_us > us(now):
            return False
        session.execute(sa.update(CallPace).values(next_us=us(now) + pace.interval_us))
        return True


def test_without_the_condition_in_the_statement_several_take_one_place(
    mariadb_world: World,
) -> None:
    set_pace(mariadb_world, 60, next_at=NOON)

    takes = [lambda: take_carelessly(NOON)] * 2
    assert mariadb_world.overlap(*takes, after=1) == (True, True)


def test_nobody_calls_while_xendit_has_had_enough(world: World) -> None:
    set_pace(world, 600)
    with world.app.app_context():
        pacing.hold_back(NOON, timedelta(seconds=30))

        assert pacing.take(NOON + timedelta(seconds=20)) is not None
        assert pacing.take(NOON + timedelta(seconds=31)) is None


def test_a_time_written_by_a_wrong_clock_stops_nobody(world: World) -> None:
    set_pace(world, 600, next_at=NOON + timedelta(days=400))
    with world.app.app_context():
        assert pacing.free_at(NOON) == NOON
        assert pacing.take(NOON) is None
        assert pacing.free_at(NOON) < NOON + MINUTE


def test_what_an_answer_says_a_minute_takes_is_kept(world: World) -> None:
    set_pace(world, 60)
    world.standin.set_fault("rate_limit", per_minute=3000)
    placed = world.place(world.add_ticket())

    assert world.try_open_invoice(placed)

    with world.app.app_context():
        assert pacing.interval() == timedelta(microseconds=pacing.interval_us(3000))


# --- the line ------------------------------------------------------------------------------------


def waiting(world: World, count: int) -> list[PlacedOrder]:
    """Place orders that all go into line."""
    ticket = world.add_ticket(amount=100)
    return [world.place(ticket, has_head_start=False) for _ in range(count)]


def with_invoice(world: World, orders: list[PlacedOrder]) -> list[bool]:
    return [world.payment(placed).invoice_id is not None for placed in orders]


def slow_down(world: World, allowed: int = 60) -> None:
    """Let one call be made now, and the next ones at the pace of `allowed` a minute."""
    world.clock.stop()
    world.standin.set_fault("rate_limit", per_minute=allowed)
    set_pace(world, allowed, next_at=world.now() + timedelta(seconds=1))


def test_invoices_are_made_in_the_order_in_which_seats_were_taken(each_world: World) -> None:
    orders = waiting(each_world, 5)
    slow_down(each_world)

    served = []
    for _ in range(8):
        each_world.work()
        served.append(sum(with_invoice(each_world, orders)))
        assert with_invoice(each_world, orders) == [n < served[-1] for n in range(5)]
        each_world.advance(seconds=1.1)

    assert served[0] <= 2
    assert served[-1] == 5
    assert not [one for one in each_world.standin.requests() if one["status"] == 429]


def test_who_meets_a_taken_place_keeps_their_own(world: World) -> None:
    """Two workers see one free place; the slower one's order must not go to the line's end."""
    first, second = waiting(world, 2)
    set_pace(world, 60, next_at=world.now() + timedelta(seconds=30))

    with world.app.app_context():
        assert world.step((OPEN_INVOICE,))

    due = [job.due_at for job in world.jobs(OPEN_INVOICE)]
    assert due == sorted(due)
    assert [job.attempts for job in world.jobs(OPEN_INVOICE)] == [0, 0]
    assert world.payment(first).create_attempts == 0
    assert with_invoice(world, [first, second]) == [False, False]


def test_nobody_is_served_at_once_while_others_wait(world: World) -> None:
    with world.app.app_context():
        assert invoice_line.is_free(world.now())
    waiting(world, 1)
    world.advance_ours(seconds=1)

    with world.app.app_context():
        assert not invoice_line.is_free(world.now())


def test_the_place_and_the_estimate_follow_the_line(world: World) -> None:
    orders = waiting(world, 4)
    set_pace(world, 60, next_at=world.now())
    now = world.now() + timedelta(seconds=2)

    with world.app.app_context():
        places = [invoice_line.place_in_line(o.order_id, now, since=now) for o in orders]

    assert [place.ahead for place in places] == [0, 1, 2, 3]
    waits = [place.wait or timedelta() for place in places[1:]]
    assert waits == sorted(waits)
    assert waits[2] - waits[1] == timedelta(microseconds=pacing.interval_us(60))


def test_thousands_who_ask_for_their_place_are_one_question_a_second(world: World) -> None:
    orders = waiting(world, 2)
    now = world.now() + timedelta(seconds=5)
    asked: list[str] = []
    with world.app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        for placed in orders * 50:
            invoice_line.place_in_line(placed.order_id, now, since=now)

    assert len([one for one in asked if "FROM payments" in one]) == 1
