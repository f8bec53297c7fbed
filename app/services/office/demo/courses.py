"""What becomes of the orders of a made-up sale: most are paid, a few are a treasurer's work."""

import enum
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from app.services.office.demo.sale import KINDS, Moment

LATEST_FREE = timedelta(hours=3)  # before `now`: orders this new may still be unpaid


class Course(enum.Enum):
    """How an order went."""

    PAID = enum.auto()
    OPEN = enum.auto()
    EXPIRED = enum.auto()
    GIVEN_UP = enum.auto()  # by the buyer, unpaid
    CALLED_OFF = enum.auto()  # by staff, paid: money goes back
    TOO_LATE = enum.auto()  # paid when the seats were gone
    TOO_MUCH = enum.auto()
    TOO_LITTLE = enum.auto()
    TWICE = enum.auto()


# Of those that are neither paid smoothly nor just left: their share, and the fewest there are.
RARE = {
    Course.CALLED_OFF: (0.008, 6),
    Course.TOO_LATE: (0.002, 4),
    Course.TOO_MUCH: (0.0008, 3),
    Course.TOO_LITTLE: (0.0008, 3),
    Course.TWICE: (0.0008, 3),
}
EXPIRED_SHARE, GIVEN_UP_SHARE = 0.15, 0.03
FEWEST_ORDERS = 50  # or the rare ones would be the rule
WAITING_OF = 10


class Channel(NamedTuple):
    """How somebody paid, in Xendit's words."""

    method: str
    name: str
    share: int


CHANNELS = (
    Channel("QR_CODE", "QRIS", 46),
    Channel("EWALLET", "DANA", 12),
    Channel("EWALLET", "OVO", 8),
    Channel("EWALLET", "SHOPEEPAY", 7),
    Channel("BANK_TRANSFER", "BCA", 10),
    Channel("BANK_TRANSFER", "MANDIRI", 6),
    Channel("BANK_TRANSFER", "BRI", 4),
    Channel("BANK_TRANSFER", "BNI", 2),
    Channel("CREDIT_CARD", "CREDIT_CARD", 4),
    Channel("RETAIL_OUTLET", "ALFAMART", 1),
)


class Fate(NamedTuple):
    """What becomes of an order; with `is_waiting` a person has still to do something about it."""

    course: Course
    is_waiting: bool = False


def fates(rng: Random, moments: Sequence[Moment], now: datetime, hold: timedelta) -> Iterator[Fate]:
    """Yield what becomes of each order, in their order; of the rare ones the latest wait."""
    old = [
        number
        for number, moment in enumerate(moments)
        if now - moment.at > hold + LATEST_FREE and KINDS[moment.kind].price
    ]
    rare: dict[int, Fate] = {}
    for course, (share, fewest) in RARE.items():
        wanted = max(fewest, round(share * len(moments)))
        free = [number for number in old if number not in rare]
        chosen = sorted(rng.sample(free, min(wanted, len(free))))
        waiting = max(1, len(chosen) // WAITING_OF)
        rare |= dict.fromkeys(chosen[:-waiting], Fate(course))
        rare |= dict.fromkeys(chosen[-waiting:], Fate(course, is_waiting=True))
    for number, moment in enumerate(moments):
        yield rare.get(number) or Fate(_usual(rng, moment, now, hold))


def _usual(rng: Random, moment: Moment, now: datetime, hold: timedelta) -> Course:
    if not KINDS[moment.kind].price:
        return Course.PAID  # nothing to pay
    if now - moment.at <= hold:
        return Course.OPEN
    lot = rng.random()
    if lot < EXPIRED_SHARE:
        return Course.EXPIRED
    return Course.GIVEN_UP if lot < EXPIRED_SHARE + GIVEN_UP_SHARE else Course.PAID
