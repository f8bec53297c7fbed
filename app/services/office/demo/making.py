"""Making demo data: so many orders with all they leave behind, a bulk insert at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from random import Random
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import Order, Ticket, TicketStock
from app.services.office.demo.courses import Fate, fates
from app.services.office.demo.endings import tell
from app.services.office.demo.leftovers import add_leftovers
from app.services.office.demo.rows import Numbers
from app.services.office.demo.sale import KINDS, Kind, Moment, moments, window
from app.services.office.demo.telling import Stage, Teller
from app.services.running.transaction import reading, transaction
from app.services.selling.signing_keys import get_signer

BATCH = 1000  # orders, in one transaction: a crash leaves a smaller sale, in which all adds up
MOST_SEATS = 10  # an order; only until the true number is known


class OrdersExist(Exception):
    """There are orders already: demo data among real ones could never be told from them again."""


class LiveKey(Exception):
    """The shop runs with a live Xendit key: it sells for real."""


@dataclass(frozen=True)
class Demo:
    """A sale about to be made: its orders, when each comes, and what becomes of it."""

    teller: Teller
    course: Sequence[tuple[Moment, Fate]]


def plan_demo(orders: int, *, seed: int, is_added: bool, now: datetime, settings: Settings) -> Demo:
    """Put the tickets on sale and plan so many orders, from six weeks ago until `now`.

    The same `seed` plans the same orders on an empty database; codes and tokens, being keys, are
    random all the same. Raises LiveKey; and OrdersExist unless the data is to be added.
    """
    if not settings.xendit_secret_key.startswith("xnd_development_"):
        raise LiveKey
    with reading() as session:
        if not is_added and session.scalar(sa.select(Order.id).limit(1)) is not None:
            raise OrdersExist
        numbers = Numbers(session)
    rng = Random(f"{seed} {numbers.first_order}")  # noqa: S311 (no secret comes from it)
    zone = settings.event.timezone
    came = moments(rng, orders, now, zone)
    course = list(zip(came, fates(rng, came, now, settings.order_hold), strict=True))
    with transaction() as session:
        ticket_ids = [_put_on_sale(session, kind, orders, now, settings) for kind in KINDS]
        signer = get_signer(session, now)
    host = urlsplit(settings.public_url).hostname or "localhost"
    stage = Stage(now, settings.order_hold, zone, ticket_ids, signer, host)
    return Demo(Teller(rng, stage, numbers), course)


def write_demo(demo: Demo) -> Iterator[int]:
    """Write the sale, and yield how many orders were written each time."""
    left = iter(demo.course)
    while batch := list(islice(left, BATCH)):
        for moment, fate in batch:
            tell(demo.teller, moment, fate)
        with transaction() as session:
            demo.teller.take_rows().write(session)
        yield len(batch)
    with transaction() as session:
        add_leftovers(session, demo.teller)


def _put_on_sale(
    session: Session, kind: Kind, orders: int, now: datetime, settings: Settings
) -> int:
    """Add a ticket; under a name with a number where there is one of this name."""
    names = set(session.scalars(sa.select(Ticket.type)))
    numbered = (f"{kind.name} {number}" for number in range(2, len(names) + 3))
    name = next(name for name in (kind.name, *numbered) if name not in names)
    opens, ends = window(kind, now, settings.event.timezone)
    ticket = Ticket(
        type=name,
        description=kind.description,
        price=kind.price,
        max_per_order=kind.max_per_order,
        valid_from=opens,
        valid_until=ends,
        position=(session.scalar(sa.select(sa.func.max(Ticket.position))) or 0) + 1,
        stock=TicketStock(amount=orders * MOST_SEATS),
    )
    session.add(ticket)
    session.flush()
    return ticket.id
