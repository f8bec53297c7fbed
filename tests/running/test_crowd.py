"""When those who are refused should come back: the later, the more of them there are."""

from app.crowd import LATEST_RETRY, LONGEST_RETRY, SOONEST_RETRY, Crowd, Crowded


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_larger_the_crowd_outside_the_later_it_is_asked_to_come_back() -> None:
    clock = Clock()
    crowd = Crowd(clock)
    latest = [crowd.latest_retry()]
    for _ in range(6):
        for number in range(20):
            clock.seconds += 0.01
            crowd.note(is_served=number % 5 == 0)
        for _ in range(16):
            crowd.note(is_served=False)
        latest.append(crowd.latest_retry())

    assert latest[0] == LATEST_RETRY
    assert LATEST_RETRY < latest[-1] <= LONGEST_RETRY
    assert latest == sorted(latest)
    clock.seconds += 60
    crowd.note(is_served=True)
    assert crowd.latest_retry() == LATEST_RETRY


def test_nobody_is_asked_to_come_back_never_when_nobody_is_served() -> None:
    crowd = Crowd(Clock())
    for _ in range(10_000):
        crowd.note(is_served=False)

    assert crowd.latest_retry() == LONGEST_RETRY


def test_those_refused_at_one_moment_are_spread_over_all_the_time_there_is() -> None:
    drawn = {Crowded(LONGEST_RETRY).retry_after for _ in range(2_000)}

    assert drawn == set(range(SOONEST_RETRY, LONGEST_RETRY + 1))
