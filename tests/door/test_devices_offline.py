"""Phones without network and with wrong clocks: every fact is kept, and the books agree.

Whatever they decide, and in whatever order they report it, the conflicts are the same. Each phone
decides by the same rules as the server, from what it saw itself. Hypothesis makes up the evenings.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.extensions import db
from app.models import CheckIn, Direction, ETicket, ScanResult
from app.services.door.conflicts import Conflict, list_conflicts
from app.services.door.rules import GateRules, SeatFacts, judge
from tests.app_factory import make_settings, running_app
from tests.door.world import START, Caller, DoorWorld, Guest, door_world
from tests.harness.database import fresh_sqlite

SEATS = 4
PHONES = 3
LANES = ("ABCD", "EFGH", "IJKL")
NEW = SeatFacts(0, "", False, False, None, None, None, False)


@dataclass(frozen=True)
class Act:
    """At this minute a phone scans a seat, one way or the other, with or without network."""

    minute: int
    phone: int
    seat: int
    direction: str
    is_online: bool


@dataclass
class Phone:
    """A phone that knows only what it saw itself."""

    caller: Caller
    lanes: str | None
    queue: list[dict[str, Any]] = field(default_factory=list)
    known: dict[int, SeatFacts] = field(default_factory=dict)

    def decide(self, guest: Guest, direction: str, rules: GateRules) -> None:
        """Decide alone and keep the scan for later."""
        now = self.caller.world.now
        blank = replace(NEW, lane="ABCDEFGHIJKL"[guest.seat_id % 12])
        facts = self.known.get(guest.seat_id, blank)
        way = Direction(direction)
        reason = judge(facts, rules, now, direction=way, lanes=self.lanes)
        verdict = {"result": "refused", "reason": reason.value} if reason else {}
        self.queue.append(self.caller.fact(guest.qr_text, direction=direction, **verdict))
        if reason is None:
            entered = facts.admitted_at or (now if way is Direction.IN else None)
            self.known[guest.seat_id] = replace(
                facts, admitted_at=entered, is_inside=way is Direction.IN
            )


ACTS = st.builds(
    Act,
    minute=st.integers(0, 20),
    phone=st.integers(0, PHONES - 1),
    seat=st.integers(0, SEATS - 1),
    direction=st.sampled_from(["in", "in", "in", "out"]),
    is_online=st.sampled_from([False, False, True]),
)
EVENINGS = st.lists(ACTS, min_size=1, max_size=12).map(
    lambda acts: sorted(acts, key=lambda act: act.minute)
)
CLOCKS = st.tuples(*[st.integers(-90_000, 90_000)] * PHONES)
ORDERS = list(itertools.permutations(range(PHONES)))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoorWorld]:
    """One door for all evenings, each of which begins without scans."""
    url = fresh_sqlite(tmp_path_factory.mktemp("offline"))
    with running_app(make_settings(url)) as app, door_world(app) as world:
        yield world


@pytest.fixture(scope="module")
def guests(door: DoorWorld) -> list[Guest]:
    return door.guests(SEATS)


@pytest.fixture(scope="module")
def callers(door: DoorWorld) -> list[Caller]:
    return [door.phone(f"Phone {n}", lanes=lanes) for n, lanes in enumerate(LANES)]


def forget(world: DoorWorld) -> None:
    with world.app.app_context():
        db.session.execute(sa.delete(CheckIn))
        unused = {"admitted_at": None, "admitted_gate": None, "is_inside": False}
        db.session.execute(sa.update(ETicket).values(**unused))
        db.session.commit()
    world.now = START


def told(conflicts: list[Conflict]) -> list[tuple[Any, ...]]:
    """Return conflicts without the scan ids, which differ from evening to evening."""
    return [
        (c.code, [(e.happened_at, e.gate, e.by, e.is_double) for e in c.entries]) for c in conflicts
    ]


def play(
    world: DoorWorld,
    guests: list[Guest],
    phones: list[Phone],
    evening: list[Act],
    order: tuple[int, ...],
    rules: GateRules,
) -> list[tuple[Any, ...]]:
    """Play an evening, let the phones report in this order, and return the conflicts."""
    let_in = 0
    for number, act in enumerate(evening):
        world.now = START + timedelta(minutes=act.minute, seconds=number)
        phone, guest = phones[act.phone], guests[act.seat]
        if act.is_online:
            result = phone.caller.scan(guest.qr_text, direction=act.direction)["result"]
            let_in += result == "admitted"
        else:
            phone.decide(guest, act.direction, rules)
    queued = [fact for phone in phones for fact in phone.queue]
    for turn in order:
        world.pass_time(minutes=30)
        if phones[turn].queue:
            results = phones[turn].caller.tell(phones[turn].queue)
            assert [r["result"] for r in results] == [f["result"] for f in phones[turn].queue]
        assert world.violations() == []
    scans = world.scans()
    assert {each["scanId"] for each in queued} <= {scan.scan_id for scan in scans}
    let_in += sum(fact["result"] == "admitted" for fact in queued)
    assert sum(scan.result.value == "admitted" for scan in scans) == let_in
    with world.app.app_context():
        story = told(list_conflicts())
    assert {code for code, _ in story} == crowded(scans, guests, rules)
    return story


def crowded(scans: list[CheckIn], guests: list[Guest], rules: GateRules) -> set[str]:
    """Return the codes on which somebody entered while the seat was taken."""
    taken, codes = set(), set()
    for scan in sorted(scans, key=lambda each: each.happened_at):
        if scan.result is ScanResult.REFUSED:
            continue
        code = next(guest.code for guest in guests if guest.e_ticket_id == scan.e_ticket_id)
        if scan.direction is Direction.IN and code in taken:
            codes.add(code)
        if scan.direction is Direction.IN:
            taken.add(code)
        elif rules.has_reentry:
            taken.discard(code)
    return codes


def phones_with(callers: list[Caller], clocks: tuple[int, ...], has_lanes: bool) -> list[Phone]:
    phones = []
    for caller, seconds, lanes in zip(callers, clocks, LANES, strict=True):
        caller.clock = timedelta(seconds=seconds)
        phones.append(Phone(caller, lanes if has_lanes else None))
    return phones


HURRIED = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # shortening an evening takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@HURRIED
@given(evening=EVENINGS, clocks=CLOCKS, has_reentry=st.booleans())
def test_the_order_of_reports_changes_nothing(
    door: DoorWorld,
    guests: list[Guest],
    callers: list[Caller],
    evening: list[Act],
    clocks: tuple[int, ...],
    has_reentry: bool,
) -> None:
    door.gate("A", has_reentry=has_reentry, has_exit=True)
    rules = GateRules(has_reentry=has_reentry)
    stories = []
    for order in ORDERS:
        forget(door)
        phones = phones_with(callers, clocks, has_lanes=False)
        stories.append(play(door, guests, phones, evening, order, rules))

    assert all(story == stories[0] for story in stories)


def test_three_phones_that_let_one_guest_in_are_a_conflict_of_three(
    door: DoorWorld, guests: list[Guest], callers: list[Caller]
) -> None:
    evening = [Act(n, n, 0, "in", is_online=False) for n in range(PHONES)]
    stories = []
    for order in ORDERS:
        forget(door)
        phones = phones_with(callers, (3600, 0, -7200), has_lanes=False)
        stories.append(play(door, guests, phones, evening, order, GateRules()))

    [(code, entries)] = stories[0]
    assert code == guests[0].code
    assert [is_double for *_, is_double in entries] == [False, True, True]
    assert [by for *_, by, _ in entries] == ["Phone 0", "Phone 1", "Phone 2"]
    assert all(story == stories[0] for story in stories)


@pytest.fixture
def lane_mode(door: DoorWorld) -> Iterator[None]:
    door.lane_mode()
    yield
    door.lane_mode(is_on=False)


@HURRIED
@given(evening=EVENINGS, clocks=CLOCKS)
@pytest.mark.usefixtures("lane_mode")
def test_in_lane_mode_nobody_enters_twice_with_no_network_at_all(
    door: DoorWorld,
    guests: list[Guest],
    callers: list[Caller],
    evening: list[Act],
    clocks: tuple[int, ...],
) -> None:
    forget(door)
    alone = [replace(act, is_online=False, direction="in") for act in evening]
    phones = phones_with(callers, clocks, has_lanes=True)

    assert play(door, guests, phones, alone, (2, 0, 1), GateRules()) == []
