"""What a drill's figures say of those who got nothing."""

import math

from bench.rush.book import Loser
from bench.rush.samples import Stock
from bench.rush.summary import last_seat_went, losers

GONE_AT = 20.0
EARLY = Loser(came=1.0, heard=((5.0, 5.5),))  # their kind had gone, others had not
PATIENT = Loser(came=1.0, heard=((5.0, 5.5), (15.0, 26.0), (30.0, 31.0)))
LATE = Loser(came=40.0, heard=((40.0, 40.5),))


def stock(at: float, first: int, second: int) -> list[Stock]:
    """Return one look at what is free of two tickets."""
    return [Stock(ticket, at, at, 10, 10 - free, 0) for ticket, free in ((1, first), (2, second))]


def test_the_last_seat_goes_when_no_ticket_has_one_left() -> None:
    looks = stock(1.0, 2, 0) + stock(2.0, 0, 1)

    assert last_seat_went(looks) == math.inf
    assert last_seat_went([*looks, *stock(3.0, 0, 0), *stock(4.0, 0, 1)]) == 3.0


def test_losers_are_counted_from_coming_from_the_last_seat_and_from_asking() -> None:
    found = losers([EARLY, PATIENT, LATE], GONE_AT)

    assert [found[how]["count"] for how in found] == [3, 2, 2]
    assert found["since_coming"]["longest"] == 4.5
    assert (found["since_the_last_seat"]["longest"], found["since_asking"]["longest"]) == (6.0, 6.0)
    assert found["since_the_last_seat"]["p50"] == 6.0

    slow_to_ask = Loser(came=1.0, heard=((24.0, 25.0),))
    alone = losers([slow_to_ask], GONE_AT)
    assert (alone["since_the_last_seat"]["p50"], alone["since_asking"]["p50"]) == (5.0, 1.0)


def test_as_long_as_seats_are_left_nobody_is_a_loser_for_good() -> None:
    assert losers([EARLY], math.inf)["since_the_last_seat"]["count"] == 0
