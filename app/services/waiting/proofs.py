"""Proof of work: what a browser computes before it gets a place that takes part in the lot.

The work is ALTCHA's: to find the number which, after a salt of ours, has a given SHA-256. Nothing
is stored for it: whoever solves one gets a place whose key follows from the challenge, so a second
place for the same solution would have the same key.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from urllib.parse import parse_qs

from altcha.v1 import ChallengeOptions, PayloadType, create_challenge, verify_solution

ALGORITHM: Literal["SHA-256"] = "SHA-256"
# Half of it on average: about a second on a phone, longer on an old one.
MOST = 100_000
LIFE = timedelta(minutes=10)
# One of ours has about 420 characters.
LONGEST = 600
KEY_BYTES = 16
PARTS = {"algorithm": str, "challenge": str, "number": int, "salt": str, "signature": str}


@dataclass(frozen=True)
class Proof:
    """A solved challenge: the key of the place it is for, and the newest place when it was made."""

    key: str
    newest: int


class Proofs:
    """Makes challenges and reads their solutions; every process with the same secret can."""

    def __init__(self, secret: str) -> None:
        self._signing = _derive(secret, b"fair door: challenge").hex()
        self._placing = _derive(secret, b"fair door: place")

    def challenge(self, newest: int, now: datetime) -> str:
        """Return a new challenge as JSON; `newest` is the id of the newest place at this moment."""
        challenge = create_challenge(
            ChallengeOptions(
                algorithm=ALGORITHM,
                max_number=MOST,
                hmac_key=self._signing,
                expires=now + LIFE,
                params={"newest": str(newest)},
            )
        )
        return json.dumps(challenge.to_dict())

    def read(self, solution: str) -> Proof | None:
        """Return what a solution proves; None for anything that does not solve one of ours in time.

        `solution` is base64 of JSON, as ALTCHA's own widget sends it.
        """
        payload = _read_payload(solution)
        if payload is None or not verify_solution(payload, self._signing)[0]:
            return None
        newest = parse_qs(payload["salt"].partition("?")[2])["newest"][0]
        digest = hmac.digest(self._placing, payload["challenge"].encode(), "sha256")
        key = base64.urlsafe_b64encode(digest[:KEY_BYTES]).decode().rstrip("=")
        return Proof(key, int(newest))


def _read_payload(solution: str) -> PayloadType | None:
    """Return the parts of a solution when they are of the right kind, whoever sent them."""
    if len(solution) > LONGEST:
        return None
    try:
        sent = json.loads(base64.b64decode(solution, validate=True).decode("ascii"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(sent, dict):
        return None
    parts: dict[str, Any] = {name: sent.get(name) for name in PARTS}
    is_whole = all(type(parts[name]) is kind for name, kind in PARTS.items())
    is_whole = is_whole and parts["algorithm"] == ALGORITHM and parts["salt"].isascii()
    return cast(PayloadType, parts) if is_whole else None


def _derive(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, "sha256")
