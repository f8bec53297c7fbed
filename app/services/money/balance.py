"""The balance at Xendit by itself: what left it for a bank, and what a person entered of it.

Neither belongs to an order. Withdrawals follow Xendit's list by difference, as orders follow their
facts (`postings`); an entry by hand is posted once, with the name of who signs it and why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Account, BalanceCorrection, CorrectionKind, Movement, Withdrawal
from app.services.money import ledger, posting_writing, postings
from app.services.money.ledger_facts import Fact, Figure, Place
from app.services.money.ledger_loading import load_posted_apart
from app.services.money.posting_writing import Difference, subtract
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case

SENT, PENDING = "SUCCESS", "PENDING"
POSTED_AT_ONCE = 200
SHOWN = 50
REASON_LENGTH = 500
LARGEST_AMOUNT = 10**12

# What goes up, and what goes down, in rupiah of the entry.
SIDES: dict[CorrectionKind, tuple[Account, Account]] = {
    CorrectionKind.CHARGED: (Account.FEE, Account.BALANCE),
    CorrectionKind.CHARGE_RETURNED: (Account.BALANCE, Account.FEE),
    CorrectionKind.WITHDRAWN: (Account.BANK, Account.BALANCE),
    CorrectionKind.TOPPED_UP: (Account.BALANCE, Account.BANK),
}


@dataclass(frozen=True)
class Balance:
    """How the balance stands by the ledger, and what moved it last; amounts in rupiah.

    `settled`, `sent_back`, `charged` and `paid_out` add up, with `corrected`, to `left`; `on_hold`
    is what Xendit is still sending, and part of `left`. `withdrawals` and `corrections` are the
    latest, newest first.
    """

    settled: int
    sent_back: int
    charged: int
    paid_out: int
    corrected: int
    left: int
    on_hold: int
    withdrawals: list[Withdrawal]
    corrections: list[BalanceCorrection]


def list_facts(withdrawal: Withdrawal) -> Iterator[Fact]:
    """Yield what a withdrawal moves: nothing unless Xendit sent it and did not take it back."""
    if withdrawal.status != SENT:
        return
    sent: dict[Place, Figure] = {
        (Account.BANK, 0): Figure(withdrawal.amount, 1),
        (Account.BALANCE, 0): Figure(-withdrawal.amount, 1),
    }
    yield Fact(Movement.PAID_OUT, withdrawal.xendit_id, withdrawal.created_at, sent)
    charges = {
        Account.FEE: withdrawal.fee,
        Account.VAT: withdrawal.vat,
        Account.WITHHOLDING: withdrawal.withholding,
    }
    taken = sum(charges.values())
    if taken:
        charged = {(account, 0): Figure(rupiah, 1) for account, rupiah in charges.items() if rupiah}
        charged[Account.BALANCE, 0] = Figure(-taken, 1)
        yield Fact(Movement.CHARGED, withdrawal.xendit_id, withdrawal.created_at, charged)


@use_case
def post_withdrawals(*, now: datetime, zone: tzinfo) -> int:
    """Post what is missing of withdrawals that were read; return how many it looked at."""
    unposted = sa.select(Withdrawal).where(Withdrawal.is_posted.is_(False))
    with reading() as session:
        if session.scalar(unposted.with_only_columns(Withdrawal.id).limit(1)) is None:
            return 0
    with transaction() as session:
        state = postings.lock_state(session)
        # Locked, as the list may be read again meanwhile; what somebody is writing comes later.
        unlocked = unposted.order_by(Withdrawal.id).limit(POSTED_AT_ONCE)
        found = session.scalars(unlocked.with_for_update(skip_locked=True)).all()
        missing = list(_differences(session, found))
        posting_writing.write(session, missing, state.closed_until, now, zone)
        for withdrawal in found:
            withdrawal.is_posted = True
        return len(found)


def _differences(session: Session, found: Sequence[Withdrawal]) -> Iterator[Difference]:
    """Yield what the withdrawals say and the ledger does not; and what it says too much."""
    posted = load_posted_apart(session, [each.xendit_id for each in found])
    for each in found:
        wanted = {fact.movement: fact.entries for fact in list_facts(each)}
        for movement in (Movement.PAID_OUT, Movement.CHARGED):
            known = posted.get((None, movement, each.xendit_id))
            rest = subtract(wanted.get(movement, {}), known.entries if known else {})
            if rest:
                fact = Fact(movement, each.xendit_id, each.created_at, rest)
                yield Difference(None, fact, "", each.created_at)


@use_case
def correct(
    kind: CorrectionKind,
    amount: int,
    happened_at: datetime,
    reason: str,
    *,
    by: By,
    now: datetime,
    zone: tzinfo,
) -> None:
    """Enter a movement of the balance that Xendit's list does not tell; `amount` in rupiah.

    Posted on its day; on the next open one when that is closed. Kept in the audit log.
    """
    up, down = SIDES[kind]
    with transaction() as session:
        state = postings.lock_state(session)
        entered = BalanceCorrection(
            kind=kind,
            amount=amount,
            happened_at=happened_at,
            reason=reason[:REASON_LENGTH],
            entered_by=audit.Actor.of(by).name,
            entered_at=now,
        )
        session.add(entered)
        session.flush()
        entries = {(up, 0): Figure(amount, 1), (down, 0): Figure(-amount, 1)}
        fact = Fact(Movement.CORRECTED, str(entered.id), happened_at, entries)
        missing = [Difference(None, fact, "", happened_at)]
        posting_writing.write(session, missing, state.closed_until, now, zone)
        audit.record(
            session,
            actor=by,
            action="balance.corrected",
            subject=Subject("balance", str(entered.id)),
            after={"kind": kind, "total": amount, "day": happened_at.astimezone(zone).date()},
            reason=reason,
            now=now,
        )


def look() -> Balance:
    """Return how the balance stands now, and its latest movements that no order has."""
    sums = ledger.sum_account(Account.BALANCE)
    newest_out = sa.select(Withdrawal).order_by(Withdrawal.created_at.desc()).limit(SHOWN)
    newest = sa.select(BalanceCorrection).order_by(BalanceCorrection.id.desc()).limit(SHOWN)
    waits = sa.select(sa.func.sum(Withdrawal.amount)).where(Withdrawal.status == PENDING)
    with reading() as session:
        on_hold = session.scalar(waits)
        withdrawals = list(session.scalars(newest_out))
        corrections = list(session.scalars(newest))
        session.expunge_all()
    return Balance(
        settled=sums.get(Movement.SETTLED, 0),
        sent_back=-sums.get(Movement.REFUNDED, 0),
        charged=-sums.get(Movement.CHARGED, 0),
        paid_out=-sums.get(Movement.PAID_OUT, 0),
        corrected=sums.get(Movement.CORRECTED, 0),
        left=sum(sums.values()),
        on_hold=int(on_hold or 0),
        withdrawals=withdrawals,
        corrections=corrections,
    )
