"""The forms of the door: what staff type of gates and phones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.errors import Words
from app.forms.fields import FieldProblem, parse_full_name
from app.forms.typed import read_typed_moment, typed_moment
from app.models import Device, DeviceRole, Gate
from app.models.codes import LANES
from app.services.door import devices, gates
from app.services.door.devices import DeviceWish
from app.services.door.gates import GateWish

TO_THE_MINUTE = len("2027-01-23T09:00")  # some browsers send seconds too


@dataclass
class GateForm:
    """A gate as it stands in its form; times as typed, in the event's zone."""

    name: str = ""
    ticket_ids: Collection[int] = ()
    opens_at: str = ""
    closes_at: str = ""
    has_reentry: bool = False
    has_exit: bool = False
    version: str = ""
    errors: dict[str, Words] = field(default_factory=dict)

    @classmethod
    def of(cls, gate: Gate, zone: tzinfo) -> "GateForm":
        """Return the form that shows a gate as it is."""
        return cls(
            gate.name,
            gate.ticket_ids,
            typed_moment(gate.opens_at, zone),
            typed_moment(gate.closes_at, zone),
            gate.has_reentry,
            gate.has_exit,
            gates.version_of(gate),
        )

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> "GateForm":
        """Return the form as it was sent."""
        return cls(
            typed.get("name", "")[: gates.NAME_LENGTH + 1],
            [int(one) for one in typed.getlist("tickets") if one.isdecimal() and len(one) < 10],
            typed.get("opens_at", "")[:30],
            typed.get("closes_at", "")[:30],
            "has_reentry" in typed,
            "has_exit" in typed,
            typed.get("version", "")[:16],
        )

    def parse(self, zone: tzinfo, known_tickets: Collection[int]) -> GateWish | None:
        """Return what is wished, or None with `errors` filled."""
        name = _name(self.name, gates.NAME_LENGTH, self.errors)
        opens_at = self._time("opens_at", self.opens_at, zone)
        closes_at = self._time("closes_at", self.closes_at, zone)
        if opens_at and closes_at and opens_at >= closes_at:
            self.errors["closes_at"] = _l("The gate has to close after it opens.")
        if self.has_reentry and not self.has_exit:
            self.errors["has_exit"] = _l("Coming back needs scanning out: tick both, or none.")
        if self.errors:
            return None
        chosen = tuple(one for one in self.ticket_ids if one in known_tickets)
        return GateWish(name, chosen, opens_at, closes_at, self.has_reentry, self.has_exit)

    def _time(self, name: str, typed: str, zone: tzinfo) -> datetime | None:
        when = read_typed_moment(typed.strip()[:TO_THE_MINUTE], zone)
        if typed.strip() and when is None:
            self.errors[name] = _l("Write the time like 2027-01-23T09:00, or leave it empty.")
        return when


@dataclass
class DeviceForm:
    """A phone as it stands in its form."""

    name: str = ""
    role: str = DeviceRole.SCANNER.value
    gate_id: int | None = None
    lanes: str = ""
    version: str = ""
    errors: dict[str, Words] = field(default_factory=dict)

    @classmethod
    def of(cls, device: Device) -> "DeviceForm":
        """Return the form that shows a phone as it is."""
        version = devices.version_of(device)
        return cls(device.name, device.role.value, device.gate_id, device.lanes, version)

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> "DeviceForm":
        """Return the form as it was sent."""
        lanes = typed.getlist("lanes")
        return cls(
            typed.get("name", "")[: devices.NAME_LENGTH + 1],
            typed.get("role", ""),
            typed.get("gate", type=int),
            "".join(letter for letter in LANES if letter in lanes),
            typed.get("version", "")[:16],
        )

    def parse(self, gate_names: Mapping[int, str]) -> DeviceWish | None:
        """Return what is wished, or None with `errors` filled."""
        name = _name(self.name, devices.NAME_LENGTH, self.errors)
        if self.role not in {role.value for role in DeviceRole}:
            self.errors["role"] = _l("Choose what the phone may do.")
        if self.gate_id not in gate_names:
            self.errors["gate"] = _l("Choose the gate where the phone stands.")
        if self.errors:
            return None
        return DeviceWish(name, DeviceRole(self.role), self.gate_id, self.lanes)


def _name(typed: str, longest: int, errors: dict[str, Words]) -> str:
    try:
        name = parse_full_name(typed)
    except FieldProblem as problem:
        errors["name"] = problem.message
        return ""
    if len(name) > longest:
        errors["name"] = _l("Please shorten the name to %(num)d characters.", num=longest)
    return name
