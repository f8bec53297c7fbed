"""The request id: one thread through log lines, jobs and outgoing calls."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "X-Request-ID"
_VALID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def new_request_id() -> str:
    """Make an id nobody has used."""
    return secrets.token_hex(8)


def accept_request_id(offered: str | None) -> str:
    """Return what the caller sent when it is well formed, else a new id."""
    return offered if offered and _VALID.fullmatch(offered) else new_request_id()


def current_request_id() -> str:
    """Return the id of what is being done now; empty at start-up."""
    return _current.get()


@contextmanager
def request_id(value: str) -> Iterator[None]:
    """Make `value` the current id inside the block."""
    token = _current.set(value)
    try:
        yield
    finally:
        _current.reset(token)
