"""The command `reconcile`: its days, its table, its sums, its exit code."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from app import reconcile_command
from app.models import Order, Reconciliation, ReconciliationLine, Verdict
from app.reconcile_command import PatientMeter, render
from tests.money.accounts import make_invoice, paid_order
from tests.money.world import PRICE, World

WIB = ZoneInfo("Asia/Jakarta")
Reconcile = Callable[..., Result]


@pytest.fixture
def reconcile(world: World, monkeypatch: pytest.MonkeyPatch) -> Reconcile:
    """Run the command by the world's clock, where no midnight is near."""
    world.wait_for_noon()
    monkeypatch.setattr(reconcile_command, "utcnow", world.now)

    def invoke(*arguments: str) -> Result:
        return world.app.test_cli_runner().invoke(args=["reconcile", *arguments])

    return invoke


def today(world: World) -> str:
    return str(world.now().astimezone(WIB).date())


def amount(printed: str, name: str) -> int:
    """Return an amount of the sums, in rupiah."""
    found = re.search(rf"^{name}: (−?)Rp\s([\d.]+)$", printed, re.MULTILINE)
    assert found, printed
    return int(found[2].replace(".", "")) * (-1 if found[1] else 1)


# --- what is printed -----------------------------------------------------------------------------


def test_it_exits_with_0_when_all_match_or_were_healed(world: World, reconcile: Reconcile) -> None:
    ticket = world.add_ticket()
    matching, lost = paid_order(world, ticket), world.order(ticket)
    world.standin.pay(world.invoice_id(lost))
    make_invoice(world, "shop-1")

    result = reconcile("--from", today(world))

    assert result.exit_code == 0, result.output
    assert "3 invoices looked at" in result.stderr
    assert matching.code not in result.stdout, "only what is not a match"
    [row] = [line for line in result.stdout.splitlines() if lost.code in line]
    assert row.split()[:2] == ["healed", lost.code]
    assert "invoices at Xendit: 3, of other systems: 1" in result.stdout
    assert "lines: 2 (1 match, 1 healed)" in result.stdout
    assert amount(result.stdout, "paid there") == amount(result.stdout, "paid here") == 2 * PRICE
    assert amount(result.stdout, "difference") == 0


def test_it_exits_with_1_when_something_differs(world: World, reconcile: Reconcile) -> None:
    world.standin.pay(make_invoice(world, "TX23456789"))

    result = reconcile("--from", today(world), "--to", today(world))

    assert result.exit_code == 1
    assert "not_here" in result.stdout
    assert amount(result.stdout, "difference") == PRICE


def test_all_shows_what_matches_as_well(world: World, reconcile: Reconcile) -> None:
    placed = paid_order(world, world.add_ticket())

    result = reconcile("--from", today(world), "--all")

    assert result.exit_code == 0
    assert placed.code in result.stdout


def test_xendit_being_away_is_said_in_a_sentence(world: World, reconcile: Reconcile) -> None:
    world.standin.set_fault("html_502", call="list")

    result = reconcile()

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert "nothing was kept" in result.output
    assert world.count(Reconciliation) == 0


@pytest.mark.parametrize(
    "arguments", [("--from", "2026-11-23", "--to", "2026-11-22"), ("--from", "23.11.2026")]
)
def test_days_that_make_no_sense_are_refused(
    world: World, reconcile: Reconcile, arguments: tuple[str, ...]
) -> None:
    assert reconcile(*arguments).exit_code == 2
    assert world.standin.requests() == []


def test_it_waits_for_the_budget_instead_of_giving_up(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reconcile_command, "utcnow", world.now)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        world.advance_ours(seconds=seconds)

    with world.app.app_context():
        meter = PatientMeter(sleep)
        for _ in range(16):
            meter.before("list")

    assert len(slept) == 1
    assert 55 < slept[0] <= 60
    assert "s to wait" in capsys.readouterr().err


# --- the sums ------------------------------------------------------------------------------------

AMOUNTS = st.integers(min_value=0, max_value=50_000_000)
STATES = st.sampled_from(["", "PENDING", "PAID", "EXPIRED"])
LINES = st.builds(
    ReconciliationLine,
    verdict=st.sampled_from(Verdict),
    external_id=st.from_regex(r"TX[2-9A-Z]{8}", fullmatch=True),
    invoice_id=st.text("0123456789abcdef", max_size=24),
    order_status=STATES,
    payment_status=STATES,
    xendit_status=STATES,
    paid_here=AMOUNTS,
    paid_there=AMOUNTS,
)


@settings(deadline=None, max_examples=50)
@given(lines=st.lists(LINES, max_size=12), foreign=st.integers(0, 5))
def test_the_printed_sums_are_those_of_the_printed_lines(
    lines: list[ReconciliationLine], foreign: int
) -> None:
    listed = sum(bool(line.xendit_status) for line in lines)
    printed = render(Reconciliation(lines=lines, invoices=listed + foreign), show_all=True)

    table, _, sums = printed.rpartition("\n\n")
    cells = [re.split(r" {2,}", row) for row in table.splitlines()[1:]]
    there = [int(re.sub(r"\D", "", row[-2])) for row in cells]
    here = [int(re.sub(r"\D", "", row[-1])) for row in cells]
    assert len(cells) == len(lines)
    assert amount(sums, "paid there") == sum(there)
    assert amount(sums, "paid here") == sum(here)
    assert amount(sums, "difference") == sum(there) - sum(here)
    assert f"invoices at Xendit: {listed + foreign}, of other systems: {foreign}" in sums
    counted = re.findall(r"(\d+) [a-z_]+", sums.partition("lines: ")[2].partition("\n")[0])
    assert sum(map(int, counted)) == len(cells)


@settings(deadline=None, max_examples=50)
@given(lines=st.lists(LINES, max_size=12))
def test_what_is_left_out_of_the_table_is_still_in_the_sums(
    lines: list[ReconciliationLine],
) -> None:
    run = Reconciliation(lines=lines, invoices=len(lines))
    short, whole = (render(run, show_all=show_all) for show_all in (False, True))

    assert short.splitlines()[-5:] == whole.splitlines()[-5:]
    assert "match" not in {row.split("  ")[0] for row in short.splitlines()}


# --- the edges of a day --------------------------------------------------------------------------


def advance_to_last_minutes(world: World) -> date:
    """Move both clocks to the last ten minutes of tomorrow in WIB, and return that day."""
    tomorrow = world.now().astimezone(WIB).date() + timedelta(days=1)
    last_minutes = datetime.combine(tomorrow, time(23, 50), WIB)
    world.advance(seconds=(last_minutes - world.now()).total_seconds())
    return tomorrow


def references(result: Result) -> set[str]:
    return set(re.findall(r"TX[0-9A-Z]{8}", result.stdout))


def test_a_day_is_the_events_and_its_last_second_belongs_to_it(
    world: World, reconcile: Reconcile
) -> None:
    ticket = world.add_ticket()
    first = advance_to_last_minutes(world)
    before = world.order(ticket)
    straddling = world.place(ticket)  # placed on one day, its invoice made on the next
    world.advance(minutes=11)
    assert world.try_open_invoice(straddling)
    after = world.order(ticket)
    second = first + timedelta(days=1)

    one = reconcile("--from", str(first), "--all")
    other = reconcile("--from", str(second), "--to", str(second), "--all")
    both = reconcile("--from", str(first), "--to", str(second), "--all")
    yesterday = reconcile("--all")

    assert references(one) == references(yesterday) == {before.code}
    assert references(other) == {straddling.code, after.code}
    assert references(both) == {before.code, straddling.code, after.code}
    assert {one.exit_code, other.exit_code, both.exit_code} == {0}


def test_an_invoice_xendit_lost_is_missed_on_the_day_of_its_order_only(
    world: World, reconcile: Reconcile
) -> None:
    first = advance_to_last_minutes(world)
    placed = world.order(world.add_ticket())
    moment = world.now()
    world.standin.reset()
    world.advance(days=1)
    world.change(Order, Order.id == placed.order_id, created_at=moment)

    assert references(reconcile("--from", str(first))) == {placed.code}
    assert references(reconcile("--from", str(first + timedelta(days=1)))) == set()
