"""A receipt or credit note as PDF, drawn from what it said when it was made."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.formatting import event_date, rupiah
from app.integrations.pdf import TicketRenderer
from app.integrations.typesetting import direction, printable

TEMPLATE = "receipt"
WORDS = tuple(
    "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas".split()  # noqa: SIM905
)
SCALES = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"), (10**3, "ribu"), (100, "ratus"))


@dataclass(frozen=True)
class VoucherLine:
    """The code an order was made with, and the rupiah it took off in all; 0: it only opened."""

    code: str
    discount: int


@dataclass(frozen=True)
class Line:
    """Some tickets of one type at one price (rupiah), without a voucher."""

    type: str
    quantity: int
    price: int


@dataclass(frozen=True)
class ReceiptDocument:
    """What a receipt says; a credit note has `credited`, the number of the receipt it takes back.

    `amount` is the rupiah received, or given back. Times are aware; `locale` is "id" or "en".
    """

    number: str
    locale: str
    credited: str | None
    amount: int
    issued_at: datetime
    paid_at: datetime
    channel: str | None
    order_code: str
    buyer: str
    lines: tuple[Line, ...]
    total: int
    event_name: str
    contact_email: str
    organizer: str
    address: str | None
    tax_id: str | None
    timezone: ZoneInfo
    accent: str
    voucher: VoucherLine | None = None


def draw_receipt(document: ReceiptDocument, renderer: TicketRenderer) -> bytes:
    """Return the PDF, tagged, on A4. Needs an application context; raises TicketRenderingFailed."""
    return renderer.draw(TEMPLATE, document.locale, lambda: _context(document))


def _context(document: ReceiptDocument) -> dict[str, object]:
    buyer = printable(document.buyer)
    zone = document.timezone
    return vars(document) | {
        "is_credit_note": document.credited is not None,
        "event_name": printable(document.event_name),
        "organizer": printable(document.organizer),
        "address": document.address and printable(document.address),
        "buyer": buyer,
        "buyer_direction": direction(buyer),
        "lines": [
            {"type": printable(line.type), "quantity": line.quantity}
            | {"price": rupiah(line.price), "sum": rupiah(line.price * line.quantity)}
            for line in document.lines
        ],
        "amount": rupiah(document.amount),
        "total": rupiah(document.total),
        "discount": rupiah(document.voucher.discount) if document.voucher else None,
        "differs": document.amount != document.total,
        "in_words": f"{spell(document.amount)} rupiah" if document.locale == "id" else None,
        "issued_on": event_date(document.issued_at, zone),
        "paid_on": event_date(document.paid_at, zone),
    }


def spell(number: int) -> str:
    """Return a number in Indonesian words, as a *kuitansi* has it.

    21500 is `dua puluh satu ribu lima ratus`. For numbers from 0 to below 10 to the 15th.
    """
    if number < len(WORDS):
        return WORDS[number]
    if number < 20:
        return f"{WORDS[number - 10]} belas"
    if number < 100:
        return _joined(f"{WORDS[number // 10]} puluh", number % 10)
    scale, name = next(pair for pair in SCALES if pair[0] <= number)
    count, rest = divmod(number, scale)
    # One hundred and one thousand are single words.
    head = f"se{name}" if count == 1 and scale <= 1000 else f"{spell(count)} {name}"
    return _joined(head, rest)


def _joined(head: str, rest: int) -> str:
    return f"{head} {spell(rest)}" if rest else head
