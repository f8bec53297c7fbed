"""Whatever visitors, seats and clocks do: nobody overtakes, and never too many choose at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import Phase
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.extensions import db
from app.models import FairDoorPlace
from app.services.waiting import places, switching
from app.services.waiting.line import EXPECTED
from app.services.waiting.look import Place
from app.services.waiting.pace import MARGIN, MARGIN_SHARE
from app.services.waiting.places import Turn, Wanted
from app.services.waiting.refusals import TurnUsed
from tests.app_factory import running_app
from tests.pages.shop import shop_settings
from tests.waiting.hall import Hall, door_settings

AMOUNT = 12


@pytest.fixture(scope="module", autouse=True)
def one_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One shop for all histories; each has a line of its own."""
    folder = tmp_path_factory.mktemp("hall")
    settings = replace(shop_settings(folder), fair_door=door_settings())
    with running_app(settings) as app:
        Line.hall = Hall(app, settings)
        Line.ticket = Line.hall.add_ticket(amount=AMOUNT)
        yield


class Line(RuleBasedStateMachine):
    """A line through which time passes; the model knows who came, entered and ordered."""

    hall: ClassVar[Hall]
    ticket: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Place] = []
        self.turns: dict[int, Turn] = {}
        self.used: dict[int, str] = {}
        self.called: dict[int, datetime] = {}
        self.held = self.admitted = 0

    @initialize()
    def begin(self) -> None:
        self.hold(0)
        with self.hall.working():
            switching.begin_new_line(None, self.hall.now, self.hall.door, by="tests")
        self.hall.later(minutes=20)
        self.hall.move_on()

    @rule(count=st.integers(1, 15))
    def come(self, count: int) -> None:
        self.waiting += self.hall.take_places(count)

    @rule(seconds=st.sampled_from([-30, 1, 5, 60, 301, 601]))
    def let_time_pass(self, seconds: int) -> None:
        self.hall.later(seconds=seconds)

    @rule()
    def move_on(self) -> None:
        before = self.admitted
        choosing = self.expected()
        self.hall.move_on()
        self.admitted = self.hall.admitted()
        self.called |= dict.fromkeys(range(before, self.admitted), self.hall.now)
        assert self.admitted >= before
        if self.admitted > before:
            left = AMOUNT - self.held
            now_choosing = choosing + self.admitted - before
            assert now_choosing <= left + left // MARGIN_SHARE + MARGIN

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def enter(self, data: st.DataObject) -> None:
        self.move_on()  # as whoever looks at the line does
        number = data.draw(st.integers(0, len(self.waiting) - 1))
        turn = self.hall.enter(self.waiting[number])
        earlier = self.turns.get(number)
        if turn is not None:
            assert number < self.admitted
            assert earlier in (None, turn)
            self.turns[number] = turn

    @precondition(lambda self: self.turns and self.held < AMOUNT)
    @rule(data=st.data(), form=st.sampled_from(["one", "another"]))
    def order(self, data: st.DataObject, form: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.turns)))
        wanted = Wanted(f"{form}-{number}", f"mail-{number}", f"phone-{number}", 1)
        try:
            with self.hall.working():
                places.claim(self.turns[number], wanted, self.hall.now, self.hall.door)
        except TurnUsed:
            assert number in self.used or self.turns[number].until <= self.hall.now
            return
        assert self.used.get(number, form) == form  # one turn, one form
        if number not in self.used:
            self.used[number] = form
            self.hold(1)

    @precondition(lambda self: self.held)
    @rule()
    def give_a_seat_back(self) -> None:
        self.hold(-1)

    @invariant()
    def nobody_was_let_in_before_being_called(self) -> None:
        mine = sa.select(FairDoorPlace.number).where(
            FairDoorPlace.id.in_([place.id for place in self.waiting]),
            FairDoorPlace.entered_at.is_not(None),
        )
        with self.hall.app.app_context():
            numbers = list(db.session.scalars(mine))
        assert all(number is not None and number < self.admitted for number in numbers)
        assert len(set(numbers)) == len(numbers)

    def hold(self, seats: int) -> None:
        self.held += seats
        self.hall.change(self.ticket, held=self.held)

    def expected(self) -> int:
        """Return how many are at the checkout, or were called just now and may come."""
        inside = [n for n, turn in self.turns.items() if turn.until > self.hall.now]
        missed = self.hall.now - EXPECTED
        coming = [n for n, at in self.called.items() if at > missed and n not in self.turns]
        return len(set(inside) - set(self.used)) + len(coming)


TestAnyHistory = Line.TestCase
TestAnyHistory.settings = how(
    max_examples=60, stateful_step_count=15, deadline=None, phases=[Phase.generate]
)
