"""The lot: the order in which those stand who came before the opening.

Its seed is drawn at the opening, so nobody can know before, or try out, which place will be a good
one. The same seed and places give the same order in every process, on every machine.
"""

import hmac
from array import array
from bisect import bisect_left
from collections.abc import Iterable


class Lot:
    """The drawn order of a set of places, each known by its key."""

    def __init__(self, seed: str, keys: Iterable[str]) -> None:
        self._seed = bytes.fromhex(seed)
        # A number each instead of the keys themselves: eight bytes a visitor.
        self._ranks = array("Q", sorted(map(self._rank, keys)))

    def __len__(self) -> int:
        return len(self._ranks)

    def number(self, key: str) -> int | None:
        """Return how many stand before this place, None when it is not in the lot."""
        rank = self._rank(key)
        at = bisect_left(self._ranks, rank)
        return at if at < len(self._ranks) and self._ranks[at] == rank else None

    def _rank(self, key: str) -> int:
        return int.from_bytes(hmac.digest(self._seed, key.encode(), "sha256")[:8], "big")


NO_LOT = Lot("", ())
