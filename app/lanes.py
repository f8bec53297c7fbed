"""Lanes: under overload payments come first, and nobody waits without end.

Every web process has places at work in each lane, as many as it has database connections for
them: whoever is at work never waits for a connection, and one lane never takes another's. Who
finds no free place waits in turn, for a while; who finds too many before them is refused at once.
Whoever waits for somebody outside gives the place to another meanwhile. Workers and commands have
no lane.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from app.crowd import Crowd, Crowded


class Lane(StrEnum):
    """What a request is for."""

    PAYMENTS = "payments"  # who pays or enters
    SHOP = "shop"  # who buys, or works here
    FRONT = "front"  # who looks at what all see
    LATE = "late"  # who orders what is sold out, and only has to be told so
    HEALTH = "health"  # who watches


class TooManyOutside(Exception):
    """As many as may wait for somebody outside do so already: do it later, in a job."""


@dataclass(frozen=True)
class Limits:
    """How many of one lane a process takes.

    `at_work` is also its number of database connections; `in_all` counts those who wait too, each
    of them holding a thread; `patience` is how many seconds one waits for a turn.
    """

    at_work: int
    in_all: int
    outside: int
    patience: float


@dataclass(frozen=True)
class Figures:
    """A lane at one moment, and how many it has refused so far.

    `outside` are those who wait for somebody outside, `aside` those who wait for another of ours.
    """

    at_work: int
    waiting: int
    outside: int
    aside: int
    refused: int


SHOP_AT_WORK = 2
FRONT_AT_WORK = 1
FRONT_THREADS = 16  # one draws for all; those who come meanwhile get the last drawing
LATE_AT_WORK = 1
LATE_THREADS = 32  # told in milliseconds each
PAYMENTS_AT_WORK = 4
PAYMENT_THREADS = 64  # a door of fifty phones may send what they kept at one moment
HEALTH_AT_WORK = 2  # a long look at all numbers must not make the service seem dead
# At work in all lanes together: what each process needs in database connections.
AT_WORK = SHOP_AT_WORK + FRONT_AT_WORK + LATE_AT_WORK + PAYMENTS_AT_WORK + HEALTH_AT_WORK
# A page that says "try again", and does so by itself, is better than a white one for longer.
PATIENCE = 3.0


def limits_for(web_threads: int) -> dict[Lane, Limits]:
    """Return the limits of each lane; gunicorn.conf.py has threads for all of them.

    As many as `web_threads` of the shop may wait for Xendit, and as many again for their turn.
    """
    return {
        Lane.SHOP: Limits(SHOP_AT_WORK, 2 * web_threads, web_threads, PATIENCE),
        Lane.FRONT: Limits(FRONT_AT_WORK, FRONT_THREADS, 0, PATIENCE),
        Lane.LATE: Limits(LATE_AT_WORK, LATE_THREADS, 0, PATIENCE),
        Lane.PAYMENTS: Limits(PAYMENTS_AT_WORK, PAYMENT_THREADS, PAYMENT_THREADS // 2, 8.0),
        Lane.HEALTH: Limits(HEALTH_AT_WORK, 4, 0, patience=2.0),
    }


class Turn:
    """What one thread waits for and another brings, once.

    A bare lock: `threading.Event` has two of them and a list, several times in each request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def come(self) -> None:
        """Wake who waits, or will."""
        self._lock.release()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until it comes, or for so many seconds; tell whether it came."""
        return self._lock.acquire(timeout=seconds)


class Gate:
    """Lets so many of a lane work at once, the others in the order in which they came.

    One that gives way to another takes a place less, down to one, for each at work there: only
    one thread of a process computes at a time, and every other one is in its way.
    """

    def __init__(self, limits: Limits, *, gives_way_to: "Gate | None" = None) -> None:
        self.limits = limits
        self._guard = threading.Lock()
        self._at_work = 0
        self._away = {"outside": 0, "aside": 0}
        self._refused = 0
        self._crowd = Crowd()
        self._returning: deque[Turn] = deque()
        self._waiting: deque[Turn] = deque()
        self._ahead = gives_way_to
        self._behind: list[Gate] = []
        if gives_way_to:
            gives_way_to._behind.append(self)

    def enter(self) -> None:
        """Take a place, waiting for it if need be. Raises Crowded; nothing is taken then."""
        with self._guard:
            if self._in_all() >= self.limits.in_all:
                raise self._refusal()
            turn = self._take_turn(self._waiting)
        if turn.wait(self.limits.patience):
            return
        with self._guard:
            if turn not in self._waiting:
                return  # let in between giving up and saying so
            self._waiting.remove(turn)
            raise self._refusal()

    def leave(self) -> None:
        """Give the place to whoever is next."""
        with self._guard:
            self._at_work -= 1
            self._let_in()
        for gate in self._behind:
            with gate._guard:
                gate._let_in()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Lend the place to others, waiting for somebody outside. Raises TooManyOutside.

        Who comes back is let in before those who have not begun, however long that takes: what
        it has begun must end.
        """
        with self._guard:
            if self._away["outside"] >= self.limits.outside:
                raise TooManyOutside
            self._away["outside"] += 1
        self.leave()
        try:
            yield
        finally:
            with self._guard:
                self._away["outside"] -= 1
                turn = self._take_turn(self._returning)
            turn.wait()

    def wait_aside(self, pause: "Pause") -> None:
        """Lend the place until another ends the pause, and then until there is a place again."""
        with self._guard:
            if pause.is_over:
                return
            pause.has_begun = True
            self._away["aside"] += 1
        self.leave()
        pause.turn.wait()

    def end(self, pause: "Pause") -> None:
        """Let who waits aside come back in turn, before those who have not begun."""
        with self._guard:
            pause.is_over = True
            if pause.has_begun:
                self._away["aside"] -= 1
                self._returning.append(pause.turn)
                self._let_in()

    def figures(self) -> Figures:
        """Return how it stands."""
        with self._guard:
            waiting = len(self._returning) + len(self._waiting)
            return Figures(self._at_work, waiting, **self._away, refused=self._refused)

    def _refusal(self) -> Crowded:
        self._refused += 1
        self._crowd.note(is_served=False)
        return Crowded(self._crowd.latest_retry())

    def _in_all(self) -> int:
        in_line = len(self._returning) + len(self._waiting)
        return self._at_work + sum(self._away.values()) + in_line

    def _take_turn(self, line: deque[Turn]) -> Turn:
        """Get in line and let in whoever is first: perhaps the caller, with nobody before it."""
        turn = Turn()
        line.append(turn)
        self._let_in()
        return turn

    def _let_in(self) -> None:
        while self._at_work < self._places() and (line := self._returning or self._waiting):
            self._at_work += 1
            if line is self._waiting:
                self._crowd.note(is_served=True)
            line.popleft().come()

    def _places(self) -> int:
        if self._ahead is None:
            return self.limits.at_work
        # Read without the other's guard: when it is about to change, its `leave` looks again.
        return max(1, self.limits.at_work - self._ahead._at_work)


def gates_for(web_threads: int) -> dict[Lane, Gate]:
    """Return the gates of a process."""
    limits = limits_for(web_threads)
    payments = Gate(limits[Lane.PAYMENTS])
    return {
        Lane.PAYMENTS: payments,
        Lane.SHOP: Gate(limits[Lane.SHOP], gives_way_to=payments),
        Lane.FRONT: Gate(limits[Lane.FRONT]),
        Lane.LATE: Gate(limits[Lane.LATE]),
        Lane.HEALTH: Gate(limits[Lane.HEALTH]),
    }


_entered: ContextVar[Gate | None] = ContextVar("entered", default=None)


def enter(gate: Gate) -> None:
    """Begin a request's work in its lane. Raises Crowded."""
    gate.enter()
    _entered.set(gate)


def leave() -> None:
    """End the work of whatever was begun here; fine when nothing was."""
    gate = _entered.get()
    if gate is not None:
        _entered.set(None)
        gate.leave()


@contextmanager
def stepping_aside() -> Iterator[None]:
    """Wait for somebody outside without keeping anybody from work; without a lane only wait.

    No transaction may be open: its connection belongs to the place. Only so many may wait at once:
    raises TooManyOutside.
    """
    gate = _entered.get()
    if gate is None:
        yield
        return
    with gate.lend():
        yield


class Pause:
    """A request's wait for another of ours, who ends it; without a lane it only waits.

    Who ends it also sees to the place: the thread is woken once, when it may go on.
    """

    def __init__(self, gate: Gate | None = None) -> None:
        self.turn = Turn()
        self.has_begun = self.is_over = False
        self._gate = gate or _entered.get()

    def wait(self) -> None:
        """Wait until the pause is over, in the thread that made it.

        No transaction may be open: its connection belongs to the place.
        """
        if self._gate is None:
            self.turn.wait()
        else:
            self._gate.wait_aside(self)

    def end(self) -> None:
        """Let who waits, or will, go on; once, from any thread."""
        if self._gate is None:
            self.turn.come()
        else:
            self._gate.end(self)
