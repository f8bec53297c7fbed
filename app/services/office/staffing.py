"""Staff accounts."""

from datetime import datetime

import sqlalchemy as sa
from werkzeug.security import generate_password_hash

from app.models import Role, Staff
from app.services.running.transaction import transaction, use_case

SHORTEST_PASSWORD = 12


class WeakPassword(ValueError):
    """The password is too short to be safe."""


class StaffExists(ValueError):
    """There is an account with this address already."""


@use_case
def add_staff(email: str, role: Role, password: str, *, now: datetime) -> None:
    """Add an account; the password is kept as a scrypt hash. Raises WeakPassword, StaffExists.

    The address is kept in small letters: databases differ in whether Sari@ and sari@ are the same.
    """
    address = email.lower()
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(f"a password needs at least {SHORTEST_PASSWORD} characters")
    password_hash = generate_password_hash(password, method="scrypt")
    with transaction() as session:
        if session.scalar(sa.select(Staff.id).where(Staff.email == address)):
            raise StaffExists(address)
        session.add(Staff(email=address, role=role, password_hash=password_hash, created_at=now))
