"""Counts for Prometheus that have to read whole tables: made by inspections, never by a scrape."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.orm import Session

from app.models import CheckIn, ETicket, Job, Mail, MoneyCase, Order, Payment, Refund

# As they are kept, in JSON: by the gauge's name, label values and a number for each sample.
Counts = Mapping[str, list[tuple[list[str], int]]]
COUNT = sa.func.count()


@dataclass(frozen=True)
class Gauge:
    """A gauge, and the statement whose rows are its samples: label values, then the number."""

    name: str
    words: str
    labels: tuple[str, ...]
    rows: sa.Select[*tuple[Any, ...]]


def _grouped(name: str, words: str, label: str, column: sa.orm.InstrumentedAttribute[Any]) -> Gauge:
    return Gauge(name, words, (label,), sa.select(column, COUNT).group_by(column))


GAUGES = (
    _grouped("tickets_orders", "Orders by status", "status", Order.status),
    _grouped("tickets_payments", "Payments by status", "status", Payment.status),
    _grouped("tickets_cases", "Money cases by status", "status", MoneyCase.status),
    _grouped("tickets_refunds", "Refunds by status", "status", Refund.status),
    _grouped("tickets_jobs", "Jobs by status", "status", Job.status),
    Gauge(
        "tickets_mails_refused",
        "Mails refused for good",
        (),
        sa.select(COUNT).where(Mail.refused_because.is_not(None)),
    ),
    Gauge(
        "tickets_admitted",
        "First entries by gate",
        ("gate",),
        sa.select(ETicket.admitted_gate, COUNT)
        .where(ETicket.admitted_at.is_not(None))
        .group_by(ETicket.admitted_gate),
    ),
    Gauge(
        "tickets_inside",
        "People inside now",
        (),
        sa.select(COUNT).where(ETicket.is_inside.is_(True)),
    ),
    Gauge(
        "tickets_check_ins",
        "Scans",
        ("result", "reason"),
        sa.select(CheckIn.result, CheckIn.reason, COUNT).group_by(CheckIn.result, CheckIn.reason),
    ),
)


def count_all(session: Session) -> Counts:
    """Return the samples of every gauge, as they can be kept."""
    return {
        gauge.name: [
            ([_label(value) for value in values], number)
            for *values, number in session.execute(gauge.rows)
        ]
        for gauge in GAUGES
    }


def tell(counts: Counts) -> list[GaugeMetricFamily]:
    """Return the gauges with the samples that were kept; those never counted have none."""
    return [_family(gauge, counts) for gauge in GAUGES]


def _family(gauge: Gauge, counts: Counts) -> GaugeMetricFamily:
    family = GaugeMetricFamily(gauge.name, gauge.words, labels=gauge.labels)
    for values, number in counts.get(gauge.name, ()):
        family.add_metric(values, number)
    return family


def _label(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    return value or ""
