"""Fault switches: named, documented, and on for ever or for a number of uses."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Switch:
    """Describe one switch: what it does when on, and its settings with their defaults."""

    name: str
    does: str
    settings: Mapping[str, Any] = field(default_factory=dict)


class SwitchError(ValueError):
    """A switch, or a setting of one, that does not exist or has the wrong type."""

    def __init__(self, message: str, known: list[str]) -> None:
        super().__init__(message)
        self.known = known


class Switchboard:
    """Hold which switches are on; safe to use from any thread."""

    def __init__(self, switches: Iterable[Switch]) -> None:
        self._table = {switch.name: switch for switch in switches}
        self._on: dict[str, dict[str, Any]] = {}
        self._times: dict[str, int] = {}
        self._lock = threading.Condition()
        self._clearings = 0

    def set(self, name: str, settings: Mapping[str, Any]) -> None:
        """Turn a switch on, replacing its earlier settings.

        `times` limits it to that many uses. Raises SwitchError for an unknown name or setting.
        """
        self.set_all({name: settings})

    def set_all(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Turn several switches on, or none when one of them is wrong (SwitchError)."""
        checked = {name: self._checked(name, settings) for name, settings in wanted.items()}
        with self._lock:
            for name, (settings, times) in checked.items():
                self._on[name] = settings
                self._times.pop(name, None)
                if times is not None:
                    self._times[name] = times

    def take(self, name: str, **facts: str) -> dict[str, Any] | None:
        """Use a switch once: its name and settings (never empty) when it is on, else None.

        A fact such as `call="create"` must equal the setting of that name unless that is empty.
        """
        with self._lock:
            settings = self._on.get(name)
            if settings is None or any(settings[k] not in ("", v) for k, v in facts.items()):
                return None
            if name in self._times:
                self._times[name] -= 1
                if self._times[name] <= 0:
                    del self._on[name], self._times[name]
            return {"name": name, **settings}

    def clear(self, name: str | None = None) -> None:
        """Turn one switch off, or all of them."""
        if name is not None and name not in self._table:
            raise self._unknown(name)
        with self._lock:
            for each in [name] if name else list(self._on):
                self._on.pop(each, None)
                self._times.pop(each, None)
            self._clearings += 1
            self._lock.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait so long, or until a switch is turned off: what was slow goes on then."""
        with self._lock:
            before = self._clearings
            self._lock.wait_for(lambda: self._clearings != before, seconds)

    def on(self) -> dict[str, dict[str, Any]]:
        """Return the settings of every switch that is on, with the uses left if limited."""
        with self._lock:
            return {
                name: settings | ({"times": self._times[name]} if name in self._times else {})
                for name, settings in self._on.items()
            }

    def table(self) -> list[dict[str, Any]]:
        """Return every switch there is: name, does, settings with defaults."""
        return [
            {"name": s.name, "does": s.does, "settings": dict(s.settings)}
            for s in self._table.values()
        ]

    def _checked(self, name: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], int | None]:
        if name not in self._table:
            raise self._unknown(name)
        defaults = self._table[name].settings
        rest = dict(settings)
        times = rest.pop("times", None)
        if times is not None and (type(times) is not int or times < 1):
            raise SwitchError(f"{name}: times must be a whole number from 1", list(self._table))
        for key, value in rest.items():
            if key not in defaults:
                raise SwitchError(f"{name} has no setting {key!r}", [*defaults, "times"])
            if not _same_kind(value, defaults[key]):
                kind = type(defaults[key]).__name__
                raise SwitchError(f"{name}: {key} must be of type {kind}", list(defaults))
        return {**defaults, **rest}, times

    def _unknown(self, name: str) -> SwitchError:
        return SwitchError(f"no switch is called {name!r}", list(self._table))


def _same_kind(value: object, default: object) -> bool:
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(default)
