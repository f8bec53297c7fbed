"""How fast the line moves: as fast as the service takes visitors, and seats are left for them."""

from dataclasses import dataclass

MINUTE_US = 60_000_000
# How much may be made up for at once after ticks that nobody asked for.
AT_ONCE_US = 3_000_000
# Nobody's clock is as far ahead of ours: the row was written by one that was wrong.
ASTRAY_US = 5_000_000
# Signs of overload that come together are one: the line slows down once for all of them.
CALM_US = 5_000_000
SLOWEST = 6
GROWTH = 20
# Some of those admitted never order, so a few more may choose than there are seats.
MARGIN = 5
MARGIN_SHARE = 10


@dataclass(frozen=True)
class Seats:
    """What can be had at a moment: seats `left`, seats `held` that may come back."""

    left: int
    held: int
    is_on_sale: bool


def room(seats: Seats, choosing: int) -> int:
    """Return how many more may be let in while `choosing` visitors are still at it.

    Whoever chooses takes at least one seat. Without a seat left nobody is let in.
    """
    if seats.left <= 0:
        return 0
    return max(0, seats.left + seats.left // MARGIN_SHARE + MARGIN - choosing)


def due(ticked_us: int, at_us: int, per_minute: int) -> tuple[int, int]:
    """Return how many visitors the rate allows by now, and up to when that is accounted for.

    Fractions are kept for the next time; a long quiet time is not made up for.
    """
    elapsed = at_us - ticked_us
    if elapsed < -ASTRAY_US:
        return 0, at_us
    if elapsed > max(AT_ONCE_US, 2 * MINUTE_US // per_minute):
        return max(1, AT_ONCE_US * per_minute // MINUTE_US), at_us
    allowed = max(0, elapsed) * per_minute // MINUTE_US
    return allowed, ticked_us + allowed * MINUTE_US // per_minute


def next_rate(per_minute: int, most: int, *, is_pressed: bool) -> int:
    """Return the rate that follows: half under pressure, else a little more up to `most`."""
    if is_pressed:
        return min(most, max(SLOWEST, per_minute // 2))
    return min(most, per_minute + max(1, most // GROWTH))
