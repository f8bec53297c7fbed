"""Waiting for what other processes do: a poll with a deadline, never a bare sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# How long a test waits for what must happen: a wait that ends well costs nothing, however long it
# might have been, and a slow machine beside busy neighbours must not fail a test.
PATIENCE = 120.0


class NeverHappened(AssertionError):
    """What a test waited for did not come within its deadline."""


def eventually(
    look: Callable[[], T],
    *,
    within: float = PATIENCE,
    every: float = 0.05,
    what: str | None = None,
) -> T:
    """Return the first truthy result of `look`, asked every `every` s for at most `within` s.

    An AssertionError inside `look` means "not yet", so that a whole assertion may be awaited.
    Raises NeverHappened with the last result or assertion. Any other exception passes through.
    """
    deadline = time.monotonic() + within
    while True:
        last: object
        try:
            found = look()
        except AssertionError as refusal:
            last = refusal
        else:
            if found:
                return found
            last = found
        if time.monotonic() >= deadline:
            name = what or getattr(look, "__qualname__", repr(look))
            raise NeverHappened(f"{name}: not within {within:g} s; at last: {last!r}")
        time.sleep(every)
