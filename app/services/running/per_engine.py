"""What a process remembers of a database: made when first asked for, gone with its engine."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

Kept = TypeVar("Kept")


def per_engine(make: Callable[[sa.Engine], Kept]) -> Callable[[sa.Engine], Kept]:
    """Call a function once for each engine, and return what it made ever after.

    What it makes must not hold the engine, or neither would ever go. Threads that come at the same
    moment get the same: what one of them made in vain is dropped.
    """
    kept: WeakKeyDictionary[sa.Engine, Kept] = WeakKeyDictionary()

    @wraps(make)
    def of(engine: sa.Engine) -> Kept:
        if (found := kept.get(engine)) is not None:
            return found
        return kept.setdefault(engine, make(engine))

    return of
