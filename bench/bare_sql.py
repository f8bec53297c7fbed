"""The limit of the database: a recorded order sent again and again, without the service.

Nothing but PyMySQL, from as many processes and connections as the service has. Ids and codes that
were new in the recording are new in each repeat, so that every repeat writes a whole order.
"""

import multiprocessing
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymysql.cursors import Cursor

from bench.recording import COMMIT, ROLLBACK, Statement
from bench.stage import connect

Known = dict[int | str, int | str]
Make = Callable[[Known], Any]
STARTED_WITHIN = 30


@dataclass(frozen=True)
class Recording:
    """The statements of one order, and the codes that were drawn for it."""

    statements: tuple[Statement, ...]
    codes: tuple[str, ...]

    @property
    def transaction(self) -> "Recording":
        """Return only the transaction that writes the order, without the readings around it."""
        texts = [statement.sql for statement in self.statements]
        order = next(n for n, sql in enumerate(texts) if sql.startswith("INSERT INTO orders "))
        ends = [n for n, sql in enumerate(texts) if sql in (COMMIT, ROLLBACK)]
        begin = max((n + 1 for n in ends if n < order), default=0)
        end = min(n for n in ends if n > order)
        return Recording(self.statements[begin : end + 1], self.codes)


class Replay:
    """A recording made ready to be sent many times over one cursor."""

    def __init__(self, recording: Recording) -> None:
        made = [each.made_id for each in recording.statements if each.made_id]
        self._codes = recording.codes
        known: tuple[int | str, ...] = (*made, *recording.codes)
        self._steps = [
            (each.sql, _maker(each.parameters, known), each.made_id)
            for each in recording.statements
        ]

    def send(self, cursor: Cursor) -> None:
        """Send all statements once, with ids and codes of this repeat."""
        new: Known = {code: secrets.token_hex(32)[: len(code)].upper() for code in self._codes}
        for sql, make, made_id in self._steps:
            cursor.execute(sql, make(new) or None)
            if made_id:
                new[made_id] = cursor.lastrowid


def _maker(parameters: Any, known: tuple[int | str, ...]) -> Make:
    """Return what builds the parameters of a repeat from what is new in it."""
    if isinstance(parameters, dict):
        by_name = {name: _maker_of_one(value, known) for name, value in parameters.items()}
        return lambda new: {name: make(new) for name, make in by_name.items()}
    makers = [_maker_of_one(value, known) for value in parameters]
    return lambda new: tuple(make(new) for make in makers)


def _maker_of_one(value: Any, known: tuple[int | str, ...]) -> Make:
    if isinstance(value, int) and value in known:
        return lambda new: new[value]
    if isinstance(value, str):
        named = [each for each in known if str(each) in value]
        return lambda new: _renewed(value, named, new)
    return lambda new: value


def _renewed(text: str, named: list[int | str], new: Known) -> str:
    for each in named:
        text = text.replace(str(each), str(new[each]))
    return text


def repeats_a_second(
    url: str, recording: Recording, *, processes: int, connections: int, seconds: float
) -> float:
    """Repeat the recording over `connections` in each of the processes; return the rate."""
    context = multiprocessing.get_context("fork")  # nothing to import again, no thread to lose
    start = context.Barrier(processes * connections)
    done = context.SimpleQueue()

    def repeat(replay: Replay) -> None:
        with connect(url) as connection, connection.cursor() as cursor:
            start.wait(STARTED_WITHIN)
            begun, count = time.perf_counter(), 0
            while time.perf_counter() - begun < seconds:
                replay.send(cursor)
                count += 1
            done.put(count / (time.perf_counter() - begun))

    def work() -> None:
        replay = Replay(recording)
        threads = [threading.Thread(target=repeat, args=(replay,)) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    children = [context.Process(target=work) for _ in range(processes)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    if any(child.exitcode for child in children) or done.empty():
        raise SystemExit("the bare statements failed")
    return sum(float(done.get()) for _ in range(processes * connections))
