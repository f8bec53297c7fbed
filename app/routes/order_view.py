"""What the order page says: its state in one word, and how much time is left."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l

from app.errors import Words
from app.models import Order, OrderStatus, PaymentStatus
from app.services.money.order_money import OrderMoney

WARN_BEFORE = timedelta(minutes=5)
# Who comes back from Xendit to an ended order may have paid late: its invoice is read again, which
# takes seconds. The page says so this long.
LOOK_FOR_LATE_MONEY = timedelta(minutes=3)


class View(enum.Enum):
    """What the page says; the part of it that the buyer can act on."""

    PREPARING = "preparing"
    PAYABLE = "payable"
    CHECKING = "checking"
    CLOSING = "closing"
    CANCELLING = "cancelling"
    LATE = "late"  # ended, and its buyer came back from paying all the same
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REFUNDING = "refunding"  # paid, then cancelled by staff
    UNDERPAID = "underpaid"
    SEATS_GONE = "seats_gone"
    IN_LINE = "in_line"
    MONEY_BACK = "money_back"  # seats gone, and the decision was the money

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self not in _MOVING

    @property
    def is_payable(self) -> bool:
        """Tell whether the buyer may still pay, and so needs to know for how long."""
        return self in (View.PAYABLE, View.CHECKING)

    @property
    def can_be_tried_again(self) -> bool:
        """Tell whether the page offers to fill in the checkout once more."""
        return self in (View.EXPIRED, View.CANCELLED, View.FAILED)

    @property
    def is_cancellable(self) -> bool:
        """Tell whether the page offers to cancel."""
        return self in (View.PREPARING, View.PAYABLE, View.CHECKING, View.CLOSING)


_MOVING = (
    View.PREPARING,
    View.PAYABLE,
    View.CHECKING,
    View.CLOSING,
    View.CANCELLING,
    View.LATE,
    View.IN_LINE,
)

LABELS: dict[View, Words] = {
    View.PREPARING: _l("Preparing the payment"),
    View.PAYABLE: _l("Waiting for payment"),
    View.CHECKING: _l("Checking"),
    View.CLOSING: _l("Checking"),
    View.CANCELLING: _l("Being cancelled"),
    View.LATE: _l("Checking"),
    View.PAID: _l("Paid"),
    View.EXPIRED: _l("Expired"),
    View.CANCELLED: _l("Cancelled"),
    View.FAILED: _l("Could not be prepared"),
    View.REFUNDING: _l("Cancelled"),
    View.UNDERPAID: _l("Too little arrived"),
    View.SEATS_GONE: _l("Payment received, seats gone"),
    View.IN_LINE: _l("In line"),
    View.MONEY_BACK: _l("Seats gone"),
}


@dataclass(frozen=True)
class TimeLeft:
    """Time to pay; `minutes` are begun ones, so that the last of them is 1."""

    seconds: int
    is_short: bool

    @property
    def minutes(self) -> int:
        return max(1, -(-self.seconds // 60))


def view_of(
    order: Order, money: OrderMoney, now: datetime, *, back_for: timedelta | None = None
) -> View:
    """Return what the page says of an order. Money without seats goes before all else.

    `back_for` is how long ago the buyer came back from Xendit, None when not from there.
    """
    if order.status is OrderStatus.PAID:
        return View.PAID
    if order.payment.status is PaymentStatus.PAID:
        return View.REFUNDING if order.paid_at else _unseated_view(money)
    if money.underpaid:
        return View.UNDERPAID
    if order.status is OrderStatus.PENDING:
        return _pending_view(order, now, came_back=back_for is not None)
    return _ended_view(order, back_for)


def label_of(view: View, order: Order) -> Words:
    """Return the state in a word or two, for its badge and the page's title."""
    return _l("Confirmed") if view is View.PAID and not order.total else LABELS[view]


def time_left(order: Order, now: datetime) -> TimeLeft | None:
    """Return how long the buyer has to pay from `now`; None when the time is over."""
    left = order.pay_until - now
    if left <= timedelta():
        return None
    return TimeLeft(-(-left // timedelta(seconds=1)), left < WARN_BEFORE)


def _unseated_view(money: OrderMoney) -> View:
    if money.choice is None:
        return View.MONEY_BACK if money.refunds else View.SEATS_GONE
    return View.IN_LINE if money.is_waiting else View.SEATS_GONE


def _ended_view(order: Order, back_for: timedelta | None) -> View:
    if order.payment.status is PaymentStatus.FAILED:
        return View.FAILED
    if back_for is not None and back_for < LOOK_FOR_LATE_MONEY and order.payment.invoice_id:
        return View.LATE
    return View.EXPIRED if order.status is OrderStatus.EXPIRED else View.CANCELLED


def _pending_view(order: Order, now: datetime, *, came_back: bool) -> View:
    if order.cancel_requested_at:
        return View.CANCELLING
    if came_back:
        return View.CHECKING
    if now >= order.pay_until:
        return View.CLOSING
    return View.PAYABLE if order.payment.invoice_url else View.PREPARING
