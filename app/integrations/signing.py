"""Signed codes: what the QR of an e-ticket holds, and how a scanner tells a true one.

A code is 76 bytes in base32: upper-case letters and digits only, so that it stays in QR's compact
alphanumeric mode (122 characters, version 5) and any keyboard scanner types it right. Its bytes:
key id (1), seat id (5), ticket id (2), hours since 1970 from which the seat may enter (3, 0 is not
limited), hours that follow (1, 255 is not limited), and the Ed25519 signature (64) over a fixed
prefix and those 12. The same rules stand in `static/js/door/codes.js`, held by shared vectors.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CODE_LENGTH = 122
LAST_KEY_ID = 255
_PREFIX = b"tedx-ticket-1"  # a signature of ours for anything else is worth nothing here
_FIELDS = struct.Struct(">B5s2s3sB")
_PADDING = "=" * (-CODE_LENGTH % 8)
_UNLIMITED = 255
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableKey(Exception):
    """A private key was sealed under another SECRET_KEY."""


@dataclass(frozen=True)
class SeatCode:
    """What a code says; the period is None where it is not limited."""

    key_id: int
    seat_id: int
    ticket_id: int
    admit_from: datetime | None
    admit_until: datetime | None


@dataclass(frozen=True)
class SignedCode:
    """A code as read from a symbol: what it says, which nobody has checked yet."""

    seat: SeatCode
    payload: bytes
    signature: bytes

    def is_true(self, public_keys: Mapping[int, bytes]) -> bool:
        """Tell whether one of these keys, by id, really signed it."""
        key = public_keys.get(self.seat.key_id)
        if key is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(self.signature, _PREFIX + self.payload)
        except InvalidSignature:
            return False
        return True


class KeyBox:
    """Keeps private keys sealed under SECRET_KEY, so that a copy of the database signs nothing."""

    def __init__(self) -> None:
        self._fernet: Fernet | None = None

    def open(self, secret_key: str) -> None:
        """Use this SECRET_KEY from now on."""
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tedx-signing-keys")
        self._fernet = Fernet(base64.urlsafe_b64encode(kdf.derive(secret_key.encode())))

    def seal(self, private_key: bytes) -> str:
        """Return the key as text that only this SECRET_KEY opens."""
        return self._opened().encrypt(private_key).decode("ascii")

    def unseal(self, sealed: str) -> bytes:
        """Return the key. Raises UnreadableKey."""
        try:
            return self._opened().decrypt(sealed.encode("ascii"))
        except InvalidToken as error:
            raise UnreadableKey from error

    def _opened(self) -> Fernet:
        if self._fernet is None:
            raise RuntimeError("the key box was never opened")
        return self._fernet


def new_key_pair() -> tuple[bytes, bytes]:
    """Return a private and its public key, 32 bytes each."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def sign_code(seat: SeatCode, private_key: bytes) -> str:
    """Return the code of a seat. Raises ValueError when a number does not fit its field."""
    payload = _pack(seat)
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(_PREFIX + payload)
    return _encode(payload + signature)


def parse_code(text: str) -> SignedCode | None:
    """Return what a scanned text says; None when it is no code of this form."""
    if len(text) != CODE_LENGTH:
        return None
    try:
        packed = base64.b32decode(text + _PADDING)
    except (binascii.Error, ValueError):
        return None
    if _encode(packed) != text:
        return None  # bits beyond the last byte: the same code must not have two spellings
    payload, signature = packed[: _FIELDS.size], packed[_FIELDS.size :]
    return SignedCode(_unpack(payload), payload, signature)


def _encode(packed: bytes) -> str:
    return base64.b32encode(packed).decode("ascii").rstrip("=")


def _pack(seat: SeatCode) -> bytes:
    if not 1 <= seat.key_id <= LAST_KEY_ID:
        raise ValueError("a key id is 1 to 255")
    start, length = _hours(seat.admit_from, seat.admit_until)
    try:
        return _FIELDS.pack(
            seat.key_id,
            seat.seat_id.to_bytes(5, "big"),
            seat.ticket_id.to_bytes(2, "big"),
            start.to_bytes(3, "big"),
            length,
        )
    except OverflowError as error:
        raise ValueError("a number is too large for its field") from error


def _hours(admit_from: datetime | None, admit_until: datetime | None) -> tuple[int, int]:
    """Return the first whole hour and how many follow, wide enough for the whole period."""
    start = (admit_from - _EPOCH) // _HOUR if admit_from else 0
    if admit_until is None:
        return start, _UNLIMITED
    length = -((_EPOCH - admit_until) // _HOUR) - start
    return start, min(length, _UNLIMITED)


def _unpack(payload: bytes) -> SeatCode:
    key_id, seat_id, ticket_id, start_bytes, length = _FIELDS.unpack(payload)
    start = int.from_bytes(start_bytes, "big")
    return SeatCode(
        key_id=key_id,
        seat_id=int.from_bytes(seat_id, "big"),
        ticket_id=int.from_bytes(ticket_id, "big"),
        admit_from=_EPOCH + start * _HOUR if start else None,
        admit_until=None if length == _UNLIMITED else _EPOCH + (start + length) * _HOUR,
    )
