"""Xendit's rate limit: a sliding window of one minute per endpoint."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Allowance:
    """Tell whether a call may pass, and what the Rate-Limit headers say."""

    passes: bool
    limit: int
    remaining: int
    reset_seconds: float

    def headers(self) -> dict[str, str]:
        """Write the three headers; the reset may be fractional, as recorded."""
        return {
            "Rate-Limit-Limit": str(self.limit),
            "Rate-Limit-Remaining": str(self.remaining),
            "Rate-Limit-Reset": f"{self.reset_seconds:.3f}".rstrip("0").rstrip("."),
        }


class SlidingWindow:
    """Count the calls of the last minute per endpoint; refused calls do not count."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[datetime]] = defaultdict(deque)
        self._lock = threading.Lock()

    def hit(self, endpoint: str, limit: int, now: datetime) -> Allowance:
        """Count one call, if it passes."""
        with self._lock:
            calls = self._calls[endpoint]
            while calls and calls[0] <= now - WINDOW:
                calls.popleft()
            passes = len(calls) < limit
            if passes:
                calls.append(now)
            oldest = calls[0] if calls else now
            reset = max((oldest + WINDOW - now).total_seconds(), 0.0)
            return Allowance(passes, limit, max(limit - len(calls), 0), reset)

    def reset(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
