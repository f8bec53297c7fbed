"""Gates: where people enter, with which tickets, when; and the lanes of all phones."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.models import Device, DeviceRole, DoorSettings, Gate
from app.models.codes import LANES
from app.services.door.devices import detach
from app.services.door.noting import gate_facts, note_gate
from app.services.running import audit
from app.services.running.audit import Actor, By, Subject
from app.services.running.transaction import affected, reading, transaction, use_case

NAME_LENGTH = 32
SETTINGS_ID = 1
LANES_SUBJECT = Subject("lanes", str(SETTINGS_ID))


class GateNameTaken(Exception):
    """Another gate has this name, or had it: scans name their gate for ever."""


class GateGone(Exception):
    """There is no such gate."""


class GateChanged(Exception):
    """Somebody else changed it since the page was shown."""


class GateInUse(Exception):
    """Phones stand there still."""


class ModeChanged(Exception):
    """Somebody else switched lane mode since the page was shown."""


@dataclass(frozen=True)
class GateWish:
    """What staff say of a gate; no ticket ids means every ticket, times are aware."""

    name: str
    ticket_ids: tuple[int, ...]
    opens_at: datetime | None
    closes_at: datetime | None
    has_reentry: bool
    has_exit: bool


@dataclass(frozen=True)
class Lanes:
    """How the letters of the lanes lie: on which phones, on none, on more than one."""

    is_on: bool
    scanners: Sequence[Device]
    supervisors: Sequence[Device]
    missing: str
    double: str


def list_gates(*, with_retired: bool = False) -> Sequence[Gate]:
    """Return the gates by name, those in use only unless asked for all."""
    wanted = sa.select(Gate).order_by(Gate.name)
    if not with_retired:
        wanted = wanted.where(Gate.retired_at.is_(None))
    with reading() as session:
        gates = session.scalars(wanted).all()
        for gate in gates:
            session.expunge(gate)
        return gates


def find_gate(gate_id: int) -> Gate | None:
    """Return one gate, retired or not."""
    with reading() as session:
        gate = session.get(Gate, gate_id)
        if gate is not None:
            session.expunge(gate)
        return gate


@use_case
def add_gate(wish: GateWish, *, by: By, now: datetime) -> int:
    """Add a gate and return its id. Raises GateNameTaken."""
    with transaction() as session:
        _check_name(session, wish.name)
        gate = Gate(created_at=now)
        _fill(gate, wish)
        session.add(gate)
        session.flush()
        note_gate(session, "gate.added", gate, by, now, after=gate_facts(session, gate))
        return gate.id


@use_case
def change_gate(gate_id: int, wish: GateWish, *, version: str, by: By, now: datetime) -> None:
    """Change a gate that still is what the page showed.

    Raises GateGone, GateChanged, GateNameTaken.
    """
    with transaction() as session:
        gate = _lock_gate(session, gate_id)
        if version_of(gate) != version:
            raise GateChanged
        _check_name(session, wish.name, but=gate_id)
        before = gate_facts(session, gate)
        _fill(gate, wish)
        note_gate(session, "gate.changed", gate, by, now, before, gate_facts(session, gate))


@use_case
def retire_gate(gate_id: int, *, by: By, now: datetime) -> None:
    """Take a gate out of use; its scans keep its name. Raises GateGone, GateInUse."""
    with transaction() as session:
        gate = _lock_gate(session, gate_id)
        is_there = (Device.gate_id == gate_id, Device.cut_off_at.is_(None))
        if session.scalar(sa.select(Device.id).where(*is_there).limit(1)):
            raise GateInUse
        if gate.retired_at is None:
            gate.retired_at = now
            note_gate(session, "gate.retired", gate, by, now)


@use_case
def reopen_gate(gate_id: int, *, by: By, now: datetime) -> None:
    """Take a retired gate into use again. Raises GateGone."""
    with transaction() as session:
        gate = _lock_gate(session, gate_id)
        if gate.retired_at is not None:
            gate.retired_at = None
            note_gate(session, "gate.reopened", gate, by, now)


def version_of(gate: Gate) -> str:
    """Return what tells whether a page shows the gate as it is."""
    times = [when.isoformat() if when else None for when in (gate.opens_at, gate.closes_at)]
    rules = (gate.has_reentry, gate.has_exit, gate.retired_at is None)
    facts = (gate.name, sorted(gate.ticket_ids), times, rules)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


# --- lanes --------------------------------------------------------------------------------------


def look_at_lanes() -> Lanes:
    """Return how the letters lie on the phones in use."""
    with reading() as session:
        devices = session.scalars(_in_use()).all()
        wanted = sa.select(DoorSettings.is_lane_mode).where(DoorSettings.id == SETTINGS_ID)
        is_on = bool(session.scalar(wanted))
        detach(session, devices)
    scanners = [device for device in devices if device.role is DeviceRole.SCANNER]
    given = "".join(device.lanes for device in scanners)
    return Lanes(
        is_on=is_on,
        scanners=scanners,
        supervisors=[device for device in devices if device.role is DeviceRole.SUPERVISOR],
        missing="".join(letter for letter in LANES if letter not in given),
        double="".join(letter for letter in LANES if given.count(letter) > 1),
    )


@use_case
def switch_lane_mode(is_on: bool, *, shown: bool, by: By, now: datetime) -> None:
    """Switch lane mode on or off, if it still is as the page showed. Raises ModeChanged."""
    values = {"is_lane_mode": is_on, "changed_by": Actor.of(by).name, "changed_at": now}
    with transaction() as session:
        is_known = session.get(DoorSettings, SETTINGS_ID) is not None
        if not is_known:
            if shown:
                raise ModeChanged
            session.add(DoorSettings(id=SETTINGS_ID, **values))
        is_as_shown = (DoorSettings.id == SETTINGS_ID, DoorSettings.is_lane_mode.is_(shown))
        change = sa.update(DoorSettings).where(*is_as_shown).values(**values)
        if is_known and not affected(session, change):
            raise ModeChanged
        audit.record(
            session,
            actor=by,
            action="lanes.switched",
            subject=LANES_SUBJECT,
            before={"is_lane_mode": shown},
            after={"is_lane_mode": is_on},
            now=now,
        )


@use_case
def spread_lanes(*, by: By, now: datetime) -> None:
    """Give each scanner in use its share of the letters: each letter once, shares differ by one."""
    with transaction() as session:
        devices = session.scalars(_in_use().with_for_update()).unique().all()
        scanners = [device for device in devices if device.role is DeviceRole.SCANNER]
        for device, lanes in zip(scanners, share_lanes(len(scanners)), strict=True):
            device.lanes = lanes
        audit.record(session, actor=by, action="lanes.spread", subject=LANES_SUBJECT, now=now)


def share_lanes(count: int) -> list[str]:
    """Return the letters of each of `count` phones; beyond twelve some get none."""
    if not count:
        return []
    edges = [len(LANES) * number // count for number in range(count + 1)]
    return [LANES[start:end] for start, end in itertools.pairwise(edges)]


def _in_use() -> sa.Select[Device]:
    return sa.select(Device).where(Device.cut_off_at.is_(None)).order_by(Device.id)


def _lock_gate(session: sa.orm.Session, gate_id: int) -> Gate:
    gate = session.get(Gate, gate_id, with_for_update=True, populate_existing=True)
    if gate is None:
        raise GateGone
    return gate


def _check_name(session: sa.orm.Session, name: str, but: int | None = None) -> None:
    """Refuse a name that is taken. Raises GateNameTaken."""
    taken = session.scalar(sa.select(Gate.id).where(Gate.name == name))
    if taken is not None and taken != but:
        raise GateNameTaken


def _fill(gate: Gate, wish: GateWish) -> None:
    gate.name, gate.ticket_ids = wish.name, sorted(wish.ticket_ids)
    gate.opens_at, gate.closes_at = wish.opens_at, wish.closes_at
    gate.has_reentry, gate.has_exit = wish.has_reentry, wish.has_exit
