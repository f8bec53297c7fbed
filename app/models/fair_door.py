"""The fair door: the line in front of the shop, the places in it, and how far it has moved."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class FairDoor(Base):
    """One sale's line; the newest row is the one in use.

    `seed` is drawn at the opening and orders the places made until then, those with an id up to
    `lot_last`. `admitted` counts from the line's head how many were called. `per_minute` is the
    rate now, `most_per_minute` and `opens_at` are what staff set over the settings.
    `ticked_us` and `slowed_us` are microseconds since 1970: whole numbers, which every database
    compares alike.
    """

    __tablename__ = "fair_doors"
    __table_args__ = (sa.CheckConstraint("admitted >= 0", name="admitted_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=True)
    is_paused: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[datetime | None]
    seed: Mapped[str | None] = mapped_column(code_column(64))
    drawn_at: Mapped[datetime | None]
    lot_last: Mapped[int | None]
    lot_size: Mapped[int] = mapped_column(default=0)
    admitted: Mapped[int] = mapped_column(default=0)
    per_minute: Mapped[int]
    most_per_minute: Mapped[int | None]
    ticked_us: Mapped[int] = mapped_column(default=0)
    slowed_us: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class FairDoorPlace(Base):
    """One visitor's place; `key` is what only its browser knows.

    `number` is its place in line, kept when it enters. `order_key` is the one form that may order
    with it, with how many seats and by digests of which address and phone number.
    """

    __tablename__ = "fair_door_places"
    __table_args__ = (
        sa.Index(None, "door_id", "number"),
        sa.Index(None, "door_id", "entered_at"),
        sa.Index(None, "email_key"),
        sa.Index(None, "phone_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    door_id: Mapped[int] = mapped_column(sa.ForeignKey("fair_doors.id"))
    key: Mapped[str] = mapped_column(code_column(32))
    made_at: Mapped[datetime]
    number: Mapped[int | None]
    entered_at: Mapped[datetime | None]
    order_key: Mapped[str | None] = mapped_column(code_column(128))
    email_key: Mapped[str | None] = mapped_column(code_column(64))
    phone_key: Mapped[str | None] = mapped_column(code_column(64))
    seats: Mapped[int | None]


class FairDoorStep(Base):
    """A moment at which the line moved: from then on so many were called."""

    __tablename__ = "fair_door_steps"
    __table_args__ = (sa.Index(None, "door_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    door_id: Mapped[int] = mapped_column(sa.ForeignKey("fair_doors.id"))
    at: Mapped[datetime]
    admitted: Mapped[int]
