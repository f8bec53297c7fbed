"""The budget of calls: one count for all processes, and room left for what somebody waits for."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.integrations.xendit import XenditThrottled
from app.models import CallBudget
from app.services.money import budget
from app.services.money.budget import UNTIL_TOLD, WINDOW, Meter, Share, take
from app.services.money.payments import CONFIRM, READ_BACK
from app.services.running.jobs import RetryLater
from app.services.running.transaction import transaction, use_case
from tests.money.world import World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
THREADS = 3
READ = "read"
QUARTER = UNTIL_TOLD // 4


def taken(world: World, share: Share = Share.WAITED_FOR, at: datetime = NOON) -> bool:
    with world.app.app_context():
        return take(READ, share, at) is None


def let_through(world: World, tries: int, share: Share = Share.WAITED_FOR, **at: datetime) -> int:
    return sum(taken(world, share, **at) for _ in range(tries))


def learn(world: World, allowed: int) -> None:
    with world.app.app_context():
        budget.learn(READ, allowed)


@use_case
def take_reading_first(endpoint: str) -> bool:
    """Count as one would without thinking of others: read, decide, write."""
    with transaction() as session:
        row = session.get(CallBudget, endpoint)
        assert row
        if row.used >= row.allowed:
            return False
        row.used += 1
        return True


# --- counting ------------------------------------------------------------------------------------


def test_threads_get_exactly_what_a_minute_allows(each_world: World) -> None:
    each = UNTIL_TOLD // THREADS + 3

    through = each_world.in_threads(THREADS, lambda _: let_through(each_world, each))

    assert sum(int(str(count)) for count in through) == UNTIL_TOLD


@pytest.mark.parametrize("is_guarded", [True, False])
def test_of_two_who_want_the_last_call_one_gets_it(mariadb_world: World, is_guarded: bool) -> None:
    """The negative control reads, decides and writes: it lets both through."""
    allowed = 40
    taken(mariadb_world)
    learn(mariadb_world, allowed)
    mariadb_world.change(CallBudget, sa.true(), used=allowed - 1)

    def take_rightly() -> bool:
        return take(READ, Share.WAITED_FOR, NOON) is None

    way = take_rightly if is_guarded else lambda: take_reading_first(READ)
    through = mariadb_world.overlap(way, way, after=1)

    assert through.count(True) == (1 if is_guarded else 2)


def test_threads_that_begin_a_new_minute_together_begin_it_once(each_world: World) -> None:
    assert let_through(each_world, UNTIL_TOLD + 5) == UNTIL_TOLD
    later = NOON + WINDOW

    through = each_world.in_threads(
        THREADS, lambda _: let_through(each_world, UNTIL_TOLD // THREADS + 3, at=later)
    )

    assert sum(int(str(count)) for count in through) == UNTIL_TOLD


def test_who_comes_too_late_is_told_when_the_minute_ends(each_world: World) -> None:
    let_through(each_world, UNTIL_TOLD)

    with each_world.app.app_context():
        pause = take(READ, Share.WAITED_FOR, NOON + timedelta(seconds=20))

    assert pause == timedelta(seconds=40)
    assert not taken(each_world, at=NOON + WINDOW - timedelta(microseconds=1))
    assert taken(each_world, at=NOON + WINDOW)


def test_every_endpoint_has_its_own_calls(world: World) -> None:
    let_through(world, UNTIL_TOLD)

    with world.app.app_context():
        assert take("list", Share.WAITED_FOR, NOON) is None


def test_a_window_written_by_a_clock_far_ahead_blocks_nobody(each_world: World) -> None:
    assert let_through(each_world, UNTIL_TOLD, at=NOON + timedelta(days=1)) == UNTIL_TOLD

    assert taken(each_world)


# --- shares --------------------------------------------------------------------------------------


def test_the_background_gets_half_at_most_of_any_minute_of_xendits(each_world: World) -> None:
    """Its minute slides: the end of one of our windows and the beginning of the next are one."""
    assert taken(each_world, Share.BACKGROUND)  # the window begins
    end = NOON + WINDOW - timedelta(seconds=1)

    before = let_through(each_world, UNTIL_TOLD, Share.BACKGROUND, at=end)
    after = let_through(each_world, UNTIL_TOLD, Share.BACKGROUND, at=NOON + WINDOW)

    assert (before, after) == (QUARTER - 1, QUARTER)
    assert before + after <= UNTIL_TOLD // 2


def test_what_is_waited_for_has_the_rest(each_world: World) -> None:
    let_through(each_world, UNTIL_TOLD, Share.BACKGROUND)

    assert let_through(each_world, UNTIL_TOLD) == UNTIL_TOLD - QUARTER


def test_the_background_stops_while_others_need_the_calls(each_world: World) -> None:
    let_through(each_world, QUARTER)

    assert not taken(each_world, Share.BACKGROUND)


def test_even_one_call_a_minute_is_shared(world: World) -> None:
    taken(world)
    learn(world, 1)

    assert taken(world, Share.BACKGROUND, NOON + WINDOW)
    assert not taken(world, Share.BACKGROUND, NOON + WINDOW)


# --- learning ------------------------------------------------------------------------------------


def test_xendits_answers_tell_how_many_calls_there_are(each_world: World) -> None:
    each_world.standin.set_fault("rate_limit", per_minute=7)
    placed = each_world.order(each_world.add_ticket())
    invoice_id = each_world.invoice_id(placed)

    with each_world.app.app_context():
        client = each_world.gateway.metered(Meter(Share.WAITED_FOR, each_world.now))
        for _ in range(7):
            client.read_invoice(invoice_id)
        with pytest.raises(RetryLater, match="used up"):
            client.read_invoice(invoice_id)

    assert len(each_world.standin.requests("GET", f"/v2/invoices/{invoice_id}")) == 7
    with pytest.raises(XenditThrottled):  # the stand-in counts as we do
        each_world.gateway.read_invoice(invoice_id)


def test_many_readings_back_leave_room_for_a_callback(each_world: World) -> None:
    ticket = each_world.add_ticket()
    orders = [each_world.order(ticket) for _ in range(6)]
    each_world.standin.set_fault("rate_limit", per_minute=8)
    paid = orders[-1]
    each_world.advance(seconds=61)

    each_world.work(READ_BACK)
    read = len([one for one in each_world.standin.requests("GET") if one["status"] == 200])
    each_world.standin.pay(each_world.invoice_id(paid))
    each_world.callback(paid)
    each_world.work(CONFIRM)

    assert read == 2, "a quarter"
    assert each_world.standing(paid).order == "PAID"
    assert not [one for one in each_world.standin.requests() if one["status"] == 429]
    waiting = [job for job in each_world.jobs(READ_BACK) if "used up" in (job.last_error or "")]
    assert len(waiting) == len(orders) - read


def test_what_had_to_wait_is_read_in_the_minutes_that_follow(world: World) -> None:
    ticket = world.add_ticket()
    orders = [world.order(ticket) for _ in range(6)]
    world.standin.set_fault("rate_limit", per_minute=8)
    for placed in orders:
        world.standin.pay(world.invoice_id(placed))

    for _ in range(12):
        world.advance(seconds=61)
        world.work(READ_BACK)

    assert {world.standing(placed).order for placed in orders} == {"PAID"}
    assert not [one for one in world.standin.requests() if one["status"] == 429]


@pytest.mark.parametrize("allowed", [0, 10**30])
def test_a_limit_that_cannot_be_meant_stops_nobody(each_world: World, allowed: int) -> None:
    taken(each_world)
    learn(each_world, allowed)

    assert taken(each_world, at=NOON + WINDOW)


def test_an_answer_that_says_nothing_new_writes_nothing(world: World) -> None:
    taken(world)
    learn(world, 7)
    statements: list[str] = []
    with world.app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
        budget.learn(READ, 7)
        said_again = [one for one in statements if one.startswith("UPDATE")]
        budget.learn(READ, 8)
        said_anew = [one for one in statements if one.startswith("UPDATE")]

    assert (len(said_again), len(said_anew)) == (0, 1)
