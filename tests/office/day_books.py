"""Steps shared by tests of closed days: sales of some days, comparisons, closes."""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from app.extensions import db
from app.models import (
    DayClose,
    Reconciliation,
    ReconciliationLine,
    Transaction,
    Verdict,
)
from app.services.money.daily_reconciliation import midnight
from app.services.office import day_close, day_look
from app.services.office.day_look import DayLook
from tests.office.money_history import History

ONE_DAY = timedelta(days=1)

BY = "dewi@tedxsenja.example"


@dataclass
class Books(History):
    """Sales of one ticket, and the close of their days."""

    ticket: int = 0

    def day(self, ago: int) -> date:
        return self.now.astimezone(self.zone).date() - ago * ONE_DAY

    def compare(self, first: date, last: date, *odd: tuple[Verdict, str]) -> None:
        """Leave a run of the reconciliation over these days, with lines that differ."""
        with self.shop.working():
            db.session.add(
                Reconciliation(
                    from_at=midnight(first, self.zone),
                    until_at=midnight(last + ONE_DAY, self.zone),
                    ran_at=midnight(last + ONE_DAY, self.zone) + timedelta(hours=4),
                    invoices=2,
                    differences=sum(verdict is not Verdict.MATCH for verdict, _ in odd),
                    lines=[_line(verdict, reference) for verdict, reference in odd],
                )
            )

    def change_the_fee(self) -> int:
        """Have Xendit tell another fee for the oldest sale, whose order's id is returned."""
        with self.shop.working():
            oldest = db.session.scalars(sa.select(Transaction).order_by(Transaction.id)).first()
            assert oldest
            oldest.fee += 500
            return oldest.order_id

    def look(self, day: date) -> DayLook:
        with self.app.app_context():
            return day_look.look_at(day, now=self.now, zone=self.zone)

    def close(self, day: date, explanation: str = "", *, seen: str | None = None) -> None:
        wanted = seen or self.look(day).seen
        with self.app.app_context():
            day_close.close_day(
                day,
                seen=wanted,
                explanation=explanation,
                by=BY,
                now=self.now,
                zone=self.zone,
            )

    def closes(self) -> list[DayClose]:
        with self.app.app_context():
            found = list(db.session.scalars(sa.select(DayClose).order_by(DayClose.id)))
            db.session.expunge_all()
            return found


def _line(verdict: Verdict, reference: str) -> ReconciliationLine:
    return ReconciliationLine(
        verdict=verdict,
        external_id=reference,
        invoice_id="662f",
        order_status="",
        payment_status="",
        xendit_status="PAID",
        paid_here=0,
        paid_there=150_000,
    )


def fill(made: Books) -> Books:
    """Sell one order the day before yesterday and two yesterday, and compare them with Xendit."""
    made.ticket = ticket = made.shop.add_ticket("Reguler", price=150_000, amount=20)
    made.sell(ticket, 1, ago=2 * ONE_DAY, fee=4_000, settled=True)
    made.sell(ticket, 2, ago=ONE_DAY, fee=4_000)
    made.sell(ticket, 1, ago=ONE_DAY)
    made.post()
    made.compare(made.day(2), made.day(1))
    return made
