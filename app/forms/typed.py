"""What staff type into a form that changes something: fields as text, read strictly.

A form carries what it was drawn from (`was_<field>`), so that a service can tell what the person
changed from what somebody else changed meanwhile, and nobody's change is overwritten unseen.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from babel.numbers import format_decimal
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.errors import FieldError, ValidationFailed, Words
from app.services.selling.wishes import TicketWish, VoucherWish

LONGEST = 2_000  # characters taken in of a field; each field's own limit is far below
MOST_CHOSEN = 200
TICKED = "yes"
# 150000, or 150.000 as it is written in Indonesia, with whatever stands between the thousands.
WHOLE = re.compile(r"[0-9]{1,12}|[0-9]{1,3}([., '\N{NO-BREAK SPACE}][0-9]{3}){1,3}")
UNREADABLE = 10**12  # so large that no other field is refused for being above it
TYPED_TIME = "%Y-%m-%dT%H:%M"  # what <input type="datetime-local"> sends

Wish = TypeVar("Wish", TicketWish, VoucherWish)


@dataclass
class TypedForm:
    """A form's fields as text: as typed, and as they were when it was drawn; what is wrong."""

    typed: Mapping[str, str]
    was: Mapping[str, str]
    errors: dict[str, Words] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "TypedForm":
        """Return the form that shows something as it is."""
        return cls(values, values)

    @classmethod
    def sent(cls, sent: MultiDict[str, str], names: Iterable[str]) -> "TypedForm":
        """Return the form as it was sent; the choices of one field are joined by commas."""
        typed, was = {}, {}
        for name in names:
            typed[name] = ",".join(sent.getlist(name)[:MOST_CHOSEN])[:LONGEST]
            was[name] = sent.get(f"was_{name}", "")[:LONGEST]
        return cls(typed, was)

    def rebased(self, now: Mapping[str, str]) -> "TypedForm":
        """Return the form as if drawn from `now`, with what the person changed kept as typed."""
        changed = {name: typed for name, typed in self.typed.items() if typed != self.was[name]}
        return TypedForm({**now, **changed}, now)

    def note(self, errors: Iterable[FieldError]) -> None:
        """Mark the fields that cannot be used, in the order of the form."""
        found = {error.field: error.message for error in errors}
        self.errors = {name: found[name] for name in self.typed if name in found}


class Reader:
    """Reads fields one after another and collects those that cannot be read.

    Such a field gives a value without meaning: call `finish` before using any of them.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._errors: list[FieldError] = []

    def refuse(self, name: str, message: Words) -> None:
        """Note that a field cannot be read."""
        self._errors.append(FieldError(name, message))

    def finish(self, check: Callable[[], None] = lambda: None) -> None:
        """Raise ValidationFailed when a field cannot be read, or `check` refuses one that can.

        `check` is the service's: what is possible (ranges, periods, lengths) is for it to say.
        """
        unreadable = {error.field for error in self._errors}
        try:
            check()
        except ValidationFailed as refusal:
            self._errors += [each for each in refusal.errors if each.field not in unreadable]
        if self._errors:
            raise ValidationFailed(self._errors)

    def text(self, name: str) -> str:
        """Return a text as one line with single spaces."""
        text = " ".join(unicodedata.normalize("NFC", self._values[name]).split())
        if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") for char in text):
            self.refuse(name, _l("This has characters that cannot be printed."))
        return text

    def whole(self, name: str) -> int:
        """Return a whole number; thousands may be set apart."""
        number = self.whole_or_none(name)
        if number is None:
            self.refuse(name, _l("Write a whole number, such as 25 or 150.000."))
        return UNREADABLE if number is None else number

    def whole_or_none(self, name: str) -> int | None:
        """Return a whole number, or None where nothing is typed."""
        typed = self._values[name].strip().removeprefix("Rp").strip()
        if not typed:
            return None
        if not WHOLE.fullmatch(typed):
            self.refuse(name, _l("Write a whole number, such as 25 or 150.000."))
            return UNREADABLE
        return int(re.sub("[^0-9]", "", typed))

    def moment(self, name: str, zone: tzinfo) -> datetime:
        """Return a time that was typed in `zone`, as UTC."""
        if not self._values[name].strip():
            self.refuse(name, _l("Choose a day and a time."))
        return self.moment_or_none(name, zone) or datetime.min.replace(tzinfo=UTC)

    def moment_or_none(self, name: str, zone: tzinfo) -> datetime | None:
        """Return a time, or None where nothing is typed."""
        typed = self._values[name].strip()
        when = read_typed_moment(typed, zone)
        if typed and when is None:
            self.refuse(name, _l("Write the day and the time like 2027-01-23T09:00."))
        return when

    def ticked(self, name: str) -> bool:
        """Tell whether a box is ticked."""
        return self._values[name] == TICKED

    def chosen(self, name: str, known: Collection[int]) -> tuple[int, ...]:
        """Return the ids that are chosen, those that exist, in order."""
        ids = {int(one) for one in self._values[name].split(",") if one.isascii() and one.isdigit()}
        return tuple(sorted(ids & set(known)))


def typed_whole(number: int | None) -> str:
    """Return a number as a form shows it: `150.000`; nothing for None."""
    return "" if number is None else format_decimal(number, locale="id")


def typed_moment(when: datetime | None, zone: tzinfo) -> str:
    """Return a time as a form shows it, in `zone` and to the minute."""
    return when.astimezone(zone).strftime(TYPED_TIME) if when else ""


def read_typed_moment(typed: str, zone: tzinfo) -> datetime | None:
    """Return the time in UTC, or None where this is no time."""
    try:
        return datetime.strptime(typed, TYPED_TIME).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of year 1 are none in UTC
        return None


def keep_seconds(read: Wish, now: Wish) -> Wish:
    """Return `read` with the times of `now` where they differ by less than a form shows."""
    same: dict[str, Any] = {
        each.name: there
        for each in fields(now)
        if isinstance(there := getattr(now, each.name), datetime)
        and there.replace(second=0, microsecond=0) == getattr(read, each.name)
    }
    return replace(read, **same)


def typed_tick(is_on: bool) -> str:
    """Return a ticked box as it is sent."""
    return TICKED if is_on else ""


def typed_ids(ids: Sequence[int]) -> str:
    """Return choices as `TypedForm.sent` joins them."""
    return ",".join(str(one) for one in sorted(ids))
