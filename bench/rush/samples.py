"""Looking at the machine and the stock while the drill runs: samples on the buyers' clock."""

import itertools
import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from app.models import Job, JobStatus, Payment, PaymentStatus, TicketStock
from app.services.selling.ordering import OPEN_INVOICE
from bench.rush.book import Book

STOCK_EVERY, LINE_EVERY, CPU_EVERY = 0.1, 0.5, 1.0
TELL_EVERY = 10.0
TICKS = os.sysconf("SC_CLK_TCK")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of one ticket, read between `asked` and `at`."""

    ticket: int
    asked: float
    at: float
    amount: int
    held: int
    sold: int

    @property
    def free(self) -> int:
        return self.amount - self.held - self.sold


@dataclass(frozen=True, slots=True)
class Line:
    """The line for invoices at one moment: orders without one, due for it and in nobody's hands.

    Orders whose invoice is being made, in a request or by a worker, have left the line; those that
    got it in the request and whose job has yet to find that out never were in it.
    """

    at: float
    length: int


@dataclass
class Samples:
    """What was seen: stock, the line's length, and CPU seconds, at the three rates above."""

    stock: list[Stock] = field(default_factory=list)
    cpu: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    line: list[Line] = field(default_factory=list)

    def cpu_seconds(self, until: float = math.inf) -> dict[str, float]:
        """Return the CPU seconds of each part while samples were taken, or until a moment."""
        total: dict[str, float] = defaultdict(float)
        for (_, before), (at, after) in itertools.pairwise(self.cpu):
            if at > until:
                break
            for name, used in after.items():  # a process that was started again begins at 0
                total[name] += max(0.0, used - before.get(name, 0.0))
        return dict(total)


class Sampler(threading.Thread):
    """Takes samples from entering to leaving its context; `groups` are process groups by name."""

    def __init__(
        self, database_url: str, groups: Mapping[str, int], book: Book, tell: Tell
    ) -> None:
        super().__init__(name="sampler", daemon=True)
        self._engine = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
        self._groups, self._book, self._tell = groups, book, tell
        self._ended = threading.Event()
        self.samples = Samples()

    def __enter__(self) -> Samples:
        self.start()
        return self.samples

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self.join(timeout=10)
        self._engine.dispose()

    def run(self) -> None:
        line_due = cpu_due = told_due = 0.0
        while not self._ended.wait(STOCK_EVERY):
            with suppress(sa.exc.SQLAlchemyError), self._engine.connect() as connection:
                self._look_at_stock(connection)
                if self._book.now() >= line_due:
                    line_due = self._book.now() + LINE_EVERY
                    self._look_at_line(connection)
            if self._book.now() >= cpu_due:
                cpu_due = self._book.now() + CPU_EVERY
                used = cpu_of_groups(self._groups) | {"client": time.process_time()}
                self.samples.cpu.append((self._book.now(), used))
            if self._book.now() >= told_due:
                told_due = self._book.now() + TELL_EVERY
                self._tell(self._standing())

    def _standing(self) -> str:
        """Return in a line how the sale stands."""
        latest = {stock.ticket: stock for stock in self.samples.stock[-10:]}.values()
        held, sold = sum(s.held for s in latest), sum(s.sold for s in latest)
        came, line = len(self._book.arrivals), self.samples.line
        return (
            f"{self._book.now():5.0f} s  {came:5} came  {held:4} held  {sold:4} sold  "
            f"{line[-1].length if line else 0:4} in line for an invoice"
        )

    def _look_at_stock(self, connection: sa.Connection) -> None:
        asked = self._book.now()
        columns = (TicketStock.ticket_id, TicketStock.amount, TicketStock.held, TicketStock.sold)
        rows = connection.execute(sa.select(*columns)).all()
        at = self._book.now()
        for ticket, amount, held, sold in rows:
            self.samples.stock.append(Stock(ticket, asked, at, amount, held, sold))

    def _look_at_line(self, connection: sa.Connection) -> None:
        now = datetime.now(UTC)
        is_being_made = sa.func.coalesce(Payment.create_claimed_until > now, sa.false())
        in_line = (
            sa.select(sa.func.count())
            .select_from(Job)
            .join(Payment, Payment.order_id == sa.func.json_value(Job.payload, "$.order_id"))
            .where(Payment.invoice_id.is_(None), Payment.status == PaymentStatus.PENDING)
            .where(Job.kind == OPEN_INVOICE, Job.status == JobStatus.OPEN, Job.due_at <= now)
            .where(sa.not_(is_being_made))
        )
        length = connection.execute(in_line).scalar_one()
        self.samples.line.append(Line(self._book.when(now), length))


def cpu_of_groups(groups: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds each process group has used (proc(5), stat, fields 5, 14 to 17)."""
    names = {group: name for name, group in groups.items()}
    used: dict[str, float] = defaultdict(float)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if name := names.get(int(fields[2])):
                used[name] += sum(map(int, fields[11:15])) / TICKS
    return dict(used)
