"""The rows of a made-up sale: ids given out beforehand, so that all go in by plain bulk inserts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Base, CheckIn, ETicket, MoneyCase, Order, Payment, Refund, TicketStock, User
from app.models.codes import new_eticket_code, new_order_code, new_seat_id
from app.services.running.transaction import affected

REQUEST_ID = "demo-data"  # tells these rows from those of real buyers

Row = dict[str, Any]
Code = TypeVar("Code", int, str)


@dataclass
class Rows:
    """What is written next: rows by table, parents before children, and seats by ticket."""

    tables: dict[type[Base], list[Row]] = field(default_factory=lambda: defaultdict(list))
    held: Counter[int] = field(default_factory=Counter)
    sold: Counter[int] = field(default_factory=Counter)

    def add(self, model: type[Base], **values: Any) -> None:
        """Add a row; rows of one table name the same columns, as one statement takes them all."""
        self.tables[model].append(values)

    def write(self, session: Session) -> None:
        """Insert all of them, and move the stock by what these orders hold and have bought."""
        for model in sorted(self.tables, key=_depth):
            session.execute(sa.insert(cast(sa.Table, model.__table__)), self.tables[model])
        for ticket_id in sorted(self.held.keys() | self.sold.keys()):
            stock = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
            held = TicketStock.held + self.held[ticket_id]
            affected(session, stock.values(held=held, sold=TicketStock.sold + self.sold[ticket_id]))


def _depth(model: type[Base]) -> int:
    order: tuple[type[Base], ...] = (User, Order, Payment, ETicket, MoneyCase, Refund)
    return order.index(model) if model in order else len(order)


class Numbers:
    """Gives out ids above all that exist, and codes that nobody has."""

    def __init__(self, session: Session) -> None:
        self._ids: dict[type[Base], count[int]] = {
            model: count((session.scalar(sa.select(sa.func.max(model.id))) or 0) + 1)
            for model in (User, Order, Payment, ETicket, CheckIn, MoneyCase, Refund)
        }
        self.first_order = next(self._ids[Order])
        self._ids[Order] = count(self.first_order)
        self._taken: Mapping[str, set[Any]] = {
            "order": set(session.scalars(sa.select(Order.code))),
            "seat": set(session.scalars(sa.select(ETicket.seat_id))),
            "e-ticket": set(session.scalars(sa.select(ETicket.code))),
        }

    def id(self, model: type[Base]) -> int:
        """Return the next id of a table."""
        return next(self._ids[model])

    def order_code(self) -> str:
        """Return a new order code."""
        return self._new("order", new_order_code)

    def seat_id(self) -> int:
        """Return a new seat id."""
        return self._new("seat", new_seat_id)

    def eticket_code(self) -> str:
        """Return a new short code: of a hundred thousand, two are likely to be the same."""
        return self._new("e-ticket", new_eticket_code)

    def _new(self, what: str, make: Callable[[], Code]) -> Code:
        while (code := make()) in self._taken[what]:
            pass
        self._taken[what].add(code)
        return code
