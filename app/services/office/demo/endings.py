"""How made-up orders end: what each course leaves behind, as the real use cases would."""

from datetime import datetime, timedelta

from app.models import (
    CaseKind,
    CaseResolution,
    CaseStatus,
    Job,
    MoneyCase,
    OrderStatus,
    PaymentStatus,
    RefundReason,
)
from app.services.money import cases, letters
from app.services.office.demo.courses import Course, Fate
from app.services.office.demo.entering import add_seats
from app.services.office.demo.repaying import TREASURER, add_refund, note
from app.services.office.demo.rows import REQUEST_ID
from app.services.office.demo.sale import Moment
from app.services.office.demo.settling import add_settlement
from app.services.office.demo.telling import Tale, Teller
from app.services.running import jobs
from app.services.selling.delivery import CONFIRMATION
from app.services.selling.order_writing import EXPIRE_ORDER, OPEN_INVOICE

NO_SUCH_BOX = "550 5.1.1 no such mailbox"
REFUSED_OF, FIRST_REFUSED = 5000, 10  # confirmations to an address that does not exist
SOON = timedelta(seconds=2)


def tell(teller: Teller, moment: Moment, fate: Fate) -> None:
    """Add all the rows of one order."""
    tale = teller.begin(moment, fate)
    if fate.course in (Course.OPEN, Course.EXPIRED, Course.GIVEN_UP) or tale.paid_at is None:
        _unpaid(teller, tale, fate.course)
    elif fate.course is Course.TOO_LATE:
        _too_late(teller, tale, tale.paid_at, fate)
    elif fate.course is Course.TOO_LITTLE:
        _too_little(teller, tale, tale.paid_at, fate)
    else:
        _paid(teller, tale, tale.paid_at, fate)


def _unpaid(teller: Teller, tale: Tale, course: Course) -> None:
    now = teller.stage.now
    if course is Course.OPEN:
        teller.order(tale, OrderStatus.PENDING)
        teller.payment(tale, PaymentStatus.PENDING)
        _job(teller, OPEN_INVOICE, {"order_id": tale.id}, due_at=now)
        _job(teller, EXPIRE_ORDER, {"order_id": tale.id}, due_at=tale.expires_at)
        return
    if course is Course.GIVEN_UP:
        ended_at = tale.created_at + teller.stage.hold * teller.rng.random()
        teller.order(tale, OrderStatus.CANCELLED, cancelled_at=ended_at)
    else:
        ended_at = tale.expires_at
        teller.order(tale, OrderStatus.EXPIRED)
        teller.mail(tale, letters.EXPIRED, ended_at + SOON)
    teller.payment(tale, PaymentStatus.EXPIRED)
    teller.callback(tale, "EXPIRED", ended_at, 0)


def _paid(teller: Teller, tale: Tale, paid_at: datetime, fate: Fate) -> None:
    is_called_off = fate.course is Course.CALLED_OFF
    extra = 50_000 if fate.course is Course.TOO_MUCH else 0
    ended_at = paid_at + (teller.stage.now - paid_at) * teller.rng.uniform(0.1, 0.9)
    status = OrderStatus.CANCELLED if is_called_off else OrderStatus.PAID
    teller.order(tale, status, was_paid=True)
    teller.payment(tale, PaymentStatus.PAID, paid=tale.total + extra)
    add_seats(teller, tale, paid_at, revoked_at=ended_at if is_called_off else None)
    if tale.total:
        teller.callback(tale, "PAID", paid_at + SOON, tale.total + extra)
        add_settlement(teller, tale, paid_at, tale.total + extra)
    is_refused = next(teller.confirmations) % REFUSED_OF == FIRST_REFUSED
    refused = NO_SUCH_BOX if is_refused else ""
    teller.mail(tale, CONFIRMATION, paid_at + 2 * SOON, refused=refused)
    if is_called_off:
        note(teller, tale, "order.cancelled", ended_at)
        add_refund(teller, tale, tale.total, RefundReason.CANCELLED, ended_at, fate)
    elif fate.course is Course.TOO_MUCH:
        _case(teller, tale, CaseKind.OVERPAID, extra, paid_at, fate)
        if not fate.is_waiting:
            add_refund(teller, tale, extra, RefundReason.OVERPAID, ended_at, fate)
    elif fate.course is Course.TWICE:
        second = teller.new_id()
        add_settlement(teller, tale, paid_at, tale.total, second)
        settled = Fate(fate.course)  # the case is, though its refund may wait
        _case(teller, tale, CaseKind.DOUBLE_PAYMENT, tale.total, paid_at, settled, second)
        add_refund(
            teller, tale, tale.total, RefundReason.DOUBLE_PAYMENT, paid_at, fate, invoice_id=second
        )


def _too_late(teller: Teller, tale: Tale, paid_at: datetime, fate: Fate) -> None:
    teller.order(tale, OrderStatus.EXPIRED)
    teller.payment(tale, PaymentStatus.PAID)
    teller.callback(tale, "EXPIRED", tale.expires_at, 0)
    teller.callback(tale, "PAID", paid_at + SOON, tale.total)
    add_settlement(teller, tale, paid_at, tale.total)
    teller.mail(tale, letters.SEATS_GONE, paid_at + 2 * SOON)
    case_id = _case(teller, tale, CaseKind.SEATS_GONE, tale.total, paid_at, fate)
    if fate.is_waiting:
        due_at = _deadline(teller, paid_at)
        _job(teller, cases.CLOSE_CASE, {"case_id": case_id}, due_at=due_at)
        return
    decided_at = paid_at + timedelta(hours=teller.rng.uniform(0.2, 1))
    add_refund(teller, tale, tale.total, RefundReason.SEATS_GONE, decided_at, fate)


def _too_little(teller: Teller, tale: Tale, paid_at: datetime, fate: Fate) -> None:
    came = tale.total - 10_000
    teller.callback(tale, "PAID", paid_at + SOON, came)
    add_settlement(teller, tale, paid_at, came)
    _case(teller, tale, CaseKind.UNDERPAID, came, paid_at, fate)
    if fate.is_waiting:
        teller.order(tale, OrderStatus.PENDING)
        teller.payment(tale, PaymentStatus.PENDING, paid=came)
        return
    ended_at = paid_at + timedelta(hours=teller.rng.uniform(0.2, 2))
    teller.order(tale, OrderStatus.CANCELLED, cancelled_at=ended_at)
    teller.payment(tale, PaymentStatus.EXPIRED)
    add_refund(teller, tale, came, RefundReason.UNDERPAID, ended_at, fate, paid=came)


def _case(
    teller: Teller,
    tale: Tale,
    kind: CaseKind,
    amount: int,
    opened_at: datetime,
    fate: Fate,
    invoice_id: str | None = None,
) -> int:
    """Add a case: open where it waits, else decided by the treasurer."""
    case_id, is_open = teller.numbers.id(MoneyCase), fate.is_waiting
    is_late = kind is CaseKind.SEATS_GONE
    teller.rows.add(
        MoneyCase,
        id=case_id,
        order_id=tale.id,
        kind=kind,
        invoice_id=invoice_id or tale.invoice_id,
        status=CaseStatus.OPEN if is_open else CaseStatus.RESOLVED,
        resolution=None if is_open else CaseResolution.REFUNDED,
        amount=amount,
        opened_at=opened_at,
        deadline_at=_deadline(teller, opened_at) if is_open and is_late else None,
        resolved_at=None if is_open else opened_at + timedelta(hours=1),
        resolved_by=None if is_open else TREASURER,
    )
    return case_id


def _deadline(teller: Teller, opened_at: datetime) -> datetime:
    """Return when the buyer must have chosen; not so soon that nobody could see the case open."""
    return max(opened_at + cases.TIME_TO_CHOOSE, teller.stage.now + timedelta(hours=6))


def _job(teller: Teller, kind: str, payload: dict[str, object], *, due_at: datetime) -> None:
    now = teller.stage.now
    row = jobs.row(kind, payload, now=now, due_at=due_at, request_id=REQUEST_ID)
    teller.rows.add(Job, **row)
