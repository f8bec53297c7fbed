"""A crowd that is refused: told to come back at different moments, and later the larger it is."""

import math
import random
import time
from collections.abc import Callable

from app.errors import Busy

# Two of 200 who are refused at one moment should not come back at one moment: each comes at a time
# drawn between the soonest and the latest, and the latest moves out with the crowd, to a bound.
# Who is put off for long hears late that all is gone; a refusal costs a tenth of a millisecond.
SOONEST_RETRY = 2
LATEST_RETRY = 5
LONGEST_RETRY = 8


class Crowded(Busy):
    """Too many were before this request; nothing of it was done.

    `latest` is how many seconds from now the last of those refused now should come back.
    """

    def __init__(self, latest: int = LATEST_RETRY) -> None:
        super().__init__()
        self.retry_after = random.randint(SOONEST_RETRY, latest)  # noqa: S311 (jitter)


class Crowd:
    """Estimates how long those who were refused lately would take to serve.

    Both counts fade, so that only the last moments count: with SPAN seconds, by two thirds.
    """

    SPAN = 5.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        self._served = self._refused = 0.0

    def note(self, *, is_served: bool) -> None:
        """Count one more who was served, or refused."""
        now = self._clock()
        left = math.exp((self._at - now) / self.SPAN)
        self._at = now
        self._served = self._served * left + is_served
        self._refused = self._refused * left + (not is_served)

    def latest_retry(self) -> int:
        """Return by when, in seconds, those who are refused now should all have come back."""
        seconds = self.SPAN * self._refused / max(self._served, 1.0)
        return round(min(max(seconds, LATEST_RETRY), LONGEST_RETRY))
