"""The syntax of the catalogue file (YAML), read and written; `docs/catalogue.md` describes it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import yaml

from app.forms.voucher_code import LONGEST_CODE, parse_voucher_code
from app.forms.yaml_rows import (
    CatalogueFileError,
    Field,
    compose,
    line_of,
    moment,
    names,
    read_row,
    show,
    text,
    truth,
    whole,
)
from app.models import VoucherEffect
from app.services.selling.catalogue_rows import CatalogueRows, QuotaRow, TicketRow, VoucherRow
from app.services.selling.wishes import (
    DESCRIPTION_LENGTH,
    HIGHEST_AMOUNT,
    HIGHEST_PRICE,
    MOST_PER_ORDER,
    NAME_LENGTH,
    NOTE_LENGTH,
)

__all__ = ["CatalogueFileError", "read_catalogue", "read_catalogue_file", "write_catalogue"]

LARGEST_FILE = 2 * 1024 * 1024  # bytes; the most tickets and vouchers there may be fit
MOST = {"tickets": 200, "quotas": 200, "vouchers": 5_000}
NEAR_MISSES = {name.rstrip("s") for name in MOST}
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
EFFECTS = {
    "percentOff": VoucherEffect.PERCENT,
    "amountOff": VoucherEffect.AMOUNT_OFF,
    "price": VoucherEffect.FIXED_PRICE,
}

Row = TypeVar("Row", QuotaRow, TicketRow, VoucherRow)


def read_catalogue_file(path: Path) -> CatalogueRows:
    """Read a file of UTF-8 as `read_catalogue` does. Raises CatalogueFileError, OSError."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise CatalogueFileError([f"line 1: the file is larger than {LARGEST_FILE // 1024} KiB"])
    try:
        return read_catalogue(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueFileError([f"line {line}: this is not UTF-8"]) from error


def read_catalogue(written: str) -> CatalogueRows:
    """Read `tickets: [{type, description, price, amount, maxPerOrder, validFrom, validUntil}]`.

    What may be left out, and the lists of `quotas` and `vouchers`, is in `docs/catalogue.md`.
    Raises CatalogueFileError with everything that is wrong, each with line and field.
    """
    lists = _lists(written)
    problems: list[str] = []
    quotas = _rows(lists.get("quotas", ()), _read_quota, "name", problems)
    tickets = _rows(lists["tickets"], _read_ticket, "type", problems)
    vouchers = _rows(lists.get("vouchers", ()), _read_voucher, "code", problems)
    if problems:
        raise CatalogueFileError(problems)
    return CatalogueRows(tickets, quotas, vouchers)


def write_catalogue(rows: CatalogueRows, zone: tzinfo) -> str:
    """Return a file that `read_catalogue` reads as these rows; times are written in `zone`."""
    lists: dict[str, list[dict[str, Any]]] = {}
    if rows.quotas:
        lists["quotas"] = [{"name": row.name, "amount": row.amount} for row in rows.quotas]
    lists["tickets"] = [_write_ticket(row, zone) for row in rows.tickets]
    if rows.vouchers:
        lists["vouchers"] = [_write_voucher(row, zone) for row in rows.vouchers]
    return str(yaml.safe_dump(lists, sort_keys=False, allow_unicode=True, width=1_000))


def _lists(written: str) -> dict[str, Sequence[yaml.Node]]:
    root = compose(written)
    lists: dict[str, Sequence[yaml.Node]] = {}
    problems = []
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        line, name = line_of(value), str(key.value)
        if name not in MOST and name.lower().rstrip("s") not in NEAR_MISSES:
            continue  # such as a place for anchors
        if name not in MOST:
            known = ", ".join(MOST)
            problems.append(f"line {line_of(key)}: {show(key)}: there is no such list ({known})")
        elif not isinstance(value, yaml.SequenceNode):
            problems.append(f"line {line}: there should be a list below “{name}:”")
        elif not 1 <= len(value.value) <= MOST[name]:
            problems.append(f"line {line}: list 1 to {MOST[name]} {name}")
        else:
            lists[name] = value.value
    if problems:
        raise CatalogueFileError(problems)
    if "tickets" not in lists:
        problem = "line 1: the file should have “tickets:” and a list below it"
        raise CatalogueFileError([problem])
    return lists


def _rows(
    nodes: Iterable[yaml.Node],
    read: Callable[[yaml.Node, list[str]], Row | None],
    key: str,
    problems: list[str],
) -> tuple[Row, ...]:
    """Return the rows of a list; note those whose name comes twice."""
    rows = [row for node in nodes if (row := read(node, problems))]
    seen: dict[str, int] = {}
    for row in rows:
        name = getattr(row, key)
        if name in seen:
            problems.append(f"line {row.line}: {key} {name!r} is on line {seen[name]} already")
        else:
            seen[name] = row.line
    return tuple(rows)


def _read_quota(node: yaml.Node, problems: list[str]) -> QuotaRow | None:
    values = read_row(node, "quota", QUOTA_FIELDS, problems)
    return QuotaRow(values["name"], values["amount"], line_of(node)) if values else None


def _read_ticket(node: yaml.Node, problems: list[str]) -> TicketRow | None:
    values = read_row(node, "ticket", TICKET_FIELDS, problems)
    if values is None:
        return None
    line = line_of(node)
    if values["validFrom"] >= values["validUntil"]:
        problems.append(f"line {line}: validUntil should be later than validFrom")
        return None
    if "admitFrom" in values and values["admitFrom"] >= values.get("admitUntil", LAST_MOMENT):
        problems.append(f"line {line}: admitUntil should be later than admitFrom")
        return None
    if values.get("minPerOrder", 1) > values["maxPerOrder"]:
        problems.append(f"line {line}: minPerOrder should not be above maxPerOrder")
        return None
    return TicketRow(**{TICKET_NAMES[name]: value for name, value in values.items()}, line=line)


def _read_voucher(node: yaml.Node, problems: list[str]) -> VoucherRow | None:
    values = read_row(node, "voucher", VOUCHER_FIELDS, problems)
    if values is None:
        return None
    line = line_of(node)
    effects = {name: values.pop(name) for name in EFFECTS if name in values}
    if len(effects) > 1:
        problems.append(f"line {line}: give one of {', '.join(effects)}, not several")
        return None
    if values.get("validUntil", LAST_MOMENT) <= values.get("validFrom", _FIRST_MOMENT):
        problems.append(f"line {line}: validUntil should be later than validFrom")
        return None
    fields = {VOUCHER_NAMES[name]: value for name, value in values.items()}
    for name, value in effects.items():
        fields |= {"effect": EFFECTS[name], "value": value}
    return VoucherRow(**fields, line=line)


def _write_ticket(row: TicketRow, zone: tzinfo) -> dict[str, Any]:
    """Return what is to be written: what may be left out only where it is not as usual."""
    values = {name: getattr(row, attribute) for name, attribute in TICKET_NAMES.items()}
    usual = {"minPerOrder": 1, "hidden": False, "retired": False}
    return _tidy(values, usual, zone)


def _write_voucher(row: VoucherRow, zone: tzinfo) -> dict[str, Any]:
    values = {name: getattr(row, attribute) for name, attribute in VOUCHER_NAMES.items()}
    if values["tickets"] is not None:
        values["tickets"] = list(values["tickets"])
    for name, effect in EFFECTS.items():
        if effect is row.effect:
            values[name] = row.value
    return _tidy(values, {"note": "", "retired": False}, zone)


def _tidy(values: dict[str, Any], usual: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    told = {k: v for k, v in values.items() if v is not None and (k not in usual or v != usual[k])}
    return {k: _local(v, zone) if isinstance(v, datetime) else v for k, v in told.items()}


def _local(when: datetime, zone: tzinfo) -> str:
    try:
        return when.astimezone(zone).isoformat()
    except OverflowError:  # at the ends of time
        return when.isoformat()


_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
_TIME = "a time with its offset, such as 2027-01-23T09:00:00+07:00"
_PRICE = Field(f"whole rupiah, 0 to {HIGHEST_PRICE}, without dots", whole(0, HIGHEST_PRICE), True)
_AMOUNT = Field(
    f"how many there are, 0 to {HIGHEST_AMOUNT}", whole(0, HIGHEST_AMOUNT), is_required=True
)
_NAME = f"a name of at most {NAME_LENGTH} characters"
_YES = Field("true or false", truth)
QUOTA_FIELDS = {"name": Field(_NAME, text(NAME_LENGTH), is_required=True), "amount": _AMOUNT}
TICKET_FIELDS = {
    "type": Field(_NAME, text(NAME_LENGTH), is_required=True),
    "description": Field(
        f"a text of at most {DESCRIPTION_LENGTH} characters",
        text(DESCRIPTION_LENGTH),
        is_required=True,
    ),
    "price": _PRICE,
    "amount": _AMOUNT,
    "minPerOrder": Field(
        f"how many one order must take, 1 to {MOST_PER_ORDER}", whole(1, MOST_PER_ORDER)
    ),
    "maxPerOrder": Field(
        f"how many one order may take, 1 to {MOST_PER_ORDER}",
        whole(1, MOST_PER_ORDER),
        is_required=True,
    ),
    "validFrom": Field(_TIME, moment, is_required=True),
    "validUntil": Field(_TIME, moment, is_required=True),
    "admitFrom": Field(_TIME, moment),
    "admitUntil": Field(_TIME, moment),
    "quota": Field("the name of a quota", text(NAME_LENGTH)),
    "hidden": _YES,
    "retired": _YES,
}
VOUCHER_FIELDS = {
    "code": Field(
        f"4 to {LONGEST_CODE} letters, digits and dashes",
        text(LONGEST_CODE, parse_voucher_code),
        is_required=True,
    ),
    "tickets": Field("a list of types of tickets", names(NAME_LENGTH, MOST["tickets"])),
    "percentOff": Field("whole percent, 1 to 100", whole(1, 100)),
    "amountOff": Field(f"whole rupiah, 1 to {HIGHEST_PRICE}", whole(1, HIGHEST_PRICE)),
    "price": Field(f"whole rupiah, 0 to {HIGHEST_PRICE}", whole(0, HIGHEST_PRICE)),
    "seats": Field(
        f"how many seats it is good for, 1 to {HIGHEST_AMOUNT}", whole(1, HIGHEST_AMOUNT)
    ),
    "validFrom": Field(_TIME, moment),
    "validUntil": Field(_TIME, moment),
    "note": Field(f"a text of at most {NOTE_LENGTH} characters", text(NOTE_LENGTH)),
    "retired": _YES,
}
TICKET_NAMES = {
    "type": "type",
    "description": "description",
    "price": "price",
    "amount": "amount",
    "minPerOrder": "min_per_order",
    "maxPerOrder": "max_per_order",
    "validFrom": "valid_from",
    "validUntil": "valid_until",
    "admitFrom": "admit_from",
    "admitUntil": "admit_until",
    "quota": "quota",
    "hidden": "is_hidden",
    "retired": "is_retired",
}
VOUCHER_NAMES = {
    "code": "code",
    "tickets": "tickets",
    "seats": "max_seats",
    "validFrom": "valid_from",
    "validUntil": "valid_until",
    "note": "note",
    "retired": "is_retired",
}
