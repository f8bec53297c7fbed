"""Who may call: API keys and their scopes."""

import functools
import hashlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import g, request
from flask_limiter.util import get_remote_address

from app.errors import ApiKeyInvalid, ApiKeyRequired, InsufficientScope
from app.gateways import current_settings
from app.services.office.partners import find_partner

P = ParamSpec("P")
R = TypeVar("R")


def requires_key(scope: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view through with an API key of this scope only; `g.api_key_id` names it.

    Without `API_KEY_REQUIRED` a missing key is fine, but one that is sent must be good. Raises
    ApiKeyRequired, ApiKeyInvalid, InsufficientScope.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.api_key_id = _check_key(scope)
            return view(*args, **kwargs)

        return guarded

    return decorate


def caller() -> str:
    """Return who a rate limit counts: the key when one is sent, else the address."""
    key = _sent_key()
    return f"key:{hashlib.sha256(key.encode()).hexdigest()}" if key else get_remote_address()


def _check_key(scope: str) -> int | None:
    key = _sent_key()
    if key is None:
        if current_settings().api_key_required:
            raise ApiKeyRequired
        return None
    partner = find_partner(key)
    if partner is None:
        raise ApiKeyInvalid
    if scope not in partner.scopes:
        raise InsufficientScope
    return partner.api_key_id


def _sent_key() -> str | None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" and key.strip() else None
