"""SigningKey: what signs e-tickets, so that a scanner can tell a true one without asking."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class SigningKey(Base):
    """An Ed25519 key pair; `id`, 1 to 255, stands in every code it signed.

    The public half is published as long as codes of it are good; the private half is kept sealed
    under SECRET_KEY, and is gone once the key is retired. A revoked key makes its codes worthless.
    """

    __tablename__ = "signing_keys"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_key: Mapped[str] = mapped_column(code_column(64), unique=True)  # 32 bytes in hex
    sealed_key: Mapped[str | None] = mapped_column(code_column(255))
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
