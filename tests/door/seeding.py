"""Thousands of sold seats in a moment: written straight into the tables, signed for real."""

import hashlib
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.integrations.signing import SeatCode, new_key_pair, sign_code
from app.models import (
    CheckIn,
    Device,
    DeviceRole,
    DoorSettings,
    ETicket,
    Gate,
    Order,
    OrderStatus,
    SigningKey,
    Ticket,
    TicketStock,
    User,
)
from app.models.base import Base
from app.models.codes import new_eticket_code, new_order_code, new_order_token

FIRST_KEY_ID = 100  # far from those the service makes for itself
SEATS_AN_ORDER = 4


@dataclass(frozen=True)
class SoldSeat:
    """A seat as its guest holds it."""

    e_ticket_id: int
    seat_id: int
    qr_text: str
    short_code: str
    attendee: str
    order_id: int


class SeededDoor:
    """Writes what the door needs into a migrated database, past the services."""

    def __init__(self, database_url: str) -> None:
        self.engine = sa.create_engine(database_url)
        self.now = datetime.now(UTC)
        self.long_ago = self.now - timedelta(days=1)
        self._numbers = itertools.count(1)
        self.private_key, public_key = new_key_pair()
        taken = self.rows(sa.select(SigningKey.id).where(SigningKey.id >= FIRST_KEY_ID))
        self.key_id = FIRST_KEY_ID + len(taken)  # of doors before this one
        self.insert(
            SigningKey,
            id=self.key_id,
            public_key=public_key.hex(),
            created_at=self.long_ago,
            retired_at=self.long_ago,
        )

    def close(self) -> None:
        self.engine.dispose()

    def insert(self, model: type[Base], **values: Any) -> int:
        """Insert one row and return its id."""
        with self.engine.begin() as connection:
            done = connection.execute(sa.insert(model).values(**values))
            return int(done.inserted_primary_key[0])  # type: ignore[index]

    def run(self, statement: sa.Executable) -> None:
        """Execute a statement in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(statement)

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """Return what a query finds."""
        with self.engine.connect() as connection:
            return list(connection.execute(statement).all())

    def add_ticket(self, **values: Any) -> int:
        """Add a kind of ticket and return its id."""
        number = next(self._numbers)
        wanted = {
            "type": f"Door {number}",
            "description": "",
            "price": 0,
            "max_per_order": 10,
            "valid_from": self.long_ago,
            "valid_until": self.now + timedelta(days=1),
            "position": number,
        }
        ticket_id = self.insert(Ticket, **(wanted | values))
        self.insert(TicketStock, ticket_id=ticket_id, amount=0)
        return ticket_id

    def sell(
        self,
        ticket_id: int,
        count: int = 1,
        *,
        at: datetime | None = None,
        names: Iterator[str] | None = None,
        status: OrderStatus = OrderStatus.PAID,
        seat_ids: Iterator[int] | None = None,
    ) -> list[SoldSeat]:
        """Sell seats in orders of four; names are unmistakable in any text."""
        given = names or (f"Tamu {secrets.token_hex(6)}" for _ in itertools.count())
        ids = seat_ids or (secrets.randbits(40) for _ in itertools.count())
        with self.engine.begin() as connection:
            orders = self._orders(connection, -(-count // SEATS_AN_ORDER), at, status)
            rows = [
                self._seat(ticket_id, orders[n // SEATS_AN_ORDER], n, next(given), next(ids), at)
                for n in range(count)
            ]
            connection.execute(sa.insert(ETicket), rows)
            wanted = sa.select(ETicket.id, ETicket.seat_id).where(ETicket.order_id.in_(orders))
            e_ticket_ids = {seat_id: id_ for id_, seat_id in connection.execute(wanted)}
        return [
            SoldSeat(
                e_ticket_ids[row["seat_id"]],
                row["seat_id"],
                row["qr_text"],
                row["code"],
                row["attendee"],
                row["order_id"],
            )
            for row in rows
        ]

    def _orders(
        self, connection: sa.Connection, count: int, at: datetime | None, status: OrderStatus
    ) -> list[int]:
        buyer = {"full_name": "Pembeli", "email": "b@example.com", "no_hp": "+628123456789"}
        values = buyer | {"created_at": at or self.long_ago}
        done = connection.execute(sa.insert(User).values(**values))
        order = {
            "user_id": int(done.inserted_primary_key[0]),  # type: ignore[index]
            "status": status,
            "total": 0,
            "locale": "id",
            "request_id": "seeded",
            "created_at": at or self.long_ago,
            "expires_at": self.now,
        }
        codes = [new_order_code() for _ in range(count)]
        rows = [order | {"code": code, "token": new_order_token()} for code in codes]
        connection.execute(sa.insert(Order), rows)
        return list(connection.scalars(sa.select(Order.id).where(Order.code.in_(codes))))

    def _seat(
        self,
        ticket_id: int,
        order_id: int,
        number: int,
        attendee: str,
        seat_id: int,
        at: datetime | None,
    ) -> dict[str, Any]:
        code = SeatCode(self.key_id, seat_id, ticket_id, None, None)
        return {
            "order_id": order_id,
            "ticket_id": ticket_id,
            "number": number % SEATS_AN_ORDER + 1,
            "attendee": attendee,
            "code": new_eticket_code(),
            "qr_text": sign_code(code, self.private_key),
            "seat_id": seat_id,
            "created_at": at or self.long_ago,
        }

    def add_gate(self, name: str, **values: Any) -> int:
        """Add a gate and return its id."""
        wanted: dict[str, Any] = {"name": name, "ticket_ids": [], "created_at": self.long_ago}
        return self.insert(Gate, **(wanted | values))

    def pair(
        self, name: str, *, role: DeviceRole = DeviceRole.SCANNER, lanes: str = "", **more: Any
    ) -> str:
        """Add a paired phone and return its token, which is its cookie."""
        token = secrets.token_urlsafe(32)
        values = {
            "name": name,
            "role": role,
            "lanes": lanes,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "created_by": "test",
            "created_at": self.long_ago,
            "paired_at": self.long_ago,
        }
        self.insert(Device, **(values | more))
        return token

    def cut_off(self, name: str) -> None:
        self.run(sa.update(Device).where(Device.name == name).values(cut_off_at=self.now))

    def names_in_use(self) -> list[str]:
        """Return the names of the phones that are not cut off."""
        return [
            row.name for row in self.rows(sa.select(Device.name).where(Device.cut_off_at.is_(None)))
        ]

    def set_lane_mode(self, is_lane_mode: bool) -> None:
        self.run(sa.delete(DoorSettings))
        values = {"id": 1, "changed_by": "test", "changed_at": self.now}
        self.insert(DoorSettings, is_lane_mode=is_lane_mode, **values)

    def scans_of(self, seat: SoldSeat) -> list[CheckIn]:
        """Return the stored scans of a seat, the earliest first."""
        wanted = sa.select(*CheckIn.__table__.c).where(CheckIn.e_ticket_id == seat.e_ticket_id)
        return self.rows(wanted.order_by(CheckIn.happened_at, CheckIn.id))


@contextmanager
def seeded_door(database_url: str) -> Iterator[SeededDoor]:
    """Give a door on a migrated database; its connections are gone at the end."""
    door = SeededDoor(database_url)
    try:
        yield door
    finally:
        door.close()
