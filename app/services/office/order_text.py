"""What somebody knows of an order, and how it is found by that.

A key (an order's code, an invoice, a code on an e-ticket) is looked up in the index it has. Names,
the end of a phone number and a domain are looked for in the buyers, who keep their attendees'
names: a hundred thousand such narrow rows are read in some twenty milliseconds. Words that more
than RARE of them share are met soon enough on the way from the newest order back.
"""

import re
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Callback, ETicket, Order, PastInvoice, Payment, Refund, User
from app.models.codes import read_short_code

MOST = 1000  # hits are counted up to here; beyond, "more than" is all anybody needs
RARE = 5 * MOST
ORDER_CODE = re.compile(r"TX[0-9A-Z]{2,14}")
REFUND_ID = "rfd-"
INVOICE_ID = re.compile(r"[0-9a-f]{24}")
FEWEST_DIGITS, WHOLE_NUMBER = 4, 9

Condition = sa.ColumnElement[bool]


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


def find_fitting(session: Session, text: str) -> Sequence[int] | None:
    """Return the orders that a name, an address or a phone number fits; None: more than RARE."""
    users = sa.union(*map(_some_users, _read_text(text))).subquery()
    mine = sa.select(Order.id).join(users, users.c.id == Order.user_id)
    found = session.scalars(mine).all()
    return None if len(found) > RARE else found


def narrow(query: sa.Select[int], text: str) -> sa.Select[int]:
    """Let a query for orders, on its way from the newest back, leave out what a text fits not."""
    return query.join(User, User.id == Order.user_id).where(sa.or_(*_read_text(text)))


def choose_fitting(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of an order's names in which a word of the text is; none if it is no name."""
    words = [_fold(word) for word in _name_words(text)]
    return tuple(name for name in names if any(word in _fold(name) for word in words))


def _read_text(text: str) -> list[Condition]:
    """Return what a buyer must fit, any of it: the end of a number, an address, parts of names."""
    if digits := _read_digits(text):
        # A whole number begins with 0 here and with +62 where it is kept.
        end = digits.removeprefix("0") if len(digits) >= WHOLE_NUMBER else digits
        return [User.no_hp.endswith(end)]
    if text[0] == "@":
        return [User.email.contains(text, autoescape=True)]
    begins, words = User.email.startswith(text, autoescape=True), _name_words(text)
    if not words:
        return [begins]
    # Where the version before wrote the order, only the buyer's name is known.
    names = sa.func.coalesce(User.names, User.full_name)
    holds = sa.and_(*(names.contains(word, autoescape=True) for word in words))
    return [holds, begins] if len(words) == 1 else [holds]


def _read_digits(text: str) -> str | None:
    digits = re.sub(r"[\s().+-]", "", text)
    is_number = digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS
    return digits if is_number else None


def _name_words(text: str) -> list[str]:
    return [] if "@" in text or _read_digits(text) else text.split()


def _some_users(condition: Condition) -> sa.Select[int]:
    some = sa.select(User.id).where(condition).limit(RARE + 1)
    return sa.select(some.subquery().c.id)


def _fold(text: str) -> str:
    """Return a text as names are compared: without case and accents."""
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(sign)
    )
