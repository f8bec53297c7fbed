"""Staff: a person who logs in, with sessions, second factor and invitation; Attempt: one guess."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column


class Role(enum.Enum):
    DOOR = "door"
    FINANCE = "finance"
    ADMIN = "admin"

    @property
    def needs_second_factor(self) -> bool:
        """Tell whether nobody with this role may do anything by password alone."""
        return self is not Role.DOOR


class Staff(Base):
    """A staff account; only a slow hash of the password is stored.

    `totp_sealed` is the secret of the second factor, sealed under SECRET_KEY; a code of
    `totp_last_step` (its 30 seconds since 1970) or before was used and is worthless.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100), default="", server_default="")
    role: Mapped[Role] = mapped_column(enum_column(Role))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    totp_sealed: Mapped[str | None] = mapped_column(code_column(255))
    totp_last_step: Mapped[int | None]
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]

    @property
    def has_second_factor(self) -> bool:
        """Tell whether log-in asks for a code after the password."""
        return self.totp_sealed is not None


class StaffSession(Base):
    """One browser somebody is logged in with; its row is deleted when the session ends.

    `second_step_at` is None while only the password was given; `proved_at` is when the owner last
    proved to be there; `offered_totp` a sealed secret shown but not confirmed yet.
    """

    __tablename__ = "staff_sessions"
    __table_args__ = (sa.Index(None, "staff_id"), sa.Index(None, "started_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    token_hash: Mapped[str] = mapped_column(code_column(64), unique=True)
    browser: Mapped[str] = mapped_column(sa.String(64))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    second_step_at: Mapped[datetime | None]
    offered_totp: Mapped[str | None] = mapped_column(code_column(255))

    staff: Mapped[Staff] = relationship(lazy="joined", innerjoin=True)


class RecoveryCode(Base):
    """One of ten ways in without the phone, each good once; only a hash is stored."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    code_hash: Mapped[str] = mapped_column(code_column(64))
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """An open door for one address: the link in its mail makes the account, once."""

    __tablename__ = "invitations"
    __table_args__ = (sa.Index(None, "email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254))
    role: Mapped[Role] = mapped_column(enum_column(Role))
    locale: Mapped[str] = mapped_column(code_column(8))
    invited_by: Mapped[str] = mapped_column(sa.String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # accepted, taken back, or replaced by a newer one


class Attempt(Base):
    """One try of something that may be guessed; `subject` is a hash of who tried what."""

    __tablename__ = "attempts"
    __table_args__ = (sa.Index(None, "subject", "created_at"), sa.Index(None, "created_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(code_column(64))
    created_at: Mapped[datetime]
