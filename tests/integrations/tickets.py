"""E-tickets to draw in tests."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.integrations.pdf import Seat, TicketDocument

# As long as a signed code is: base32 of 76 bytes.
SIGNED = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 4)[:122]
SEAT = Seat("Sari Dewi", "Early Bird", "7K2M-9QPA", SIGNED, 1, "B")
DOCUMENT = TicketDocument(
    order_code="TX7K2M9QPA",
    locale="id",
    event_name="TEDxSenayan 2027: Arus Balik",
    starts_at=datetime(2027, 1, 23, 2, 0, tzinfo=UTC),
    timezone=ZoneInfo("Asia/Jakarta"),
    venue="Teater Besar, Jalan Panjang 1, Jakarta",
    contact_email="halo@example.com",
    seats=(SEAT,),
)
FOUR = replace(
    DOCUMENT,
    seats=tuple(
        Seat(name, "Reguler", f"7K2M-9QP{number}", f"{SIGNED[:-1]}{number}", number)
        for number, name in enumerate(("Sari Dewi", "Budi", "Łukasz Żółć", "Nguyễn Ánh"), start=2)
    ),
)


def named(name: str) -> TicketDocument:
    """Return an e-ticket for a guest of this name."""
    return replace(DOCUMENT, seats=(replace(SEAT, attendee=name),))
