"""Group commit: who comes meanwhile goes together, each gets what is his, nobody is forgotten."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app import lanes
from app.lanes import Figures, Gate, Limits
from app.services.running.group_commit import GroupCommit
from tests.harness.waiting import eventually


class Desk:
    """Doubles numbers, and keeps the first group until it is let go."""

    def __init__(self, most: int = 32) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.counter = GroupCommit(self.serve, most=most)

    def serve(self, wishes: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(wishes))
        assert self.open.wait(60)
        return [ValueError(wish) if wish < 0 else wish * 2 for wish in wishes]

    def ask_behind_first(self, pool: ThreadPoolExecutor, wishes: list[int]) -> list[Future[int]]:
        """Let 0 be served, and these come while it is, in this order; then open."""
        asked = [pool.submit(self.counter.ask, 0)]
        eventually(lambda: self.groups)
        for wish in wishes:
            before = len(self.counter._waiting)
            asked.append(pool.submit(self.counter.ask, wish))
            eventually(lambda: len(self.counter._waiting) > before)  # noqa: B023
        self.open.set()
        return asked


def test_who_comes_alone_is_served_alone_and_at_once() -> None:
    desk = Desk()
    desk.open.set()

    assert [desk.counter.ask(wish) for wish in (1, 2)] == [2, 4]
    assert desk.groups == [[1], [2]]


def test_who_comes_meanwhile_goes_together_in_the_order_of_coming() -> None:
    desk = Desk()

    with ThreadPoolExecutor(8) as pool:
        answers = [each.result(60) for each in desk.ask_behind_first(pool, [3, 1, 2])]

    assert answers == [0, 6, 2, 4]
    assert desk.groups == [[0], [3, 1, 2]]


def test_a_group_has_a_limit_and_the_next_one_goes_by_itself() -> None:
    desk = Desk(most=2)

    with ThreadPoolExecutor(8) as pool:
        answers = [each.result(60) for each in desk.ask_behind_first(pool, [1, 2, 3, 4, 5])]

    assert answers == [0, 2, 4, 6, 8, 10]
    assert desk.groups == [[0], [1, 2], [3, 4], [5]]


def test_an_exception_for_one_is_raised_for_that_one_only() -> None:
    desk = Desk()

    with ThreadPoolExecutor(8) as pool:
        first, bad, good = desk.ask_behind_first(pool, [-1, 7])
        assert (first.result(60), good.result(60)) == (0, 14)
        with pytest.raises(ValueError, match="-1"):
            bad.result(60)


def test_when_serving_breaks_everybody_hears_of_it_and_the_next_are_served() -> None:
    class Broken(Desk):
        def serve(self, wishes: Sequence[int]) -> list[int | Exception]:
            done = super().serve(wishes)
            if 1 in wishes:
                raise MemoryError("no room")
            return done

    desk = Broken()

    with ThreadPoolExecutor(8) as pool:
        first, *broken = desk.ask_behind_first(pool, [1, 2])
        assert first.result(60) == 0
        for each in broken:
            with pytest.raises(MemoryError):
                each.result(60)
    assert desk.counter.ask(9) == 18


def test_many_threads_each_get_their_own_answer() -> None:
    desk = Desk()
    desk.open.set()

    def ask_often(number: int) -> list[int]:
        return [desk.counter.ask(number * 1000 + turn) for turn in range(50)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask_often, range(16)))

    assert answers == [[2 * (n * 1000 + turn) for turn in range(50)] for n in range(16)]
    assert sum(len(group) for group in desk.groups) == 16 * 50
    assert desk.counter._waiting == desk.counter._waiting.__class__()


def test_who_asks_from_a_lane_lends_the_place_and_has_it_again_with_the_answer() -> None:
    desk, gate = Desk(), Gate(Limits(at_work=2, in_all=100, outside=0, patience=60.0))
    desk.open.set()

    def ask_in_lane(number: int) -> int:
        lanes.enter(gate)
        try:
            answer = desk.counter.ask(number)
            assert gate.figures().at_work >= 1
            return answer
        finally:
            lanes.leave()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask_in_lane, range(400)))

    assert answers == [2 * number for number in range(400)]
    assert gate.figures() == Figures(at_work=0, waiting=0, outside=0, aside=0, refused=0)
