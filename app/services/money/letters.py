"""Letters about money: what a buyer is told by mail beside the confirmation."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.services.running import jobs

SEND_LETTER = "send_letter"

SEATS_GONE = "seats_gone"
BANK_DETAILS = "bank_details"
REFUND_SENT = "refund_sent"


def enqueue(session: Session, order_id: int, name: str, *, now: datetime, about: str = "") -> None:
    """Have a letter sent after the caller's commit; `about` is a refund's reference, say."""
    payload = {"order_id": order_id, "name": name, "about": about}
    jobs.enqueue(session, SEND_LETTER, payload, now=now, due_at=now)
