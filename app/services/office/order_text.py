"""What somebody knows of an order, and how it is found by that.

A key (an order's code, an invoice, a code on an e-ticket) is looked up in the index it has. A name,
an address or the end of a phone number is looked for in the users, whose rows are so narrow that a
hundred thousand are read in some twenty milliseconds. Words that more than RARE of them share are
met soon enough on the way from the newest order back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Callback, ETicket, Order, PastInvoice, Payment, Refund, User
from app.models.codes import read_short_code

MOST = 1000  # hits are counted up to here; beyond, "more than" is all anybody needs
FEW, RARE = 100, 5 * MOST
ORDER_CODE = re.compile(r"TX[0-9A-Z]{2,14}")
REFUND_ID = "rfd-"
INVOICE_ID = re.compile(r"[0-9a-f]{24}")
FEWEST_DIGITS, WHOLE_NUMBER = 4, 9

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class _Sought:
    """What a text may be found in: conditions on buyers (any of them), and on attendees."""

    buyers: tuple[Condition, ...]
    attendees: Condition | None = None


# --- by key -------------------------------------------------------------------------------------


def find_named(session: Session, text: str) -> Sequence[int]:
    """Return the orders that a code or an id names; each way is one indexed look-up."""
    ways = list(_ways_to_name(text))
    if not ways:
        return ()
    return session.scalars(sa.union(*ways).limit(MOST + 1)).all()


def _ways_to_name(text: str) -> list[sa.Select[int]]:
    squeezed = "".join(text.split())
    ways: list[sa.Select[int]] = []
    # Refunds and later invoices are called by the order's code and more, behind a dash.
    if code := ORDER_CODE.fullmatch(squeezed.upper().split("-")[0]):
        ways.append(sa.select(Order.id).where(Order.code.startswith(code.group())))
    if short := read_short_code(text):
        ways.append(sa.select(ETicket.order_id).where(ETicket.code == short))
    if squeezed.startswith(REFUND_ID):
        ways.append(sa.select(Refund.order_id).where(Refund.xendit_refund_id == squeezed))
    if INVOICE_ID.fullmatch(squeezed.lower()):
        ways += _ways_of_invoice(squeezed.lower())
    return ways


def _ways_of_invoice(invoice_id: str) -> list[sa.Select[int]]:
    """Return where an invoice may be known from: one of now, one of before, one Xendit told of."""
    order_id = Payment.order_id
    past = sa.select(order_id).join(PastInvoice, PastInvoice.payment_id == Payment.id)
    told = sa.select(order_id).join(Callback, Callback.payment_id == Payment.id)
    return [
        sa.select(order_id).where(Payment.invoice_id == invoice_id),
        past.where(PastInvoice.invoice_id == invoice_id),
        told.where(Callback.invoice_id == invoice_id),
    ]


# --- by name, address, phone --------------------------------------------------------------------


def narrow(session: Session, query: sa.Select[int], text: str) -> tuple[sa.Select[int], bool]:
    """Let a query for orders find only those whose buyer or attendees fit a text.

    Attendees are looked through where few buyers fit: tells whether that was so. What more buyers
    share than anybody reads through wants another word, not more hits.
    """
    sought = _read_text(text)
    users = sa.union(*map(_first_users, sought.buyers)).subquery()
    mine = sa.select(Order.id).join(users, users.c.id == Order.user_id)
    found = set(session.scalars(mine))
    if len(found) > RARE:
        return query.join(User, User.id == Order.user_id).where(sa.or_(*sought.buyers)), False
    if sought.attendees is not None and len(found) > FEW:
        return query.where(Order.id.in_(found)), False
    if sought.attendees is not None:
        seats = sa.select(ETicket.order_id).where(
            sought.attendees
        )  # in any order: by an index alone
        found.update(session.scalars(seats.limit(RARE + 1)))
    return query.where(Order.id.in_(found)), True


def list_fitting_attendees(
    session: Session, text: str, order_ids: Sequence[int]
) -> dict[int, list[str]]:
    """Return the attendees of these orders whose names fit a text, by order."""
    fits, found = _read_text(text).attendees, dict[int, list[str]]()
    if fits is None:
        return found
    seats = sa.select(ETicket.order_id, ETicket.attendee).where(ETicket.order_id.in_(order_ids))
    for order_id, attendee in session.execute(seats.where(fits).order_by(ETicket.id)):
        found.setdefault(order_id, []).append(attendee)
    return found


def _read_text(text: str) -> _Sought:
    """Tell what a text is: the end of a phone number, an address, or words of a name."""
    digits = re.sub(r"[\s().+-]", "", text)
    if digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS:
        # A whole number begins with 0 here and with +62 where it is kept.
        end = digits.removeprefix("0") if len(digits) >= WHOLE_NUMBER else digits
        return _Sought((User.no_hp.endswith(end),))
    words = text.split()
    begins = User.email.startswith(text, autoescape=True)
    if "@" in text:
        return _Sought(
            (User.email.contains(text, autoescape=True),) if text[0] == "@" else (begins,)
        )
    names = _holds(User.full_name, words)
    return _Sought(
        (names, begins) if len(words) == 1 else (names,), _holds(ETicket.attendee, words)
    )


def _first_users(condition: Condition) -> sa.Select[int]:
    first = sa.select(User.id).where(condition).order_by(User.id.desc()).limit(RARE + 1)
    return sa.select(first.subquery().c.id)


def _holds(name: sa.orm.InstrumentedAttribute[str], words: Sequence[str]) -> Condition:
    return sa.and_(*(name.contains(word, autoescape=True) for word in words))
