"""The seats of made-up orders, and who has come in this morning."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.integrations.signing import SeatCode, sign_code
from app.models import CheckIn, Direction, ETicket, ScanReason, ScanResult
from app.services.office.demo.telling import Tale, Teller

DOORS_OPENED = timedelta(hours=3)  # before `now`
BUSIEST = 70  # minutes after that
COMES, LEAVES, SCANNED_AGAIN = 0.6, 0.03, 0.02
GATES = ("A", "B")


def add_seats(
    teller: Teller, tale: Tale, made_at: datetime, *, revoked_at: datetime | None = None
) -> None:
    """Add an e-ticket for each guest, and the scans of those who came."""
    signer = teller.stage.signer
    for number, guest in enumerate(tale.guests, start=1):
        seat_id, code = teller.numbers.seat_id(), teller.numbers.eticket_code()
        e_ticket_id = teller.numbers.id(ETicket)
        gate = GATES[seat_id % len(GATES)]
        entered_at = _entered_at(teller, made_at) if revoked_at is None else None
        scanned = {"e_ticket_id": e_ticket_id, "code": code, "gate": gate}
        has_left = entered_at is not None and _scan(teller, scanned, entered_at)
        signed = SeatCode(signer.key_id, seat_id, tale.ticket_id, None, None)
        teller.rows.add(
            ETicket,
            id=e_ticket_id,
            order_id=tale.id,
            ticket_id=tale.ticket_id,
            number=number,
            attendee=guest,
            code=code,
            qr_text=sign_code(signed, signer.private_key),
            created_at=made_at,
            seat_id=seat_id,
            admitted_at=entered_at,
            admitted_gate=gate if entered_at else None,
            is_inside=entered_at is not None and not has_left,
            revoked_at=revoked_at,
        )


def _entered_at(teller: Teller, made_at: datetime) -> datetime | None:
    opened, rng = teller.stage.now - DOORS_OPENED, teller.rng
    if made_at >= opened or rng.random() >= COMES:
        return None
    latest = DOORS_OPENED / timedelta(minutes=1) - 1
    return opened + timedelta(minutes=rng.triangular(0, latest, BUSIEST))


def _scan(teller: Teller, scanned: dict[str, Any], entered_at: datetime) -> bool:
    """Add the scans of a guest who came, and tell whether they have left again."""
    rng, now = teller.rng, teller.stage.now
    _add(teller, scanned, entered_at)
    later = entered_at + (now - entered_at) * rng.random()
    if rng.random() < LEAVES:
        _add(teller, scanned, later, direction=Direction.OUT)
        return True
    if rng.random() < SCANNED_AGAIN:
        _add(teller, scanned, later, first_at=entered_at)
    return False


def _add(
    teller: Teller,
    scanned: dict[str, Any],
    at: datetime,
    *,
    direction: Direction = Direction.IN,
    first_at: datetime | None = None,
) -> None:
    """Add a scan; it is refused where the guest is known to be inside since `first_at`."""
    teller.rows.add(
        CheckIn,
        scan_id=str(UUID(int=teller.rng.getrandbits(128), version=4)),
        direction=direction,
        result=ScanResult.REFUSED if first_at else ScanResult.ADMITTED,
        reason=ScanReason.ALREADY_ADMITTED if first_at else None,
        admitted_at=first_at,
        admitted_gate=scanned["gate"] if first_at else None,
        scanned_at=at,
        happened_at=at,
        created_at=at,
        **scanned,
    )
