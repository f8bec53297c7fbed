"""What the forms of staff share: values in words, and what somebody else changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import Words
from app.formatting import short_datetime
from app.forms.typed import TICKED, read_typed_moment
from app.gateways import current_settings

CHANGED_MEANWHILE = _l("Somebody else changed this meanwhile. You see how it is now.")

# Says the value of a field that stands for something else, such as an id for a name.
Say = Callable[[str, str], str]


@dataclass(frozen=True)
class Conflict:
    """A field that two people changed: what this one typed, and what it is now."""

    field: str
    name: Words
    typed: str
    now: str


def tell_conflicts(
    fields: Iterable[str],
    typed: Mapping[str, str],
    now: Mapping[str, str],
    *,
    names: Mapping[str, Words],
    say: Say = lambda _field, value: value,
) -> list[Conflict]:
    """Return in words what was typed and what is there now, for each of `fields`."""
    return [
        Conflict(one, names[one], _say(one, typed[one], say), _say(one, now[one], say))
        for one in fields
    ]


def _say(field: str, value: str, say: Say) -> str:
    if field.startswith("is_"):
        return str(_("yes") if value == TICKED else _("no"))
    if field.endswith(("_from", "_until")):
        zone = current_settings().event.timezone
        when = read_typed_moment(value, zone)
        value = short_datetime(when, zone) if when else value
    return say(field, value) or "–"


def is_preview() -> bool:
    """Tell whether the form is only to be shown again, with what buyers would see."""
    return request.form.get("intent") == "preview"


def sent_step() -> int:
    """Return -1 for up, 1 for down, 0 for anything else that was sent."""
    return {"up": -1, "down": 1}.get(request.form.get("to", ""), 0)
