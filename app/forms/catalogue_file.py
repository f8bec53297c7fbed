"""The syntax of the catalogue file (YAML); every problem is reported with its line."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import yaml

from app.services.selling.catalogue import TicketRow

MOST_TICKETS = 200
HIGHEST_PRICE = 1_000_000_000  # what a Xendit invoice can hold, in rupiah
HIGHEST_AMOUNT = 1_000_000


class CatalogueFileError(Exception):
    """A file that cannot be used; `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_catalogue(text: str) -> list[TicketRow]:
    """Read `tickets: [{type, description, price, amount, maxPerOrder, validFrom, validUntil}]`.

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
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogueFileError([f"line {line}: this is not YAML: {error.problem}"]) from error
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value == "tickets" and isinstance(value, yaml.SequenceNode):
                if not 1 <= len(value.value) <= MOST_TICKETS:
                    line = value.start_mark.line + 1
                    problem = f"line {line}: list 1 to {MOST_TICKETS} tickets"
                    raise CatalogueFileError([problem])
                return list(value.value)
    raise CatalogueFileError(["line 1: the file should begin with “tickets:” and a list below it"])


def _read_ticket(node: yaml.Node, problems: list[str]) -> TicketRow | None:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {line}: a ticket should be a list of “field: value”")
        return None
    nodes = {key.value: value for key, value in node.value}
    before = len(problems)
    for name in nodes.keys() - _FIELDS.keys():
        known = ", ".join(_FIELDS)
        found = f"line {nodes[name].start_mark.line + 1}: {name}: there is no such field"
        problems.append(f"{found} (known: {known})")
    values: dict[str, Any] = {}
    for name, (holds, parse) in _FIELDS.items():
        if name not in nodes:
            problems.append(f"line {line}: {name} is missing: it should hold {holds}")
            continue
        try:
            values[name] = parse(_plain(nodes[name]))
        except (ValueError, TypeError, yaml.YAMLError):
            problems.append(
                f"line {nodes[name].start_mark.line + 1}: {name} is "
                f"{getattr(nodes[name], 'value', '')!r}: it should hold {holds}"
            )
    if len(problems) > before:
        return None
    if values["validFrom"] >= values["validUntil"]:
        problems.append(f"line {line}: validUntil should be later than validFrom")
        return None
    return TicketRow(
        type=values["type"],
        description=values["description"],
        price=values["price"],
        amount=values["amount"],
        max_per_order=values["maxPerOrder"],
        valid_from=values["validFrom"],
        valid_until=values["validUntil"],
        line=line,
    )


def _plain(node: yaml.Node) -> Any:
    """Return a node's value; times as they are written, because YAML's own would lose the zone."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a single value is expected")
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
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
    return moment


_TIME = "a time with its offset, such as 2027-01-23T09:00:00+07:00"
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "type": ("a name of at most 100 characters", _text(100)),
    "description": ("a text of at most 500 characters", _text(500)),
    "price": (f"whole rupiah, 0 to {HIGHEST_PRICE}, without dots", _whole(0, HIGHEST_PRICE)),
    "amount": (f"how many there are, 0 to {HIGHEST_AMOUNT}", _whole(0, HIGHEST_AMOUNT)),
    "maxPerOrder": ("how many one order may take, 1 to 100", _whole(1, 100)),
    "validFrom": (_TIME, _moment),
    "validUntil": (_TIME, _moment),
}
