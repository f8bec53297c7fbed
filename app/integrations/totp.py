"""Time-based codes of the second factor (RFC 6238): six digits, thirty seconds, SHA-1."""

from datetime import datetime

import pyotp

STEP_SECONDS = 30
DRIFT = 1  # steps a phone's clock may be behind or ahead


def new_secret() -> str:
    """Return 160 random bits as base32, the form an app takes when typed."""
    return pyotp.random_base32()


def find_step(secret: str, code: str, *, now: datetime) -> int | None:
    """Return the step, counted from 1970, that this code belongs to; None when it is wrong.

    A caller that remembers the last step refuses a code that was used.
    """
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if pyotp.utils.strings_equal(code, totp.generate_otp(step)):
            found = step
    return found


def setup_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth://` address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)
