"""Write the vectors of signed codes that server and scanner share.

Usage: `python -m tests.door.make_code_vectors`.

The keys are made from fixed seeds and used nowhere else. Running this again changes nothing.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.integrations.signing import SeatCode, sign_code
from app.models.codes import lane_of

FILE = Path(__file__).parent / "vectors" / "codes.json"
PRIVATE = {key_id: bytes([key_id]) * 32 for key_id in (1, 2, 3)}
PUBLISHED = (1, 2)  # key 3 is revoked
STRANGER = bytes([99]) * 32
FROM = datetime(2030, 1, 26, 1, 30, tzinfo=UTC)
UNTIL = datetime(2030, 1, 26, 11, 15, tzinfo=UTC)
SEAT = SeatCode(1, 0x12_3456_789A, 7, None, None)


def public(private: bytes) -> str:
    """Return the public half in hex."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()


def vectors() -> dict[str, Any]:
    """Return keys and codes, as the file holds them."""
    true = sign_code(SEAT, PRIVATE[1])
    codes = [
        good("no period, first key", SEAT, PRIVATE[1]),
        good("second key", SeatCode(2, 1, 65535, None, None), PRIVATE[2]),
        good("widest numbers", SeatCode(1, 2**40 - 1, 1, None, None), PRIVATE[1]),
        good("seat zero", SeatCode(1, 0, 1, None, None), PRIVATE[1]),
        good("a period inside hours", SeatCode(1, 5, 7, FROM, UNTIL), PRIVATE[1]),
        good("from a time on", SeatCode(1, 6, 7, FROM, None), PRIVATE[1]),
        good("over long before", SeatCode(1, 9, 7, FROM.replace(year=2020), None), PRIVATE[1]),
        *(
            good(f"lane {letter}", SeatCode(1, number, 7, None, None), PRIVATE[1])
            for number, letter in enumerate("ABCDEFGHIJKL", start=12)
        ),
        bad("signed by a stranger under our key id", sign_code(SEAT, STRANGER)),
        bad("signed by the other key of ours", sign_code(SEAT, PRIVATE[2])),
        bad("signed again for another seat", resigned(true)),
        bad("revoked key", sign_code(SeatCode(3, 5, 7, None, None), PRIVATE[3])),
        bad("unknown key", sign_code(SeatCode(9, 5, 7, None, None), STRANGER)),
        *(
            bad(f"byte {place} changed", tampered(true, place))
            for place in (0, 1, 5, 7, 11, 12, 75)
        ),
        bad("signature of something else", without_prefix()),
        bad("lower case", true.lower()),
        bad("one character short", true[:-1]),
        bad("one character long", true + "A"),
        bad("a second spelling of the last bits", true[:-1] + other_spelling(true[-1])),
        bad("a digit that base32 does not have", "1" + true[1:]),
        bad("space in front", " " + true[:-1]),
        bad("a code from before signing", "K5QWY3DPEHPK3PXPK5QWY3DPEH"),
        bad("an address", "HTTPS://TICKETS.EXAMPLE/T/" + true[:96]),
        bad("letters outside ASCII", "é" * 122),
        bad("nothing", ""),
    ]
    keys = [{"id": key_id, "publicKey": public(PRIVATE[key_id])} for key_id in PUBLISHED]
    return {"keys": keys, "codes": codes}


def good(name: str, seat: SeatCode, private: bytes) -> dict[str, Any]:
    """Return a vector of a true code, with what a reader finds in it."""
    text = sign_code(seat, private)
    start, length = period_bytes(text)
    return {
        "name": name,
        "text": text,
        "valid": True,
        "fields": {
            "keyId": seat.key_id,
            "seatId": seat.seat_id,
            "ticketId": seat.ticket_id,
            "lane": lane_of(seat.seat_id),
            "admitFrom": hours(start) if start else None,
            "admitUntil": None if length == 255 else hours(start + length),
        },
    }


def bad(name: str, text: str) -> dict[str, Any]:
    """Return a vector of a text that admits nobody."""
    return {"name": name, "text": text, "valid": False}


def packed(text: str) -> bytes:
    """Return a code's 76 bytes."""
    return base64.b32decode(text + "=" * 6)


def unpacked(data: bytes) -> str:
    """Return bytes as a code."""
    return base64.b32encode(data).decode().rstrip("=")


def tampered(text: str, place: int) -> str:
    """Return the code with one bit of one byte turned."""
    data = bytearray(packed(text))
    data[place] ^= 1
    return unpacked(bytes(data))


def resigned(text: str) -> str:
    """Return the true signature under another seat's fields."""
    other = sign_code(SeatCode(1, 77, 7, None, None), PRIVATE[1])
    return unpacked(packed(other)[:12] + packed(text)[12:])


def without_prefix() -> str:
    """Return fields signed by the right key, but without what tells our codes from other texts."""
    fields = packed(sign_code(SEAT, PRIVATE[1]))[:12]
    return unpacked(fields + Ed25519PrivateKey.from_private_bytes(PRIVATE[1]).sign(fields))


def other_spelling(last: str) -> str:
    """Return the base32 digit that differs only in the bits beyond the last byte."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return digits[digits.index(last) ^ 1]


def period_bytes(text: str) -> tuple[int, int]:
    """Return the two numbers of the period as they are written."""
    data = packed(text)
    return int.from_bytes(data[8:11], "big"), data[11]


def hours(number: int) -> str:
    """Return the moment this many hours after 1970."""
    return datetime.fromtimestamp(number * 3600, UTC).isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
