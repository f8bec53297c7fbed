"""What a request says of where it comes from: an API key, a device's cookie. Looked up once each.

Rate limits count known keys and devices by themselves: at the door many phones share an address.
Who invents one is counted by address.
"""

import hashlib
from contextlib import suppress

from flask import request
from flask_limiter.util import get_remote_address
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utcnow
from app.services.door import devices
from app.services.door.callers import DoorCaller
from app.services.office.partners import Partner, find_partner

DEVICE_COOKIE = "door_device"
_DEVICE = "tickets.device"
_PARTNER = "tickets.partner"


def sent_key() -> str | None:
    """Return the API key that was sent, good or not."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" and key.strip() else None


def known_partner() -> Partner | None:
    """Return whose key was sent; None without a good one."""
    key = sent_key()
    if key is None:
        return None
    if _PARTNER not in request.environ:
        request.environ[_PARTNER] = find_partner(key)
    found: Partner | None = request.environ[_PARTNER]
    return found


def known_device() -> DoorCaller | None:
    """Return the device whose cookie was sent; None without a good one. Raises IsCutOff."""
    token = request.cookies.get(DEVICE_COOKIE)
    if not token:
        return None
    if _DEVICE not in request.environ:
        request.environ[_DEVICE] = _find_device(token)
    found: DoorCaller | devices.IsCutOff | None = request.environ[_DEVICE]
    if isinstance(found, devices.IsCutOff):
        raise found
    return found


def _find_device(token: str) -> DoorCaller | devices.IsCutOff | None:
    try:
        return devices.find_caller(token, now=utcnow())
    except devices.IsCutOff as error:
        return error


def caller() -> str:
    """Return who a rate limit counts: the key when one of ours is sent, else the address."""
    with suppress(SQLAlchemyError):  # the limiter would take it for trouble with its own storage
        if known_partner() is not None:
            return f"key:{hashlib.sha256((sent_key() or '').encode()).hexdigest()}"
    return get_remote_address()


def scanner() -> str:
    """Return who a rate limit counts at the door: the device when it is one of ours."""
    with suppress(devices.IsCutOff, SQLAlchemyError):
        if device := known_device():
            return f"device:{device.device_id}"
    return caller()
