"""When a made-up sale sells what: kinds of tickets, their windows, and the moments of orders."""

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from random import Random
from typing import NamedTuple

HOUR = timedelta(hours=1)
# How many buy at each hour of the day: few at night, most after dinner.
DAY = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 10, 11, 12, 15, 16, 14, 9, 4)


@dataclass(frozen=True)
class Kind:
    """A kind of ticket on sale, from and until so many days from today; `share` of the orders."""

    name: str
    description: str
    price: int
    max_per_order: int
    from_day: int
    until_day: int
    share: float


KINDS = (
    Kind("Early Bird", "Harga perdana untuk yang memesan lebih dulu.", 150_000, 4, -42, -28, 0.30),
    Kind("Reguler", "Satu hari penuh, sebelas pembicara, makan siang.", 250_000, 5, -28, 14, 0.43),
    Kind("Pelajar & Mahasiswa", "Dengan kartu pelajar atau KTM.", 100_000, 1, -35, 14, 0.20),
    Kind("VIP", "Kursi terdepan dan makan malam pembicara.", 750_000, 2, -42, 14, 0.04),
    Kind("Undangan", "Untuk tamu dan relawan.", 0, 2, -42, 14, 0.03),
)


class Moment(NamedTuple):
    """When an order comes in, and which of the kinds it is for."""

    at: datetime
    kind: int


def window(kind: Kind, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when a kind is sold: from and until ten in the morning, in the event's zone."""
    ten = datetime.combine(now.astimezone(zone).date(), time(10), zone)
    return ten + timedelta(days=kind.from_day), ten + timedelta(days=kind.until_day)


def moments(rng: Random, orders: int, now: datetime, zone: tzinfo) -> list[Moment]:
    """Return when so many orders come in before `now`, the earliest first.

    Each kind has its rush when it opens, its last-minute buyers when it ends, and days and nights.
    """
    kinds = rng.choices(range(len(KINDS)), [kind.share for kind in KINDS], k=orders)
    found: list[Moment] = []
    for number, kind in enumerate(KINDS):
        opens, ends = window(kind, now, zone)
        hours = [opens + n * HOUR for n in range((min(ends, now) - opens) // HOUR + 1)]
        weights = [_demand(hour, opens, ends, zone) for hour in hours]
        for hour in rng.choices(hours, weights, k=kinds.count(number)):
            found.append(Moment(hour + rng.random() * min(HOUR, min(ends, now) - hour), number))
    return sorted(found)


def _demand(hour: datetime, opens: datetime, ends: datetime, zone: tzinfo) -> float:
    rush = 12 * math.exp(-((hour - opens) / HOUR) / 6)
    last_call = 3 * math.exp(-((ends - hour) / HOUR) / 24)
    return DAY[hour.astimezone(zone).hour] * (1 + rush + last_call)
