"""Random codes people read, type and scan."""

import base64
import secrets

# Without 0 O 1 I L U, which are misread or misheard.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_order_code() -> str:
    """Return a code such as `TX7K2M9QPA`: for mails, bank statements and the phone."""
    return "TX" + _random(8)


def new_order_token() -> str:
    """Return the unguessable part of an order page's address (192 random bits)."""
    return secrets.token_urlsafe(24)


def new_eticket_code() -> str:
    """Return the short code printed under a QR code, such as `7K2M-9QPA`."""
    return f"{_random(4)}-{_random(4)}"


def new_qr_text() -> str:
    """Return what a QR code holds: 128 random bits in base32, which QR stores compactly."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def new_seat_id() -> int:
    """Return 40 random bits: what a signed code calls a seat."""
    return secrets.randbits(40)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
