"""What a visitor's browser keeps of the fair door: a place in line, and the turn it led to.

Both are signed, so that nobody can make one up; the place's key is stored, and is worth one turn
and one order, to whoever holds it.
"""

import hashlib
from datetime import UTC, datetime, timedelta

from flask import request
from itsdangerous import BadSignature, Signer
from werkzeug.wrappers import Response

from app.services.waiting.look import Place
from app.services.waiting.places import Turn

PLACE = "fair_door_place"
TURN = "fair_door_turn"
KEEP = timedelta(days=1)


class Seals:
    """Writes and reads both cookies; anything that was not written here is nothing."""

    def __init__(self, secret: str) -> None:
        self._signers = {
            kind: Signer(secret, salt=kind, key_derivation="hmac", digest_method=hashlib.sha256)
            for kind in (PLACE, TURN)
        }

    def write_place(self, place: Place) -> str:
        return self._seal(PLACE, f"{place.door_id}.{place.id}.{place.key}")

    def read_place(self, sealed: str | None) -> Place | None:
        match self._open(PLACE, sealed):
            case [door_id, place_id, key]:
                return Place(int(door_id), int(place_id), key)
        return None

    def write_turn(self, turn: Turn) -> str:
        return self._seal(TURN, f"{turn.door_id}.{turn.place_id}.{turn.until.timestamp():.0f}")

    def read_turn(self, sealed: str | None) -> Turn | None:
        match self._open(TURN, sealed):
            case [door_id, place_id, until]:
                return Turn(int(door_id), int(place_id), datetime.fromtimestamp(int(until), UTC))
        return None

    def _seal(self, kind: str, value: str) -> str:
        return self._signers[kind].sign(value).decode()

    def _open(self, kind: str, sealed: str | None) -> list[str]:
        try:
            return self._signers[kind].unsign(sealed or "").decode().split(".")
        except (BadSignature, UnicodeError):
            return []


def keep_place(response: Response, sealed: str) -> None:
    """Have the browser keep a place; what it had of a turn ended with the place before."""
    _keep(response, PLACE, sealed)
    response.delete_cookie(TURN)


def keep_turn(response: Response, sealed: str) -> None:
    """Have the browser keep a turn, also past its end: it tells that there was one."""
    _keep(response, TURN, sealed)


def forget(response: Response) -> None:
    """Have the browser forget a turn that was used, and its place."""
    response.delete_cookie(PLACE)
    response.delete_cookie(TURN)


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=KEEP,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
