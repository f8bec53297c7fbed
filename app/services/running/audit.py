"""The audit log: every change a person makes, written in the transaction that makes it.

    with transaction() as session:
        ticket = lock_ticket(session, ticket_id)
        before = {"price": ticket.price}
        ticket.price = wish.price
        audit.record(
            session,
            actor=by,
            action="ticket.changed",
            subject=Subject("ticket", str(ticket.id), ticket.type),
            before=before,
            after={"price": ticket.price},
            now=now,
        )

So there is no change without its entry, and no entry of a change that was rolled back. A use case
takes `by: By` and hands it on; routes have `the_member().actor`, commands `command_actor()`.

Give the facts that may change, by the names of their columns, never whole rows: `record` keeps
those that differ. A new thing has only `after`, one that is gone only `before`. Secrets are
refused; name a buyer by the order's code, not by name or address. What an action and a field are
called on the page stands in `routes/audit_words.py`: add yours there.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.models import ActorKind, AuditEntry
from app.services.running.transaction import insert
from app.tracing import current_request_id

NAME_LENGTH = 254
REASON_LENGTH = 500
# Parts of names of fields that never enter the log, whatever they hold.
SECRETS = ("password", "secret", "token", "hash", "sealed", "totp", "pairing", "account_number")


class SecretInAudit(ValueError):
    """A field whose name says that it must not be kept here: a mistake of the programmer."""


@dataclass(frozen=True)
class Actor:
    """Who changes something; `name` is what they are called now and stays with the entry."""

    kind: ActorKind
    id: int | None
    name: str

    @classmethod
    def staff(cls, staff_id: int, email: str) -> "Actor":
        """Return a member of staff."""
        return cls(ActorKind.STAFF, staff_id, email)

    @classmethod
    def partner(cls, api_key_id: int, name: str) -> "Actor":
        """Return a partner's system."""
        return cls(ActorKind.PARTNER, api_key_id, name)

    @classmethod
    def device(cls, device_id: int, name: str) -> "Actor":
        """Return a phone of the door."""
        return cls(ActorKind.DEVICE, device_id, name)

    @classmethod
    def command(cls, name: str) -> "Actor":
        """Return who types a command: the machine's user, or whom a `--by` names."""
        return cls(ActorKind.COMMAND, None, name)

    def is_staff(self, staff_id: int) -> bool:
        """Tell whether this is the member of staff with this id."""
        return self.kind is ActorKind.STAFF and self.id == staff_id

    @classmethod
    def of(cls, by: "By") -> "Actor":
        """Return who `by` is: a bare name is one that was given to a command."""
        return by if isinstance(by, Actor) else cls.command(by)


# Who did something, as a use case is told: an `Actor`, or the name that was given to a command.
By = Actor | str


@dataclass(frozen=True)
class Subject:
    """What is changed: its kind (`order`), its key (an id, or an order's code), its name if any."""

    kind: str
    key: str
    name: str = ""


def record(
    session: Session,
    *,
    actor: By,
    action: str,
    subject: Subject,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Add an entry to the caller's transaction; nothing when `before` and `after` are the same.

    `action` is `<kind>.<what was done>`, such as `order.cancelled`. Values are None, booleans,
    whole numbers, texts, enums, dates, aware times, and lists of them. Raises SecretInAudit for a
    field that must not be kept, TypeError for a value that cannot be.
    """
    changes = _changes(before or {}, after or {})
    if before is not None and after is not None and not changes:
        return
    who = Actor.of(actor)
    insert(
        session,
        AuditEntry,
        happened_at=now,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_name=who.name[:NAME_LENGTH],
        action=action,
        subject_kind=subject.kind,
        subject_key=subject.key,
        subject_name=subject.name[:NAME_LENGTH],
        changes=changes,
        reason=reason[:REASON_LENGTH] if reason else None,
        request_id=current_request_id(),
    )


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[Any]]:
    fields = dict.fromkeys((*before, *after))  # in the order they were given
    for field in fields:
        if any(part in field.lower() for part in SECRETS):
            raise SecretInAudit(field)
    pairs = {field: [_plain(before.get(field)), _plain(after.get(field))] for field in fields}
    return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: object) -> Any:
    """Return a value as JSON keeps it. Raises TypeError for objects, and for times without zone."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without zone cannot be kept")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} cannot be kept in the audit log")
