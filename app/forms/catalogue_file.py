"""The syntax of the catalogue file (YAML); every problem is reported with its line.

The file is composed to nodes, never constructed: nodes know their lines, and aliases that refer to
aliases cannot grow into gigabytes.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from app.services.selling.catalogue import TicketRow

LARGEST_FILE = 256 * 1024  # bytes; two hundred tickets with long descriptions fit
LONGEST_SHOWN = 60
MOST_TICKETS = 200
HIGHEST_PRICE = 1_000_000_000  # what a Xendit invoice can hold, in rupiah
HIGHEST_AMOUNT = 1_000_000
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class CatalogueFileError(Exception):
    """A file that cannot be used; `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_catalogue_file(path: Path) -> list[TicketRow]:
    """Read a file of UTF-8; see `read_catalogue`."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise CatalogueFileError([f"line 1: the file is larger than {LARGEST_FILE // 1024} KiB"])
    try:
        return read_catalogue(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueFileError([f"line {line}: this is not UTF-8"]) from error


def read_catalogue(text: str) -> list[TicketRow]:
    """Read `tickets: [{type, description, price, amount, maxPerOrder, validFrom, validUntil}]`.

    `admitFrom` and `admitUntil`, when holders may enter, may be left out: then they always may.
    Raises CatalogueFileError with everything that is wrong, each with line and field.
    """
    problems: list[str] = []
    rows = [_read_ticket(node, problems) for node in _ticket_nodes(text)]
    seen: dict[str, int] = {}
    for row in rows:
        if row and row.type in seen:
            problems.append(
                f"line {row.line}: type {row.type!r} is on line {seen[row.type]} already"
            )
        elif row:
            seen[row.type] = row.line
    if problems:
        raise CatalogueFileError(problems)
    return [row for row in rows if row]


def _ticket_nodes(text: str) -> list[yaml.Node]:
    root = _compose(text)
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value == "tickets" and isinstance(value, yaml.SequenceNode):
                if not 1 <= len(value.value) <= MOST_TICKETS:
                    line = value.start_mark.line + 1
                    problem = f"line {line}: list 1 to {MOST_TICKETS} tickets"
                    raise CatalogueFileError([problem])
                return list(value.value)
    raise CatalogueFileError(["line 1: the file should begin with “tickets:” and a list below it"])


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"line {line}: this is not YAML: {error.problem}"
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"line {line}: this character may not be in YAML: {chr(error.character)!a}"
    except RecursionError:
        problem = "line 1: this is nested too deeply"
    raise CatalogueFileError([problem])


def _read_ticket(node: yaml.Node, problems: list[str]) -> TicketRow | None:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {line}: a ticket should be a list of “field: value”")
        return None
    before = len(problems)
    values = _read_fields(_fields(node, problems), line, problems)
    if len(problems) > before:
        return None
    if values["validFrom"] >= values["validUntil"]:
        problems.append(f"line {line}: validUntil should be later than validFrom")
        return None
    if "admitFrom" in values and values["admitFrom"] >= values.get("admitUntil", LAST_MOMENT):
        problems.append(f"line {line}: admitUntil should be later than admitFrom")
        return None
    return TicketRow(
        type=values["type"],
        description=values["description"],
        price=values["price"],
        amount=values["amount"],
        max_per_order=values["maxPerOrder"],
        valid_from=values["validFrom"],
        valid_until=values["validUntil"],
        admit_from=values.get("admitFrom"),
        admit_until=values.get("admitUntil"),
        line=line,
    )


def _fields(ticket: yaml.MappingNode, problems: list[str]) -> dict[str, yaml.Node]:
    """Return a ticket's fields by name; note names that do not exist or come twice."""
    nodes: dict[str, yaml.Node] = {}
    for key, value in ticket.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value not in _FIELDS:
            known = ", ".join(_FIELDS)
            problems.append(f"line {line}: {_show(key)}: there is no such field (known: {known})")
        elif key.value in nodes:
            problems.append(f"line {line}: {key.value} is there already")
        else:
            nodes[key.value] = value
    return nodes


def _read_fields(nodes: dict[str, yaml.Node], line: int, problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, (holds, parse) in _FIELDS.items():
        if name not in nodes:
            if name not in _OPTIONAL:
                problems.append(f"line {line}: {name} is missing: it should hold {holds}")
            continue
        try:
            values[name] = parse(_plain(nodes[name]))
        except (ValueError, TypeError, OverflowError, yaml.YAMLError):
            problems.append(
                f"line {nodes[name].start_mark.line + 1}: {name} is {_show(nodes[name])}: "
                f"it should hold {holds}"
            )
    return values


def _show(node: yaml.Node) -> str:
    """Return what was written, shortened. Never the inside of a list: it may contain itself."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list"
    written = node.value
    return repr(written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}…")


def _plain(node: yaml.Node) -> Any:
    """Return a node's value; times as they are written, because YAML's own would lose the zone.

    YAML 1.1 reads 0150000 in base 8 and 1:30 in base 60; nobody who writes a price means that.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a single value is expected")
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    if node.tag == "tag:yaml.org,2002:int" and not _DECIMAL.fullmatch(node.value):
        raise ValueError(node.value)
    return yaml.SafeLoader("").construct_object(node)


def _text(longest: int) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        words = " ".join(value.split()) if isinstance(value, str) else ""
        if not 1 <= len(words) <= longest:
            raise ValueError(value)
        return words

    return parse


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(value)
        return value

    return parse


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)  # raises OverflowError at the ends of time


_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_TIME = "a time with its offset, such as 2027-01-23T09:00:00+07:00"
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "type": ("a name of at most 100 characters", _text(100)),
    "description": ("a text of at most 500 characters", _text(500)),
    "price": (f"whole rupiah, 0 to {HIGHEST_PRICE}, without dots", _whole(0, HIGHEST_PRICE)),
    "amount": (f"how many there are, 0 to {HIGHEST_AMOUNT}", _whole(0, HIGHEST_AMOUNT)),
    "maxPerOrder": ("how many one order may take, 1 to 100", _whole(1, 100)),
    "validFrom": (_TIME, _moment),
    "validUntil": (_TIME, _moment),
    "admitFrom": (_TIME, _moment),
    "admitUntil": (_TIME, _moment),
}
_OPTIONAL = {"admitFrom", "admitUntil"}
