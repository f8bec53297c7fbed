"""Numbers for Prometheus, read from the database when asked: the same from every process."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.models import Job, JobStatus, Mail, Order, Payment, Ticket, TicketStock
from app.services.running.transaction import reading


class ServiceCollector(Collector):
    """Collects orders, payments, stock, jobs and mails as gauges."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        with reading() as session:
            for name, words, column in (
                ("tickets_orders", "Orders by status", Order.status),
                ("tickets_payments", "Payments by status", Payment.status),
                ("tickets_jobs", "Jobs by status", Job.status),
            ):
                gauge = GaugeMetricFamily(name, words, labels=["status"])
                for status, count in session.execute(
                    sa.select(column, sa.func.count()).group_by(column)
                ):
                    gauge.add_metric([status.value], count)
                yield gauge
            stock = GaugeMetricFamily("tickets_stock", "Seats by state", labels=["type", "state"])
            rows = session.execute(
                sa.select(Ticket.type, TicketStock.amount, TicketStock.held, TicketStock.sold).join(
                    TicketStock
                )
            )
            for ticket_type, amount, held, sold in rows:
                for state, value in (("amount", amount), ("held", held), ("sold", sold)):
                    stock.add_metric([ticket_type, state], value)
            yield stock
            oldest = session.scalar(
                sa.select(sa.func.min(Job.due_at)).where(
                    Job.status == JobStatus.OPEN, Job.due_at <= self._now
                )
            )
            late = (self._now - oldest).total_seconds() if oldest else 0.0
            yield GaugeMetricFamily(
                "tickets_job_lateness_seconds", "Age of the oldest due job", late
            )
            refused = session.scalar(
                sa.select(sa.func.count()).where(Mail.refused_because.is_not(None))
            )
            yield GaugeMetricFamily("tickets_mails_refused", "Mails refused for good", refused or 0)
