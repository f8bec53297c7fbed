"""Gates: so many at work, the others in turn or refused; whoever steps aside comes back."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from app import lanes
from app.crowd import Crowded
from app.database import STATEMENT_SECONDS, engine_options
from app.extensions import db
from app.lanes import Figures, Gate, Lane, Limits, Pause, TooManyOutside, gates_for
from app.services.running.transaction import is_outage
from tests.harness.waiting import eventually

NO_PATIENCE = 0.02


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def gate_of(at_work: int, in_all: int = 100, outside: int = 100, patience: float = 60.0) -> Gate:
    return Gate(Limits(at_work, in_all, outside, patience))


def wait_for(gate: Gate, **expected: int) -> None:
    """Wait until these figures stand so."""
    eventually(lambda: {name: getattr(gate.figures(), name) for name in expected} == expected)


def queue(pool: ThreadPoolExecutor, gate: Gate, count: int) -> list[Future[None]]:
    """Let so many wait for a turn, one after the other."""
    waiting = []
    for number in range(1, count + 1):
        waiting.append(pool.submit(gate.enter))
        wait_for(gate, waiting=number)
    return waiting


def test_who_finds_no_place_is_let_in_first_come_first_served(pool: ThreadPoolExecutor) -> None:
    gate = gate_of(1)
    gate.enter()
    first, second = queue(pool, gate, 2)

    gate.leave()

    first.result(60)
    assert not second.done()
    assert gate.figures() == Figures(at_work=1, waiting=1, outside=0, aside=0, refused=0)
    gate.leave()
    second.result(60)


def test_a_turn_that_does_not_come_is_refused_and_leaves_nothing_behind() -> None:
    gate = gate_of(1, patience=NO_PATIENCE)
    gate.enter()

    with pytest.raises(Crowded) as refused:
        gate.enter()

    assert refused.value.retry_after is not None
    assert refused.value.status == 503
    gate.leave()
    assert gate.figures() == Figures(at_work=0, waiting=0, outside=0, aside=0, refused=1)


def test_who_finds_too_many_before_is_refused_at_once(pool: ThreadPoolExecutor) -> None:
    gate = gate_of(1, in_all=2, patience=60)
    gate.enter()
    (waiting,) = queue(pool, gate, 1)

    with pytest.raises(Crowded):
        gate.enter()  # with a minute's patience the test would not end if it waited

    gate.leave()
    waiting.result(60)


def test_who_waits_for_somebody_outside_lends_the_place_and_comes_back_before_the_others(
    pool: ThreadPoolExecutor,
) -> None:
    gate = gate_of(1)
    answered, is_back = threading.Event(), threading.Event()

    def call_outside() -> None:
        with gate.lend():
            assert answered.wait(60)
        is_back.set()

    gate.enter()
    (second,) = queue(pool, gate, 1)
    calling = pool.submit(call_outside)
    second.result(60)  # it has the place now
    (third,) = queue(pool, gate, 1)
    answered.set()
    wait_for(gate, waiting=2, outside=0)

    gate.leave()

    assert is_back.wait(60)
    assert not third.done()
    calling.result(60)
    gate.leave()
    third.result(60)


def test_only_so_many_may_wait_outside_unless_others_of_ours_are_waited_for(
    pool: ThreadPoolExecutor,
) -> None:
    gate = gate_of(2, outside=1)
    gate.enter()
    gate.enter()
    with gate.lend():
        with pytest.raises(TooManyOutside), gate.lend():
            pytest.fail("a second one went outside")
        pause = Pause(gate)
        waiting = pool.submit(pause.wait)
        wait_for(gate, outside=1, aside=1)
        pause.end()
        waiting.result(60)
    assert gate.figures() == Figures(at_work=2, waiting=0, outside=0, aside=0, refused=0)


def test_who_waits_for_one_of_ours_is_back_when_it_is_over_and_there_is_a_place_again(
    pool: ThreadPoolExecutor,
) -> None:
    gate = gate_of(1)
    gate.enter()
    (second,) = queue(pool, gate, 1)
    pause = Pause(gate)
    pausing = pool.submit(pause.wait)
    second.result(60)  # it has the place now
    (third,) = queue(pool, gate, 1)

    pause.end()

    assert gate.figures() == Figures(at_work=1, waiting=2, outside=0, aside=0, refused=0)
    gate.leave()
    pausing.result(60)
    assert not third.done()
    gate.leave()
    third.result(60)


def test_a_pause_that_was_over_before_it_began_keeps_the_place(pool: ThreadPoolExecutor) -> None:
    gate = gate_of(1)
    gate.enter()
    (second,) = queue(pool, gate, 1)
    pause = Pause(gate)

    pause.end()
    pausing = threading.Thread(target=pause.wait, daemon=True)
    pausing.start()
    pausing.join(60)

    assert not pausing.is_alive()
    assert not second.done()
    assert gate.figures() == Figures(at_work=1, waiting=1, outside=0, aside=0, refused=0)
    gate.leave()
    second.result(60)


def test_the_shop_gives_way_to_payments_down_to_one_place(pool: ThreadPoolExecutor) -> None:
    payments = gate_of(3)
    shop = Gate(Limits(2, 100, 100, 60.0), gives_way_to=payments)
    shop.enter()
    payments.enter()
    payments.enter()
    (next_one,) = queue(pool, shop, 1)

    shop.leave()  # one place is left whatever payments do
    next_one.result(60)
    (another,) = queue(pool, shop, 1)
    payments.leave()
    assert not another.done()
    payments.leave()

    another.result(60)
    assert shop.figures().at_work == 2


def test_a_lane_of_its_own_is_not_felt_by_the_others() -> None:
    gates = gates_for(web_threads=4)
    shop, payments = gates[Lane.SHOP], gates[Lane.PAYMENTS]
    for _ in range(shop.limits.at_work):
        shop.enter()

    payments.enter()

    assert payments.figures().at_work == 1


def test_without_a_lane_stepping_aside_and_leaving_do_nothing() -> None:
    lanes.leave()
    with lanes.stepping_aside():
        pass
    pause = Pause()
    pause.end()
    pause.wait()  # it would not end if it waited


def test_there_are_as_many_connections_as_places_at_work() -> None:
    places = sum(gate.limits.at_work for gate in gates_for(64).values())

    options = engine_options("mysql+pymysql://user:word@host/name")

    assert options["pool_size"] == places
    assert options["max_overflow"] == 0


def test_mariadb_stops_a_statement_that_takes_too_long(mariadb_app: Flask) -> None:
    with mariadb_app.app_context():
        limit = db.session.scalar(sa.text("SELECT @@max_statement_time"))
        db.session.execute(sa.text("SET SESSION max_statement_time = 0.05"))
        with pytest.raises(DBAPIError) as stopped:
            db.session.execute(sa.text("SELECT SLEEP(20)"))
        db.session.connection().invalidate()  # or the next test had this limit

    assert limit == STATEMENT_SECONDS
    assert is_outage(stopped.value)


class EveryOrderOfEvents(RuleBasedStateMachine):
    """Whatever happens in whatever order, as many are counted as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = gate_of(2, in_all=4, outside=1, patience=0.0)
        self.inside = 0
        self.outside: list[Iterator[None]] = []

    @rule()
    def enter(self) -> None:
        is_free = self.inside < 2
        with suppress(Crowded):
            self.gate.enter()
            assert is_free
            self.inside += 1
            return
        assert not is_free

    @rule()
    def leave(self) -> None:
        if self.inside:
            self.gate.leave()
            self.inside -= 1

    @rule()
    def step_aside(self) -> None:
        if not self.inside:
            return
        is_allowed = not self.outside
        try:
            trip = self.gate.lend()
            trip.__enter__()
        except TooManyOutside:
            assert not is_allowed
            return
        assert is_allowed
        self.outside.append(trip)  # type: ignore[arg-type]
        self.inside -= 1

    @rule()
    def come_back(self) -> None:
        if self.outside and self.inside < 2:
            self.outside.pop().__exit__(None, None, None)  # type: ignore[attr-defined]
            self.inside += 1

    def teardown(self) -> None:
        """Bring everybody back: one left outside would wait for a place when it is forgotten."""
        while self.inside:
            self.leave()
        self.come_back()

    @invariant()
    def the_figures_are_true(self) -> None:
        figures = self.gate.figures()
        assert (figures.at_work, figures.waiting) == (self.inside, 0)
        assert figures.outside == len(self.outside)


def test_every_order_of_events_leaves_true_figures() -> None:
    run_state_machine_as_test(
        EveryOrderOfEvents, settings=hypothesis_settings(max_examples=30, deadline=None)
    )
