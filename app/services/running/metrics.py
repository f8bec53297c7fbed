"""Numbers for Prometheus from the database, the same from every process.

What can be told from a few rows is read when asked; the rest is what the last inspection kept, so
that a scrape costs the same whatever was sold.
"""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from app.models import Job, JobStatus, Ticket, TicketStock
from app.services.running import counts
from app.services.running.inspections import last_inspection
from app.services.running.phone_reports import list_waiting
from app.services.running.transaction import reading


class ServiceCollector(Collector):
    """Collects orders, money, stock, jobs, mails, the door and broken invariants as gauges."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        with reading() as session:
            yield _stock(session)
            yield _lateness(session, self._now)
            queued = sum(phone.queued for phone in list_waiting(session))
        yield GaugeMetricFamily("tickets_devices_queued", "Scans that phones still hold", queued)
        yield from _inspected(self._now)


def _inspected(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Yield what the last inspection found, and how old that is; no samples before the first."""
    found = last_inspection()
    yield from counts.tell(found.counts if found else {})
    if found is None:
        return
    yield GaugeMetricFamily(
        "tickets_invariants_broken", "Invariants that do not hold", found.broken
    )
    yield GaugeMetricFamily(
        "tickets_inspection_age_seconds",
        "Age of broken invariants, orders, payments, cases, refunds, jobs, mails, entries, scans",
        found.age(now).total_seconds(),
    )
    yield GaugeMetricFamily(
        "tickets_inspection_seconds",
        "How long the last inspection took",
        found.took.total_seconds(),
    )


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
