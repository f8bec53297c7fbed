"""Numbers for Prometheus, read from the database when asked: the same from every process."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from app.models import (
    CheckIn,
    ETicket,
    Job,
    JobStatus,
    Mail,
    MoneyCase,
    Order,
    Payment,
    Refund,
    Ticket,
    TicketStock,
)
from app.services.running.invariants import find_violations
from app.services.running.phone_reports import list_waiting
from app.services.running.transaction import reading

BY_STATUS = (
    ("tickets_orders", "Orders by status", Order.status),
    ("tickets_payments", "Payments by status", Payment.status),
    ("tickets_cases", "Money cases by status", MoneyCase.status),
    ("tickets_refunds", "Refunds by status", Refund.status),
    ("tickets_jobs", "Jobs by status", Job.status),
)


class ServiceCollector(Collector):
    """Collects orders, money, stock, jobs, mails, the door and broken invariants as gauges."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        with reading() as session:
            for name, words, column in BY_STATUS:
                yield _by_status(session, name, words, column)
            yield _stock(session)
            yield _lateness(session, self._now)
            yield _refused_mails(session)
            yield from _door(session)
        broken = len(find_violations())
        yield GaugeMetricFamily("tickets_invariants_broken", "Invariants that do not hold", broken)


def _by_status(
    session: Session, name: str, words: str, column: sa.orm.InstrumentedAttribute[Any]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=["status"])
    for status, count in session.execute(sa.select(column, sa.func.count()).group_by(column)):
        gauge.add_metric([status.value], count)
    return gauge


def _stock(session: Session) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily("tickets_stock", "Seats by state", labels=["type", "state"])
    columns = (Ticket.type, TicketStock.amount, TicketStock.held, TicketStock.sold)
    for ticket_type, amount, held, sold in session.execute(sa.select(*columns).join(TicketStock)):
        for state, value in (("amount", amount), ("held", held), ("sold", sold)):
            gauge.add_metric([ticket_type, state], value)
    return gauge


def _lateness(session: Session, now: datetime) -> GaugeMetricFamily:
    is_due = sa.and_(Job.status == JobStatus.OPEN, Job.due_at <= now)
    oldest = session.scalar(sa.select(sa.func.min(Job.due_at)).where(is_due))
    late = (now - oldest).total_seconds() if oldest else 0.0
    return GaugeMetricFamily("tickets_job_lateness_seconds", "Age of the oldest due job", late)


def _refused_mails(session: Session) -> GaugeMetricFamily:
    refused = session.scalar(sa.select(sa.func.count()).where(Mail.refused_because.is_not(None)))
    return GaugeMetricFamily("tickets_mails_refused", "Mails refused for good", refused or 0)


def _door(session: Session) -> Iterator[GaugeMetricFamily]:
    """Yield who is in, what was scanned, and what phones without network have not sent yet."""
    entries = GaugeMetricFamily("tickets_admitted", "First entries by gate", labels=["gate"])
    gates = sa.select(ETicket.admitted_gate, sa.func.count()).where(
        ETicket.admitted_at.is_not(None)
    )
    for gate, count in session.execute(gates.group_by(ETicket.admitted_gate)):
        entries.add_metric([gate or ""], count)
    yield entries
    inside = sa.select(sa.func.count()).where(ETicket.is_inside.is_(True))
    yield GaugeMetricFamily("tickets_inside", "People inside now", session.scalar(inside) or 0)
    yield _check_ins(session)
    queued = sum(phone.queued for phone in list_waiting(session))
    yield GaugeMetricFamily("tickets_devices_queued", "Scans that phones still hold", queued)


def _check_ins(session: Session) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily("tickets_check_ins", "Scans", labels=["result", "reason"])
    counted = sa.select(CheckIn.result, CheckIn.reason, sa.func.count())
    for result, reason, count in session.execute(counted.group_by(CheckIn.result, CheckIn.reason)):
        gauge.add_metric([result.value, reason.value if reason else ""], count)
    return gauge
