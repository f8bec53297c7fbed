"""The catalogue as its file describes it: rows of quotas, tickets and vouchers."""

from dataclasses import dataclass, field
from datetime import datetime

from app.models import VoucherEffect


@dataclass(frozen=True)
class QuotaRow:
    """A shared quota; `line` is where in the file it begins."""

    name: str
    amount: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class TicketRow:
    """A ticket; `quota` is the name of the one it draws on, if any."""

    type: str
    description: str
    price: int
    amount: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    admit_from: datetime | None = None
    admit_until: datetime | None = None
    min_per_order: int = 1
    is_hidden: bool = False
    quota: str | None = None
    is_retired: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class VoucherRow:
    """A voucher; `tickets` are types, None means every ticket that is not hidden."""

    code: str
    tickets: tuple[str, ...] | None = None
    effect: VoucherEffect = VoucherEffect.NONE
    value: int = 0
    max_seats: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    note: str = ""
    is_retired: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CatalogueRows:
    """A whole file, in its order: for tickets that is the order of the catalogue."""

    tickets: tuple[TicketRow, ...] = ()
    quotas: tuple[QuotaRow, ...] = ()
    vouchers: tuple[VoucherRow, ...] = ()


@dataclass(frozen=True)
class LoadResult:
    """How many tickets a file created and updated; quotas and vouchers are counted together."""

    created: int
    updated: int
    quotas: int = 0
    vouchers: int = 0


class CatalogueConflict(Exception):
    """A file does not go with what is there, such as amounts below what is held and sold.

    `problems` has a sentence for each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
