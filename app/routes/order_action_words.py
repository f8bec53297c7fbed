"""What pages say about acting on an order: the moves, what was done, what has changed."""

from flask import url_for
from flask_babel import lazy_gettext as _l

from app.errors import Words
from app.models import CaseKind, Order, OrderStatus
from app.services.office.order_actions import Move, MoveKind
from app.services.office.order_print import Part

MOVES: dict[MoveKind, Words] = {
    MoveKind.RESEND: _l("Send the e-tickets again"),
    MoveKind.CORRECT_BUYER: _l("Correct the buyer"),
    MoveKind.CORRECT_NAMES: _l("Correct names on seats"),
    MoveKind.CHANGE_SEATS: _l("Change seats to another type"),
    MoveKind.CANCEL: _l("Cancel the order"),
    MoveKind.REFUND: _l("Send money back"),
    MoveKind.DECIDE_CASE: _l("Decide about money"),
    MoveKind.REFUND_DONE: _l("Note a transfer"),
    MoveKind.RETRY_REFUND: _l("Try a refund again"),
}
HINTS: dict[MoveKind, Words] = {
    MoveKind.RESEND: _l("To the buyer's address, as they are now."),
    MoveKind.CORRECT_BUYER: _l("Name, e-mail, phone. A new address gets the e-tickets."),
    MoveKind.CORRECT_NAMES: _l("The codes stay the same."),
    MoveKind.CHANGE_SEATS: _l("Old codes become worthless, new e-tickets are mailed."),
    MoveKind.CANCEL: _l("Seats become free again, what was paid goes back."),
    MoveKind.REFUND: _l("A part or all; the seats stay."),
    MoveKind.DECIDE_CASE: _l("Take it as it is, or send it back."),
    MoveKind.REFUND_DONE: _l("When you have sent the money from the bank."),
    MoveKind.RETRY_REFUND: _l("Through Xendit, once more."),
}
DONE: dict[str, Words] = {
    "resent": _l("The e-tickets are on their way."),
    "corrected": _l("The buyer was corrected."),
    "corrected_mailed": _l("The buyer was corrected. The e-tickets are on their way."),
    "names": _l("The names were corrected."),
    "seats": _l("The seats were changed. The new e-tickets are on their way."),
    "cancelled": _l("The order was cancelled."),
    "cancelling": _l(
        "The order is being cancelled: its invoice is closed at Xendit first. "
        "Look again in a minute: money that comes in between wins."
    ),
    "refunded": _l("The refund was noted. It goes out by itself, or the buyer is asked where to."),
    "decided": _l("The case was decided."),
    "transferred": _l("The transfer was noted. The buyer is told."),
    "retried": _l("The refund is on its way to Xendit."),
    "given": _l("The free order was made. The e-tickets are on their way."),
}
PARTS: dict[Part, Words] = {
    Part.STATE: _l("the order's state"),
    Part.PAYMENT: _l("the payment"),
    Part.BUYER: _l("the buyer's details"),
    Part.SEATS: _l("the seats or their codes"),
    Part.NAMES: _l("the names on the seats"),
    Part.DOOR: _l("who has entered"),
    Part.REFUNDS: _l("the refunds"),
    Part.CASES: _l("the cases about money"),
    Part.MAILS: _l("what is mailed again"),
}
STATES: dict[OrderStatus, Words] = {
    OrderStatus.PENDING: _l("Waiting for payment"),
    OrderStatus.PAID: _l("Paid"),
    OrderStatus.CANCELLED: _l("Cancelled"),
    OrderStatus.EXPIRED: _l("Expired"),
}
CASES: dict[CaseKind, Words] = {
    CaseKind.SEATS_GONE: _l("The money came when the seats were gone."),
    CaseKind.UNDERPAID: _l("Less was paid than was asked."),
    CaseKind.OVERPAID: _l("More was paid than was asked."),
    CaseKind.DOUBLE_PAYMENT: _l("The order was paid twice."),
}
_PAGES = {
    MoveKind.RESEND: "ask_resend",
    MoveKind.CORRECT_BUYER: "ask_buyer",
    MoveKind.CORRECT_NAMES: "ask_names",
    MoveKind.CHANGE_SEATS: "ask_seats",
    MoveKind.CANCEL: "ask_cancel",
    MoveKind.REFUND: "ask_refund",
}


def address_of(order: Order, move: Move) -> str:
    """Return the page on which a move is made."""
    if move.kind is MoveKind.DECIDE_CASE:
        return url_for("staff_order_money.ask_case", code=order.code, case_id=int(move.about))
    if move.kind is MoveKind.REFUND_DONE:
        return url_for("staff_order_money.ask_done", code=order.code, reference=move.about)
    if move.kind is MoveKind.RETRY_REFUND:
        return url_for("staff_order_money.ask_retry", code=order.code, reference=move.about)
    room = "money" if move.kind in (MoveKind.CANCEL, MoveKind.REFUND) else "actions"
    return url_for(f"staff_order_{room}.{_PAGES[move.kind]}", code=order.code)
