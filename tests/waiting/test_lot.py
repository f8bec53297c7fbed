"""The lot: one order for all who hold the same seed, and another seed another order."""

import random
import secrets
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.services.waiting.lot import NO_LOT, Lot

SEED = "5e" * 32
keys = st.sets(st.text("abcdefghij", min_size=8, max_size=22), min_size=1, max_size=60)


@given(keys=keys, order=st.randoms())
def test_every_place_gets_a_number_of_its_own_whatever_order_they_are_read_in(
    keys: set[str], order: random.Random
) -> None:
    shuffled = sorted(keys)
    order.shuffle(shuffled)

    first, second = Lot(SEED, sorted(keys)), Lot(SEED, shuffled)

    assert sorted(first.number(key) or 0 for key in keys) == list(range(len(keys)))
    assert [first.number(key) for key in keys] == [second.number(key) for key in keys]


def test_another_seed_gives_every_place_another_chance() -> None:
    keys = [f"visitor-{n}" for n in range(4)]
    firsts: Counter[str] = Counter()
    for _ in range(400):
        lot = Lot(secrets.token_hex(32), keys)
        firsts[next(key for key in keys if lot.number(key) == 0)] += 1

    # 100 each; a fair lot strays from it by 50 once in many millions of runs.
    assert all(50 < firsts[key] < 150 for key in keys)


def test_a_key_that_was_not_drawn_has_no_number() -> None:
    assert Lot(SEED, ["one", "two"]).number("three") is None
    assert NO_LOT.number("one") is None
