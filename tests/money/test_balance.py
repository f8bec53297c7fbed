"""The balance at Xendit: what Xendit paid out is read, posted, and taken back when it fails."""

from datetime import datetime, timedelta

import pytest

from app.integrations.xendit_transactions import parse_transactions
from app.models import (
    Account,
    AuditEntry,
    BalanceCorrection,
    CorrectionKind,
    LedgerPosting,
    LedgerState,
    Movement,
    Withdrawal,
)
from app.services.money import balance, ledger, withdrawals
from app.services.money.balance import Balance
from tests.money.books import balances, wrongs
from tests.money.refunded import paid_order
from tests.money.test_settling import FEE, VAT, read
from tests.money.world import PRICE, World

BALANCE, BANK = Account.BALANCE, Account.BANK
NET = PRICE - FEE - VAT
BY = "bendahara@tedxsenja.example"


@pytest.fixture
def settled(world: World) -> World:
    """Sell a seat, and let Xendit settle it: the balance has what is left of its price."""
    return _settle(world)


def _settle(world: World) -> World:
    paid_order(world, "BCA")
    world.advance(days=1, hours=1)
    read(world)
    return world


def _read(world: World) -> None:
    """Let six hours pass, read what Xendit paid out, and post it."""
    world.advance(hours=6)
    read(world)
    with world.app.app_context():
        balance.post_withdrawals(now=world.now(), zone=world.settings.event.timezone)


def _look(world: World) -> Balance:
    with world.app.app_context():
        return balance.look()


def test_what_xendit_pays_out_leaves_its_balance_for_the_bank(each_world: World) -> None:
    _settle(each_world)
    each_world.standin.withdraw(100_000, fee=2_500, vat=275)

    _read(each_world)

    assert balances(each_world) == {
        Account.SALES: -PRICE,
        Account.FEE: FEE + 2_500,
        Account.VAT: VAT + 275,
        BALANCE: NET - 102_775,
        BANK: 100_000,
    }
    assert wrongs(each_world.app) == []


def test_reading_it_again_posts_nothing(settled: World) -> None:
    settled.standin.withdraw(100_000)
    _read(settled)
    before = settled.count(LedgerPosting)

    _read(settled)

    assert settled.count(LedgerPosting) == before
    assert settled.count(Withdrawal) == 1


def test_what_is_on_hold_is_shown_and_posted_when_it_is_sent(settled: World) -> None:
    sent = settled.standin.withdraw(100_000, status="PENDING")
    _read(settled)
    looked = _look(settled)
    assert (looked.left, looked.on_hold, looked.paid_out) == (NET, 100_000, 0)

    settled.standin.change_withdrawal(sent["id"], "SUCCESS")
    _read(settled)

    looked = _look(settled)
    assert (looked.left, looked.on_hold, looked.paid_out) == (NET - 100_000, 0, 100_000)


@pytest.mark.parametrize("status", ["REVERSED", "FAILED"])
def test_what_comes_back_is_taken_back_in_the_ledger(settled: World, status: str) -> None:
    sent = settled.standin.withdraw(100_000, fee=2_500)
    settled.standin.withdraw(5_000, status="PENDING")  # so that the list is read from here
    _read(settled)
    settled.standin.change_withdrawal(sent["id"], status)
    _read(settled)

    left = balances(settled)
    assert (left[BALANCE], BANK in left) == (NET, False)
    assert wrongs(settled.app) == []


@pytest.mark.parametrize("status", ["REVERSED", "FAILED"])
def test_what_comes_back_after_the_list_has_passed_it_is_still_seen(
    each_world: World, status: str
) -> None:
    _settle(each_world)
    sent = each_world.standin.withdraw(100_000, fee=2_500)
    _read(each_world)
    each_world.advance(days=3)
    _read(each_world)
    each_world.standin.change_withdrawal(sent["id"], status)

    each_world.advance(days=17)
    _read(each_world)  # the list from sixteen days ago on, and the withdrawal by itself

    assert balances(each_world)[BALANCE] == NET
    assert BANK not in balances(each_world)
    assert wrongs(each_world.app) == []
    assert _asked_for(each_world, sent["id"]) == 1


def test_what_cannot_change_any_more_is_not_asked_for(settled: World) -> None:
    failed = settled.standin.withdraw(10_000, status="FAILED")
    long_ago = settled.standin.withdraw(20_000)
    pending = settled.standin.withdraw(30_000, status="PENDING")
    _read(settled)
    settled.advance(days=33)
    _read(settled)

    asked = [_asked_for(settled, each["id"]) for each in (failed, long_ago, pending)]

    assert asked == [0, 0, 1]


def test_few_are_asked_for_at_a_pass_and_each_has_its_turn(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawals, "READ_AT_ONCE", 2)
    sent = [settled.standin.withdraw(1_000 + number)["id"] for number in range(3)]
    _read(settled)
    settled.advance(days=3)
    _read(settled)  # from here on the list begins after them
    for _ in range(3):
        _read(settled)

    asked = [_asked_for(settled, each) for each in sent]
    assert (sum(asked), min(asked)) == (6, 1)


def test_what_xendit_does_not_tell_keeps_its_state_and_its_turn(settled: World) -> None:
    settled.standin.withdraw(100_000)
    _read(settled)
    settled.advance(days=3)
    _read(settled)  # from here on the list begins after it
    settled.change(Withdrawal, Withdrawal.amount == 100_000, xendit_id="txn_lost")
    _read(settled)

    [kept] = _look(settled).withdrawals
    assert (kept.status, balances(settled)[BANK]) == ("SUCCESS", 100_000)
    assert _asked_for(settled, "txn_lost") == 1


def _asked_for(world: World, transaction_id: str) -> int:
    return len(world.standin.requests("GET", f"/transactions/{transaction_id}"))


def test_the_balance_adds_up_line_by_line(settled: World) -> None:
    settled.standin.withdraw(100_000, kind="DISBURSEMENT", fee=5_000, vat=550)
    _read(settled)
    _correct(settled, CorrectionKind.CHARGED, 1_500)

    found = _look(settled)

    assert (found.settled, found.charged, found.paid_out) == (NET, 5_550, 100_000)
    assert found.corrected == -1_500
    parts = found.settled - found.sent_back - found.charged - found.paid_out + found.corrected
    assert found.left == parts == NET - 107_050


def _correct(world: World, kind: CorrectionKind, amount: int, at: datetime | None = None) -> None:
    with world.app.app_context():
        balance.correct(
            kind,
            amount,
            at or world.now(),
            "Biaya refund menurut dasbor",
            by=BY,
            now=world.now(),
            zone=world.settings.event.timezone,
        )


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (CorrectionKind.CHARGED, {Account.FEE: 900, BALANCE: -900}),
        (CorrectionKind.CHARGE_RETURNED, {Account.FEE: -900, BALANCE: 900}),
        (CorrectionKind.WITHDRAWN, {BANK: 900, BALANCE: -900}),
        (CorrectionKind.TOPPED_UP, {BANK: -900, BALANCE: 900}),
    ],
)
def test_an_entry_by_hand_is_posted_and_signed(
    world: World, kind: CorrectionKind, moved: dict[Account, int]
) -> None:
    _correct(world, kind, 900)

    assert balances(world) == moved
    [entered] = _look(world).corrections
    assert (entered.entered_by, entered.reason) == (BY, "Biaya refund menurut dasbor")
    assert world.count(AuditEntry) == 1


def test_an_entry_about_a_closed_day_is_a_correction_on_the_next(world: World) -> None:
    today = world.wait_for_noon()
    world.change(LedgerState, LedgerState.id == 1, closed_until=today)
    _correct(world, CorrectionKind.CHARGED, 900)

    with world.app.app_context():
        lines = ledger.list_corrections(today + timedelta(days=1))
    assert {(line.movement, line.order_code, line.corrects) for line in lines} == {
        (Movement.CORRECTED, "", today)
    }


def test_nothing_is_entered_when_its_record_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("app.services.running.audit.record", fail)
    with pytest.raises(RuntimeError):
        _correct(world, CorrectionKind.CHARGED, 900)

    assert world.count(BalanceCorrection) == 0
    assert balances(world) == {}


def test_only_rupiah_that_left_or_are_to_leave_are_read() -> None:
    good = {
        "id": "txn_1",
        "type": "WITHDRAWAL",
        "status": "SUCCESS",
        "currency": "IDR",
        "amount": 250_000,
        "created": "2026-11-23T03:41:30.101Z",
        "fee": {"xendit_fee": 0, "value_added_tax": 0, "status": "NOT_APPLICABLE"},
    }
    odd = [good | {"currency": "USD"}, good | {"type": "CONVERSION"}, good | {"amount": "many"}]

    page = parse_transactions({"data": [*odd, good], "has_more": False})

    assert page.transactions == []
    assert [(each.id, each.amount, each.fee) for each in page.withdrawals] == [
        ("txn_1", 250_000, 0)
    ]
