"""What was done, counted by many threads, and what was promised to buyers."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Wish:
    """One order that somebody wants, under one idempotency key, however often it is sent."""

    key: str
    email: str
    body: dict[str, Any]
    codes: set[str] = field(default_factory=set)
    refusal: str = ""

    @property
    def is_answered(self) -> bool:
        return bool(self.codes or self.refusal)


class Tally:
    """Counts by name; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.wishes: list[Wish] = []
        self.surprises: list[str] = []

    def count(self, what: str, times: int = 1) -> None:
        with self._lock:
            self._counts[what] += times

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    def add(self, wish: Wish) -> None:
        with self._lock:
            self.wishes.append(wish)

    @contextmanager
    def surprising(self, who: str) -> Iterator[None]:
        """Keep an exception nobody expected: a thread must not die unseen."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (it becomes a finding)
            with self._lock:
                self.surprises.append(f"{who}: {error!r}")

    def lines(self) -> list[str]:
        """Return the counts, one a line, by name."""
        return [f"  {number:6}  {what}" for what, number in sorted(self._counts.items())]
