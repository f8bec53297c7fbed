"""Tokens: random secrets that open a session, a phone or the API, kept as hashes alone."""

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits, as text that a cookie or a header can carry."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is stored of a token: looked up by it, no time tells how much was right.

    A plain SHA-256 will do: nobody tries out 256 random bits, nor a pairing code's 44 in the ten
    minutes that it is good.
    """
    return hashlib.sha256(token.encode()).hexdigest()
