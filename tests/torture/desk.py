"""One more process at the same tables: the wishes of buyers and staff, and looks at the rows."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.errors import DomainError
from app.extensions import db
from app.gateways import Gateways
from app.integrations.xendit import XenditError
from app.models import CaseStatus, Job, JobStatus, MoneyCase, Order, Payment
from app.services.money import cancelling, cases, extending, late_money, payments
from app.services.running.jobs import RetryLater
from app.services.selling import eticketing, ordering
from tests.torture.tally import Tally

MUST_END = (
    ordering.OPEN_INVOICE,
    ordering.EXPIRE_ORDER,
    payments.CONFIRM,
    payments.CLOSE_INVOICE,
    eticketing.DELIVER,
    cases.SERVE_WAITING,
)
MAY_GO_ON = (payments.READ_BACK,)
EXPECTED = (DomainError, XenditError, RetryLater, SQLAlchemyError)


class Desk:
    """Calls the services as one more web process would; failures are what chaos is about."""

    def __init__(self, app: Flask, settings: Settings, tally: Tally) -> None:
        self.app = app
        self._settings = settings
        self._tally = tally
        gateways: Gateways = app.extensions["gateways"]
        self._xendit = gateways.xendit

    def cancel(self, code: str) -> None:
        """The buyer cancels."""
        self._do(
            "cancelled by the buyer",
            code,
            lambda order_id, now: cancelling.cancel_unpaid(order_id, now=now, gateway=self._xendit),
        )

    def cancel_paid(self, code: str) -> None:
        """Staff cancels."""
        self._do(
            "cancelled by staff",
            code,
            lambda order_id, now: cancelling.cancel_paid(order_id, by="finance", now=now),
        )

    def extend(self, code: str) -> None:
        """The buyer asks for more time."""
        self._do(
            "holds extended",
            code,
            lambda order_id, now: extending.extend_hold(
                order_id, now=now, gateway=self._xendit, settings=self._settings
            ),
        )

    def choose(self, code: str, choice: str, other: int) -> None:
        """A buyer whose seats are gone decides: `other seats`, `wait` or `money back`."""
        choices: dict[str, Callable[[int, datetime], object]] = {
            "other seats": lambda i, now: late_money.take_other_seats(i, other, now=now),
            "wait": lambda i, now: late_money.wait_for_seats(i, now=now),
            "money back": lambda i, now: late_money.take_money_back(i, now=now),
        }
        self._do(f"late choices: {choice}", code, choices[choice])

    def _do(self, what: str, code: str, wish: Callable[[int, datetime], object]) -> None:
        with self.app.app_context(), suppress(*EXPECTED):
            order_id = db.session.scalar(sa.select(Order.id).where(Order.code == code))
            db.session.rollback()
            if order_id is not None:
                wish(order_id, datetime.now(UTC))
                self._tally.count(what)

    def late_codes(self) -> list[str]:
        """Return the orders whose money came too late and that nobody decided about."""
        found = self.rows(
            sa.select(Order.code)
            .join(MoneyCase, MoneyCase.order_id == Order.id)
            .where(MoneyCase.status == CaseStatus.OPEN)
        )
        return [code for (code,) in found]

    def rows(self, query: sa.Executable) -> list[Any]:
        """Return the rows of a query; none while the database is away."""
        with self.app.app_context(), suppress(SQLAlchemyError):
            return list(db.session.execute(query))
        return []

    def let_time_pass(self, seconds: int) -> None:
        """Make everything that waits that much older: leases, holds, claims, pauses."""
        passed = timedelta(seconds=seconds)
        with self.app.app_context(), db.engine.begin() as connection:
            for column in (
                Job.due_at,
                Order.expires_at,
                Order.created_at,
                Payment.create_claimed_until,
                Payment.invoice_expires_at,
                Payment.hinted_at,
            ):
                table = column.property.columns[0].table
                rows = connection.execute(
                    sa.select(table.c.id, table.c[column.key]).where(
                        table.c[column.key].is_not(None)
                    )
                )
                for row_id, when in rows.all():
                    values = {column.key: when - passed}
                    connection.execute(sa.update(table).where(table.c.id == row_id).values(values))

    def busy(self) -> list[str]:
        """Return the jobs that still must be done."""
        now = datetime.now(UTC)
        must = Job.kind.in_(MUST_END) | (Job.kind.in_(MAY_GO_ON) & (Job.due_at <= now))
        found = self.rows(
            sa.select(Job.kind, Job.attempts, Job.last_error, Job.due_at).where(
                Job.status == JobStatus.OPEN, must
            )
        )
        return [f"{kind} (try {tries}, {why}, due {due})" for kind, tries, why, due in found]

    def given_up(self) -> list[str]:
        """Return a sentence for each job that was given up."""
        failed = sa.select(Job.kind, Job.last_error).where(Job.status == JobStatus.FAILED)
        return [f"job given up: {kind}: {why}" for kind, why in self.rows(failed)]
