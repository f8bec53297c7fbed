"""What a visitor is told: where in line, for how long, what comes next."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.services.waiting.look import Look, Place

# Seconds after which a page asks again, by how many are ahead: the last ones need not know at once.
PAUSES = ((50, 5), (500, 15))
LONGEST_PAUSE = 30
RESTING_PAUSE = 60
MINUTE = timedelta(minutes=1)


class State(enum.Enum):
    """Where a visitor stands; each is a part of the waiting page."""

    STRANGER = "stranger"
    BEFORE = "before"
    WAITING = "waiting"
    PAUSED = "paused"
    TURN = "turn"
    MISSED = "missed"
    TAKEN = "taken"
    SOLD_OUT = "sold_out"
    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True)
class News:
    """What is new for one visitor; `pause` is in seconds, until the page asks again.

    `ahead` is how many come first, `minutes` the estimate (0: nobody can tell), `opens_in` seconds
    to the opening. `is_scarce`: more are ahead than seats are left.
    """

    state: State
    pause: int
    ahead: int = 0
    minutes: int = 0
    opens_in: int = 0
    is_scarce: bool = False


def news_of(look: Look, place: Place | None, now: datetime, *, is_inside: bool = False) -> News:
    """Return what to tell the owner of `place`, or somebody without; `is_inside`: was let in."""
    if not look.is_on:
        return News(State.OPEN, RESTING_PAUSE)
    if is_inside:
        return News(State.TURN, LONGEST_PAUSE)
    if not look.is_open:
        is_known = place is not None and place.door_id == look.door.id
        state = State.BEFORE if is_known else State.STRANGER
        return News(state, _pause_before(look, now), opens_in=_opens_in(look, now))
    if look.seats.left <= 0 and not look.seats.held:
        return News(State.SOLD_OUT if look.seats.is_on_sale else State.CLOSED, RESTING_PAUSE)
    return _in_line(look, look.number(place) if place else None, now)


def _in_line(look: Look, number: int | None, now: datetime) -> News:
    if number is None:
        return News(State.STRANGER, LONGEST_PAUSE)
    if number < look.door.admitted:
        # Also while all is taken: who is in first has the first chance at what comes back.
        return News(State.TURN if look.is_called(number) else State.MISSED, LONGEST_PAUSE)
    ahead = number - look.door.admitted
    pause = next((pause for limit, pause in PAUSES if ahead < limit), LONGEST_PAUSE)
    if look.seats.left <= 0:
        return News(State.TAKEN, pause)
    return News(
        State.PAUSED if look.door.is_paused else State.WAITING,
        pause,
        ahead,
        _minutes(look, ahead, now),
        is_scarce=ahead >= look.seats.left,
    )


def _minutes(look: Look, ahead: int, now: datetime) -> int:
    """Return in how many begun minutes it is this one's turn, as fast as the last minute went."""
    opened = look.door.drawn_at
    since = MINUTE if opened is None else min(MINUTE, now - opened)
    if since < MINUTE / 6:
        a_minute = float(look.door.per_minute)
    else:
        a_minute = (look.door.admitted - look.line.recent) * (MINUTE / since)
    return int(ahead // a_minute) + 1 if a_minute > 0 else 0


def _opens_in(look: Look, now: datetime) -> int:
    return max(0, -(-(look.opens_at - now) // timedelta(seconds=1))) if look.opens_at else 0


def _pause_before(look: Look, now: datetime) -> int:
    """Return when to ask again before the opening; the page itself asks once it is over."""
    return LONGEST_PAUSE if _opens_in(look, now) > LONGEST_PAUSE else PAUSES[0][1]
