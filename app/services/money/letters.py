"""Letters about money: what a buyer is told by mail beside the confirmation."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.services.running import jobs

SEND_LETTER = "send_letter"

REMINDER = "payment_reminder"
EXPIRED = "order_expired"
SEATS_GONE = "seats_gone"
BANK_DETAILS = "bank_details"
REFUND_SENT = "refund_sent"


def enqueue(
    session: Session,
    order_id: int,
    name: str,
    *,
    now: datetime,
    about: str = "",
    due_at: datetime | None = None,
) -> None:
    """Have a letter sent after the caller's commit, at `due_at` if not at once.

    `about` is a refund's reference, say. Whether there is anything to say is decided when it goes.
    """
    payload = {"order_id": order_id, "name": name, "about": about}
    jobs.enqueue(session, SEND_LETTER, payload, now=now, due_at=due_at or now)
