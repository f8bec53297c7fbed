"""Group commit: what many threads ask for at the same moment is done together, in one transaction.

A commit waits for the disk, and every order of a rush wants the same row of `ticket_stock`: one by
one they would wait for each other (ADR 16). Nobody waits for company: who comes alone is served
alone, who comes while another is being served goes with all who came meanwhile.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from app.lanes import Pause

Wish = TypeVar("Wish")
Result = TypeVar("Result")

# More in one commit gain little, and the last of them would wait longer.
MOST_AT_ONCE = 32


class GroupCommit(Generic[Wish, Result]):
    """Serves wishes in the order they come, one group at a time in this process.

    `serve` gets the wishes of a group and returns for each its result, or the exception to raise.
    It runs in the thread of one of them.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[Wish]], Sequence[Result | Exception]],
        *,
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._serve = serve
        self._most = most
        self._guard = threading.Lock()
        self._waiting: deque[_Entry[Wish, Result]] = deque()
        self._is_serving = False

    def ask(self, wish: Wish) -> Result:
        """Return what came of this wish, once its group is done. Raises what `serve` says."""
        entry: _Entry[Wish, Result] = _Entry(wish)
        with self._guard:
            self._waiting.append(entry)
            is_first = not self._is_serving
            self._is_serving = True
        if not is_first:
            entry.pause.wait()  # over with a result, or because it is now first in line
        if not entry.is_done:
            self._serve_group()
        if entry.error is not None:
            raise entry.error
        return cast(Result, entry.result)

    def _serve_group(self) -> None:
        """Serve whoever is first in line with those behind; then let the next one serve."""
        with self._guard:
            size = min(len(self._waiting), self._most)
            group = [self._waiting.popleft() for _ in range(size)]
        try:
            outcomes = self._serve([entry.wish for entry in group])
            for entry, outcome in zip(group, outcomes, strict=True):
                entry.close(outcome)
        except BaseException as error:
            for entry in group:
                entry.close(error)
            raise
        finally:
            self._hand_over()
            for entry in group[1:]:  # the first one is served in its own thread, this one
                entry.pause.end()

    def _hand_over(self) -> None:
        with self._guard:
            self._is_serving = bool(self._waiting)
            if self._is_serving:
                self._waiting[0].pause.end()


class _Entry(Generic[Wish, Result]):
    """A wish on its way; its pause ends when it is done, or when its thread is to serve."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.pause = Pause()
        self.is_done = False
        self.result: Result | None = None
        self.error: BaseException | None = None

    def close(self, outcome: Result | BaseException) -> None:
        """Keep what came of it; the first word counts."""
        if self.is_done:
            return
        self.is_done = True
        if isinstance(outcome, BaseException):
            self.error = outcome
        else:
            self.result = outcome
