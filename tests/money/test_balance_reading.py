"""The balance as Xendit says it: read once a day, kept beside the ledger's, told when it stays."""

import pytest

from app.integrations.xendit import XenditUnknown
from app.integrations.xendit_transactions import parse_balance
from app.models import BalanceReading, CorrectionKind, Source
from app.services.money import balance, balance_reading, settling
from app.services.money.balance_reading import READ_BALANCE
from app.services.office import inbox, inbox_notes
from app.services.office.inbox import Entry
from app.services.running.audit import Actor
from tests.money.refunded import paid_order
from tests.money.test_settling import FEE, VAT, read
from tests.money.world import PRICE, World

NET = PRICE - FEE - VAT
BY = Actor.of("bendahara@tedxsenja.example")


@pytest.fixture
def settled(world: World) -> World:
    """Sell a seat and let Xendit settle it; the first reading of the balance agrees."""
    return _settle(world)


def _settle(world: World) -> World:
    paid_order(world, "BCA")
    world.advance(hours=1)
    _compare(world)
    return world


def _pass(world: World) -> None:
    """Make a pass over Xendit's list, and post all that it found."""
    read(world)
    with world.app.app_context():
        balance.post_withdrawals(now=world.now(), zone=world.settings.event.timezone)


def _compare(world: World) -> BalanceReading:
    """Let a day go by, make a pass and read the balance after it; return the reading."""
    world.advance(days=1)
    _pass(world)
    assert world.work(READ_BALANCE) == 1
    return _readings(world)[0]


def _readings(world: World) -> list[BalanceReading]:
    with world.app.app_context():
        return list(balance_reading.list_last())


def _waiting(world: World) -> list[Entry]:
    with world.app.app_context():
        waiting = inbox.list_waiting(now=world.now()).entries
        return [entry for entry in waiting if entry.source is Source.BALANCE]


def _differ(world: World, by: int) -> None:
    world.standin.set_fault("balance_differs", by=by)


def test_the_balance_agrees_after_sales_refunds_and_withdrawals(each_world: World) -> None:
    _settle(each_world)
    each_world.standin.withdraw(100_000, fee=2_500, vat=275)

    found = _compare(each_world)

    assert (found.amount, found.ledger, found.under_way) == (NET - 102_775, NET - 102_775, 0)
    assert (found.difference, found.differs, found.began_with) == (0, False, None)
    assert _waiting(each_world) == []


def test_it_is_read_once_a_day_however_often_the_list_is(settled: World) -> None:
    for _ in range(3):
        settled.advance(hours=6)
        _pass(settled)
    assert settled.work(READ_BALANCE) == 0

    settled.advance(hours=6)
    _pass(settled)

    assert settled.work(READ_BALANCE) == 1
    asked = settled.standin.requests("GET", "/balance")
    assert [each["query"] for each in asked] == ["account_type=CASH&currency=IDR"] * 2


def test_it_is_not_read_before_the_ledger_has_posted_the_pass(world: World) -> None:
    paid_order(world, "BCA")
    world.advance(days=1, hours=1)
    with world.app.app_context():
        settling.schedule(now=world.now())
    world.work(settling.READ_TRANSACTIONS)

    assert world.work(READ_BALANCE) == 1, "tried, and put off"
    assert _readings(world) == []

    world.advance(minutes=2)
    _pass(world)
    world.work(READ_BALANCE)
    assert [each.difference for each in _readings(world)] == [0]


def test_a_difference_waits_for_a_person_only_at_its_second_reading(each_world: World) -> None:
    _settle(each_world)
    _differ(each_world, -2_500)

    first = _compare(each_world)
    assert (first.difference, first.differs, first.began_with) == (-2_500, True, None)
    assert _waiting(each_world) == []

    assert _compare(each_world).began_with == first.id
    [entry] = _waiting(each_world)
    assert (entry.kind, entry.key, entry.amount) == ("differs", str(first.id), -2_500)
    assert entry.opened_at == first.read_at


def test_it_leaves_the_list_by_itself_when_what_was_missing_is_entered(settled: World) -> None:
    _differ(settled, -2_500)
    _compare(settled)
    _compare(settled)
    zone = settled.settings.event.timezone
    with settled.app.app_context():
        charged = (CorrectionKind.CHARGED, 2_500, settled.now(), "Biaya refund menurut dasbor")
        balance.correct(*charged, by=BY, now=settled.now(), zone=zone)

    assert _compare(settled).difference == 0

    assert _waiting(settled) == []


def test_differences_of_two_directions_are_not_one_that_stays(settled: World) -> None:
    for by in (-2_500, 900):
        _differ(settled, by)
        assert _compare(settled).began_with is None

    assert _waiting(settled) == []


def test_what_is_on_its_way_explains_a_difference_and_no_more(settled: World) -> None:
    settled.standin.withdraw(50_000, fee=2_500, status="PENDING")

    found = _compare(settled)
    assert (found.difference, found.under_way, found.differs) == (-52_500, 52_500, False)

    _differ(settled, -1)
    assert _compare(settled).differs

    _differ(settled, 52_501)
    assert _compare(settled).differs, "nor can it be more than the ledger has"


def test_what_a_person_explained_is_told_again_when_its_amount_changes(settled: World) -> None:
    _differ(settled, -2_500)
    _compare(settled)
    _compare(settled)
    [entry] = _waiting(settled)
    with settled.app.app_context():
        inbox_notes.close(entry, "Rekening lama", shown=entry.version, by=BY, now=settled.now())

    _compare(settled)
    assert _waiting(settled) == [], "the same amount was explained"

    _differ(settled, -9_000)
    assert _compare(settled).began_with is None
    assert _waiting(settled) == []
    _compare(settled)
    assert [entry.amount for entry in _waiting(settled)] == [-9_000]


def test_a_key_without_the_right_is_noted_and_ends_no_row_of_differences(settled: World) -> None:
    _differ(settled, -2_500)
    first = _compare(settled)
    settled.standin.set_fault("balance_forbidden", times=1)

    refused = _compare(settled)
    assert (refused.amount, refused.difference) == (None, 0)
    assert refused.problem is not None
    assert "REQUEST_FORBIDDEN_ERROR" in refused.problem

    assert _compare(settled).began_with == first.id
    assert len(_waiting(settled)) == 1


def test_when_xendit_is_away_it_is_tried_again(settled: World) -> None:
    settled.standin.set_fault("server_error", call="balance", times=1)
    settled.advance(days=1)
    _pass(settled)
    settled.work(READ_BALANCE)
    assert len(_readings(settled)) == 1

    settled.advance(minutes=10)
    settled.work(READ_BALANCE)

    assert len(_readings(settled)) == 2


def test_of_two_jobs_for_one_day_the_second_asks_nobody(settled: World) -> None:
    settled.advance(days=1)
    _pass(settled)
    with settled.app.app_context():
        assert balance_reading.schedule(now=settled.now()), "the first has not read it yet"

    assert settled.work(READ_BALANCE) == 2

    assert len(settled.standin.requests("GET", "/balance")) == 2, "one of the day before"


@pytest.mark.parametrize("body", [{}, {"balance": None}, {"balance": "many"}, {"balance": True}])
def test_an_answer_that_says_no_amount_is_not_taken_for_one(body: dict[str, object]) -> None:
    with pytest.raises(XenditUnknown):
        parse_balance(body)


def test_a_part_of_a_rupiah_is_rounded() -> None:
    assert [parse_balance({"balance": each}) for each in (0, 123_000.12, 7.5)] == [0, 123_000, 8]
