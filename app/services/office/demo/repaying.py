"""The refunds of a made-up sale: most have arrived, the latest still wait for somebody."""

from datetime import datetime, timedelta
from typing import Any

from app.models import (
    ActorKind,
    AuditEntry,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
)
from app.services.money import letters
from app.services.money.refunds import Money, way_back
from app.services.office.demo.courses import Fate
from app.services.office.demo.rows import REQUEST_ID
from app.services.office.demo.telling import Tale, Teller

TREASURER = "bendahara@demo.example"
ACCOUNT = {"bank_name": "BCA", "account_number": "1234567890"}
NO_ACCOUNT = {"bank_name": None, "account_number": None, "account_holder": None}


def add_refund(
    teller: Teller,
    tale: Tale,
    amount: int,
    reason: RefundReason,
    created_at: datetime,
    fate: Fate,
    *,
    paid: int | None = None,
    invoice_id: str | None = None,
) -> None:
    """Add a refund of `amount`; what was `paid` on its invoice tells which way it goes."""
    invoice_id = invoice_id or tale.invoice_id
    way = way_back(Money(invoice_id, paid or tale.total, tale.channel.name), amount)
    reference = f"{tale.code}-{reason.value}-{invoice_id[-8:]}"
    sent_at = created_at + timedelta(seconds=5)
    waits = _waiting(teller, tale, way) if fate.is_waiting else _finished(teller, way, sent_at)
    teller.rows.add(
        Refund,
        id=teller.numbers.id(Refund),
        order_id=tale.id,
        invoice_id=invoice_id,
        reason=reason,
        way=way,
        amount=amount,
        channel=tale.channel.name,
        reference_id=reference,
        created_at=created_at,
        sent_at=sent_at,
        **waits,
    )
    if way is RefundWay.BY_HAND:
        teller.mail(tale, letters.BANK_DETAILS, sent_at, about=reference)
    if (finished_at := waits["finished_at"]) is not None:
        teller.mail(tale, letters.REFUND_SENT, finished_at, about=reference)
        if way is RefundWay.BY_HAND:
            note(teller, tale, "refund.done_by_hand", finished_at, reference=reference)


def note(teller: Teller, tale: Tale, action: str, at: datetime, *, reference: str = "") -> None:
    """Add what the treasurer did to the audit log."""
    teller.rows.add(
        AuditEntry,
        happened_at=at,
        actor_kind=ActorKind.COMMAND,
        actor_name=TREASURER,
        action=action,
        subject_kind=action.partition(".")[0],
        subject_key=reference or tale.code,
        subject_name="",
        changes={},
        request_id=REQUEST_ID,
    )


def _finished(teller: Teller, way: RefundWay, sent_at: datetime) -> dict[str, Any]:
    by_hand = way is RefundWay.BY_HAND
    hours = teller.rng.uniform(2, 48) if by_hand else teller.rng.uniform(0.1, 2)
    finished_at = min(sent_at + timedelta(hours=hours), teller.stage.now)
    return NO_ACCOUNT | {
        "status": RefundStatus.DONE_BY_HAND if by_hand else RefundStatus.SUCCEEDED,
        "xendit_refund_id": None if by_hand else f"rfd-{teller.new_id()}",
        "failure_code": None,
        "note": f"Transfer {teller.rng.randrange(10**9, 10**10)}" if by_hand else None,
        "finished_by": TREASURER if by_hand else "xendit",
        "finished_at": finished_at,
    }


def _waiting(teller: Teller, tale: Tale, way: RefundWay) -> dict[str, Any]:
    """Refused by Xendit, under way there, or by hand, with the buyer's account known or not."""
    lot = teller.rng.random() < 0.5
    account: dict[str, Any] = NO_ACCOUNT
    status, failure, xendit_id = RefundStatus.DUE, None, None
    if way is RefundWay.BY_HAND and lot:
        account = ACCOUNT | {"account_holder": tale.person.full_name}
    elif way is RefundWay.XENDIT:
        status = RefundStatus.FAILED if lot else RefundStatus.SENT
        failure = "MERCHANT_PARTNER_FAILURE" if lot else None
        xendit_id = f"rfd-{teller.new_id()}"
    return account | {
        "status": status,
        "xendit_refund_id": xendit_id,
        "failure_code": failure,
        "note": None,
        "finished_by": None,
        "finished_at": None,
    }
