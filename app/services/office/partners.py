"""Partners: systems that call the JSON API with a key."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from app.extensions import db
from app.models import ApiKey
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.per_engine import per_engine
from app.services.running.tokens import hash_token, new_token
from app.services.running.transaction import reading, transaction, use_case

_KEYS = cast(sa.Table, ApiKey.__table__)
# Columns rather than an object: every call of the API takes this path.
_PARTNER = sa.select(_KEYS.c.id, _KEYS.c.name, _KEYS.c.scopes).where(
    _KEYS.c.key_hash == sa.bindparam("key_hash"), _KEYS.c.revoked_at.is_(None)
)

SCOPES = ("orders:write", "door")
NAME_LENGTH = 100
KNOWN_FOR = 1.0  # seconds; so long a key may still work after it was revoked


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
    key = f"tedx_{new_token()}"
    with transaction() as session:
        row = ApiKey(
            name=name.strip(), key_hash=hash_token(key), scopes=sorted(set(scopes)), created_at=now
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

    The look-up is by hash: its timing tells nothing about the key. A good one is remembered for
    KNOWN_FOR: a partner in a hurry sends it hundreds of times a second.
    """
    known, key_hash, now = _known_in(db.engine), hash_token(key), time.monotonic()
    partner, until = known.get(key_hash, (None, now))
    if partner is not None and now < until:
        return partner
    partner = _look_up(key_hash)
    if partner is None:
        known.pop(key_hash, None)
    else:
        known[key_hash] = (partner, now + KNOWN_FOR)
    return partner


@per_engine
def _known_in(_engine: sa.Engine) -> dict[str, tuple[Partner, float]]:
    """Return the partners by hash, each with until when; as many as there are good keys."""
    return {}


def _look_up(key_hash: str) -> Partner | None:
    with reading() as session:
        row = session.connection().execute(_PARTNER, {"key_hash": key_hash}).one_or_none()
    return Partner(row.id, row.name, frozenset(row.scopes)) if row else None
