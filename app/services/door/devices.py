"""Phones at the door: added, paired once, seen, cut off."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from app.errors import Busy
from app.models import Device, DeviceRole, DoorSettings, Gate
from app.models.codes import ALPHABET
from app.services.door.callers import DoorCaller
from app.services.door.noting import device_facts, note_device
from app.services.running.attempts import Limit, count_attempt, forgive
from app.services.running.audit import Actor, By
from app.services.running.tokens import hash_token, new_token
from app.services.running.transaction import affected, reading, transaction, use_case

NAME_LENGTH = 64
CODE_LENGTH = 9  # of 30 symbols: 44 bits, for ten minutes
CODE_VALID = timedelta(minutes=10)
MOST_GUESSES = 300  # by one address, which a whole venue may share
SEEN_EVERY = timedelta(seconds=10)

# Columns rather than objects: every scan takes this path.
_DEVICES = cast(sa.Table, Device.__table__)
_GATES = cast(sa.Table, Gate.__table__)
_OF_GATE = ("name", "ticket_ids", "opens_at", "closes_at", "has_reentry", "has_exit")
_CALLER = (
    sa.select(
        _DEVICES.c.id,
        _DEVICES.c.name,
        _DEVICES.c.role,
        _DEVICES.c.lanes,
        _DEVICES.c.cut_off_at,
        _DEVICES.c.last_seen_at,
        sa.select(DoorSettings.is_lane_mode)
        .where(DoorSettings.id == 1)
        .scalar_subquery()
        .label("is_lane_mode"),
        *[_GATES.c[column].label(f"gate_{column}") for column in _OF_GATE],
    )
    .outerjoin(_GATES, _GATES.c.id == _DEVICES.c.gate_id)
    .where(_DEVICES.c.token_hash == sa.bindparam("token_hash"))
)


class IsCutOff(Exception):
    """The device was cut off: what it holds is to be wiped."""


class NotPaired(Exception):
    """The code is unknown, was used, or has run out."""


class DeviceGone(Exception):
    """There is no such device, or it was cut off meanwhile."""


class DeviceChanged(Exception):
    """Somebody else changed it since the page was shown."""


@dataclass(frozen=True)
class DeviceWish:
    """What staff say of a phone; `lanes` are letters in order, such as `ABCD`."""

    name: str
    role: DeviceRole
    gate_id: int | None
    lanes: str


@dataclass(frozen=True)
class Pairing:
    """A phone and the code that pairs it, which is not kept anywhere else."""

    device_id: int
    code: str


def find_caller(token: str, *, now: datetime) -> DoorCaller | None:
    """Return the device with this token; None when it is nobody's. Raises IsCutOff.

    One statement, and now and then a second one that notes when it was last seen.
    """
    with reading() as session:
        known = {"token_hash": hash_token(token)}
        device = session.connection().execute(_CALLER, known).one_or_none()
    if device is None:
        return None
    if device.cut_off_at is not None:
        raise IsCutOff
    if device.last_seen_at is None or now - device.last_seen_at > SEEN_EVERY:
        with suppress(Busy):  # no reason to keep a guest waiting
            note_seen(device.id, now=now)
    return DoorCaller(
        device_id=device.id,
        staff_id=None,
        api_key_id=None,
        name=device.name,
        role=device.role.value,
        gate=_gate(device),
        lanes=device.lanes if device.is_lane_mode and device.role is DeviceRole.SCANNER else None,
    )


def _gate(row: sa.Row[*tuple[Any, ...]]) -> Gate | None:
    if row.gate_name is None:
        return None
    return Gate(**{column: getattr(row, f"gate_{column}") for column in _OF_GATE})


@use_case
def note_seen(device_id: int, *, now: datetime, report: Mapping[str, Any] | None = None) -> None:
    """Note that a device called, and what it says of itself: battery, queued, tickets, clock."""
    values: dict[str, Any] = {"last_seen_at": now}
    if report is not None:
        values["report"] = dict(report)
    with transaction() as session:
        affected(session, sa.update(Device).where(Device.id == device_id).values(**values))


def detach(session: sa.orm.Session, found: Sequence[Device]) -> None:
    """Let devices and their gates outlive the session: what is known of them stays readable."""
    for one in {*found, *(device.gate for device in found if device.gate)}:
        session.expunge(one)


def list_devices() -> Sequence[Device]:
    """Return all devices in use in the order they were added, then those that were cut off."""
    with reading() as session:
        wanted = sa.select(Device).order_by(Device.cut_off_at.is_not(None), Device.id)
        found = session.scalars(wanted).all()
        detach(session, found)
        return found


def find_device(device_id: int) -> Device | None:
    """Return one device."""
    with reading() as session:
        device = session.get(Device, device_id)
        detach(session, [device] if device else [])
        return device


@use_case
def add_device(wish: DeviceWish, *, by: By, now: datetime) -> Pairing:
    """Add a phone and return the code that pairs it once, within CODE_VALID."""
    code = _new_code()
    with transaction() as session:
        device = _new_device(wish, by, now)
        device.pairing_hash, device.pairing_expires_at = hash_token(code), now + CODE_VALID
        session.add(device)
        session.flush()
        note_device(session, "device.added", device, by, now, after=device_facts(session, device))
        return Pairing(device.id, code)


@use_case
def renew_code(device_id: int, *, by: By, now: datetime) -> Pairing:
    """Return another code for a phone that is not paired yet; the one before ends.

    Raises DeviceGone.
    """
    code = _new_code()
    is_waiting = (
        Device.id == device_id,
        Device.token_hash.is_(None),
        Device.cut_off_at.is_(None),
    )
    with transaction() as session:
        change = sa.update(Device).where(*is_waiting)
        change = change.values(pairing_hash=hash_token(code), pairing_expires_at=now + CODE_VALID)
        if not affected(session, change):
            raise DeviceGone
        note_device(session, "device.code_renewed", session.get_one(Device, device_id), by, now)
    return Pairing(device_id, code)


def pair(code: str, *, address: str, now: datetime) -> str:
    """Exchange a code for a device's token, once. Raises NotPaired, RateLimited.

    `address` is the caller's, whose failures are counted.
    """
    counted = count_attempt([Limit("pairing", address, MOST_GUESSES, CODE_VALID)], now=now)
    token = _exchange(code, now)
    forgive(counted)
    return token


@use_case
def _exchange(code: str, now: datetime) -> str:
    """Do it by one conditional UPDATE: of two phones with one code, one wins."""
    token = new_token()
    is_good = (
        Device.pairing_hash == hash_token(_plain(code)),
        Device.pairing_expires_at > now,
        Device.cut_off_at.is_(None),
    )
    values = {
        "pairing_hash": None,
        "pairing_expires_at": None,
        "token_hash": hash_token(token),
        "paired_at": now,
        "last_seen_at": now,
    }
    with transaction() as session:
        if affected(session, sa.update(Device).where(*is_good).values(**values)) != 1:
            raise NotPaired
    return token


@use_case
def adopt(wish: DeviceWish, *, by: By, owner_id: int | None = None, now: datetime) -> str:
    """Add the phone somebody is logged in on, paired at once; return its token.

    `owner_id` is whose account it is: the phone goes when all sessions of that are ended.
    """
    token = new_token()
    with transaction() as session:
        device = _new_device(wish, by, now)
        device.owner_id = owner_id
        device.token_hash, device.paired_at, device.last_seen_at = hash_token(token), now, now
        session.add(device)
        session.flush()
        note_device(session, "device.added", device, by, now, after=device_facts(session, device))
    return token


@use_case
def change_device(device_id: int, wish: DeviceWish, *, version: str, by: By, now: datetime) -> None:
    """Change a phone that still is what the page showed. Raises DeviceGone, DeviceChanged."""
    with transaction() as session:
        device = session.get(Device, device_id, with_for_update=True, populate_existing=True)
        if device is None or device.cut_off_at is not None:
            raise DeviceGone
        if version_of(device) != version:
            raise DeviceChanged
        before = device_facts(session, device)
        device.name, device.role = wish.name, wish.role
        device.gate_id, device.lanes = wish.gate_id, wish.lanes
        note_device(
            session, "device.changed", device, by, now, before, device_facts(session, device)
        )


@use_case
def cut_off(device_id: int, *, by: By, now: datetime) -> None:
    """Let a device do nothing any more, from its next call on; does nothing when it is already."""
    is_in_use = (Device.id == device_id, Device.cut_off_at.is_(None))
    change = sa.update(Device).where(*is_in_use)
    with transaction() as session:
        gone = {"cut_off_at": now, "pairing_hash": None, "pairing_expires_at": None}
        if affected(session, change.values(**gone)):
            note_device(session, "device.cut_off", session.get_one(Device, device_id), by, now)


def version_of(device: Device) -> str:
    """Return what tells whether a page shows the device as it is."""
    facts = (device.name, device.role.value, device.gate_id, device.lanes)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _new_device(wish: DeviceWish, by: By, now: datetime) -> Device:
    return Device(
        name=wish.name,
        role=wish.role,
        gate_id=wish.gate_id,
        lanes=wish.lanes,
        created_by=Actor.of(by).name,
        created_at=now,
    )


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(letters[start : start + 3] for start in range(0, CODE_LENGTH, 3))


def _plain(code: str) -> str:
    """Return a typed code as it was made: capitals, dashes where they belong."""
    letters = "".join(char for char in code.upper() if char.isalnum())[: CODE_LENGTH + 1]
    return "-".join(letters[start : start + 3] for start in range(0, len(letters), 3))
