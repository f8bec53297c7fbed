"""Partners: systems that call the JSON API with a key."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from app.models import ApiKey
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case

_KEYS = cast(sa.Table, ApiKey.__table__)
# Columns rather than an object: every call of the API takes this path.
_PARTNER = sa.select(_KEYS.c.id, _KEYS.c.name, _KEYS.c.scopes).where(
    _KEYS.c.key_hash == sa.bindparam("key_hash"), _KEYS.c.revoked_at.is_(None)
)

SCOPES = ("orders:write", "door")
NAME_LENGTH = 100


@dataclass(frozen=True)
class Partner:
    """Who a key belongs to and what it may do."""

    api_key_id: int
    name: str
    scopes: frozenset[str]


class BadName(ValueError):
    """A name that tells nobody whose key it is, or that does not fit."""


class UnknownScope(ValueError):
    """A scope that does not exist."""


@use_case
def add_key(name: str, scopes: Sequence[str], *, by: By, now: datetime) -> str:
    """Make a key and return it: only its hash is kept, so this is the one chance to see it.

    Raises BadName, UnknownScope.
    """
    if not 1 <= len(name.strip()) <= NAME_LENGTH:
        raise BadName(f"a partner needs a name of 1 to {NAME_LENGTH} characters")
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(scope)
    key = f"tedx_{secrets.token_urlsafe(32)}"
    with transaction() as session:
        row = ApiKey(
            name=name.strip(), key_hash=_hash(key), scopes=sorted(set(scopes)), created_at=now
        )
        session.add(row)
        session.flush()
        audit.record(
            session,
            actor=by,
            action="api_key.added",
            subject=Subject("api_key", str(row.id), row.name),
            after={"scopes": row.scopes},
            now=now,
        )
    return key


def find_partner(key: str) -> Partner | None:
    """Return who this key belongs to, or None when it is unknown or revoked.

    The look-up is by hash: its timing tells nothing about the key.
    """
    with reading() as session:
        row = session.connection().execute(_PARTNER, {"key_hash": _hash(key)}).one_or_none()
    return Partner(row.id, row.name, frozenset(row.scopes)) if row else None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
