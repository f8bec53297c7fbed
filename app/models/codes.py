"""Random codes people read, type and scan."""

import secrets

# Without 0 O 1 I L U, which are misread or misheard.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LANES = "ABCDEFGHIJKL"


def new_order_code() -> str:
    """Return a code such as `TX7K2M9QPA`: for mails, bank statements and the phone."""
    return "TX" + _random(8)


def new_order_token() -> str:
    """Return the unguessable part of an order page's address (192 random bits)."""
    return secrets.token_urlsafe(24)


def new_eticket_code() -> str:
    """Return the short code printed under a QR code, such as `7K2M-9QPA`: the last is a check.

    No other code of ours is one wrong character, or two swapped ones, away: a mistype is nobody's.
    """
    while True:
        digits = _random(7)
        if (check := _check_value(digits)) < len(ALPHABET):
            return f"{digits[:4]}-{digits[4:]}{ALPHABET[check]}"


def read_short_code(typed: str) -> str | None:
    """Return a typed short code as it is stored, `XXXX-XXXX`; None when it cannot be one."""
    digits = "".join(typed.upper().replace("-", " ").split())
    if len(digits) != 8 or not digits.isascii() or not digits.isalnum():
        return None
    return f"{digits[:4]}-{digits[4:]}"


def lane_of(seat_id: int) -> str:
    """Return the letter of the queue a seat belongs to; 12 letters share among 2, 3, 4 or 6."""
    return LANES[seat_id % len(LANES)]


def new_seat_id() -> int:
    """Return 40 random bits: what a signed code calls a seat."""
    return secrets.randbits(40)


def _check_value(digits: str) -> int:
    # Weights that differ modulo a prime above the alphabet's size tell any two places apart.
    weighted = (place * ALPHABET.index(digit) for place, digit in enumerate(digits, start=1))
    return sum(weighted) % 31


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
