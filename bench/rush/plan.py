"""The plan of a drill: how many come when, for how many seats, and what each is like."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FALLS_OFF = 3.0  # the rate of arrivals at the end is e to the minus this of that at the opening
PARTNERS_SHARE = 0.1
PARTNERS = 5
BEHIND_ONE_ADDRESS = 0.3  # of the visitors: carriers put many phones behind few addresses
CARRIER_ADDRESSES = 3


@dataclass(frozen=True)
class Plan:
    """Seeded, so that two runs draw the same lots; `hold` is in seconds, 60 or more.

    `calls_per_minute` is Xendit's limit, `latency_ms` what each of its answers takes, `deadline`
    seconds after the opening when time is wound forward for whatever is still open.
    """

    buyers: int = 5000
    seats: int = 500
    seconds: float = 60.0
    seed: int = 1
    hold: int = 90
    calls_per_minute: int = 600
    latency_ms: float = 200.0
    deadline: float = 240.0
    pace: float = 1.0  # factor on how long people think, type and take to pay
    has_fair_door: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Plan":
        """Read BUYERS, SEATS, SECONDS, SEED, HOLD, CALLS and FAIR_DOOR; raises ValueError."""
        default = cls()
        return cls(
            buyers=int(environ.get("BUYERS") or default.buyers),
            seats=int(environ.get("SEATS") or default.seats),
            seconds=float(environ.get("SECONDS") or default.seconds),
            seed=int(environ.get("SEED") or default.seed),
            hold=int(environ.get("HOLD") or default.hold),
            calls_per_minute=int(environ.get("CALLS") or default.calls_per_minute),
            has_fair_door=(environ.get("FAIR_DOOR") or "0") != "0",
        )

    def arrivals(self) -> Iterator[float]:
        """Yield when each buyer comes, in order: most at the opening, ever fewer later."""
        lots = random.Random(f"{self.seed}-arrivals")
        most = 1 - math.exp(-FALLS_OFF)
        yield from sorted(
            -math.log(1 - lots.random() * most) * self.seconds / FALLS_OFF
            for _ in range(self.buyers)
        )

    def amounts(self) -> tuple[int, int]:
        """Return the seats of both kinds of ticket, 3 to 2."""
        first = self.seats * 3 // 5
        return first, self.seats - first
