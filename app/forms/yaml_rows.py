"""Lists of `field: value` in YAML, read so that every problem is told with its line.

The file is composed to nodes, never constructed: nodes know their lines, and aliases that refer to
aliases cannot grow into gigabytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

LONGEST_SHOWN = 60
Parse = Callable[[yaml.Node], Any]


class CatalogueFileError(Exception):
    """A file that cannot be used; `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Field:
    """What a field holds, in words, and how it is read; `parse` raises ValueError."""

    holds: str
    parse: Parse
    is_required: bool = False


def compose(text: str) -> yaml.Node | None:
    """Return the root of a YAML text. Raises CatalogueFileError."""
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


def line_of(node: yaml.Node) -> int:
    """Return the line a node begins on."""
    return int(node.start_mark.line) + 1


def read_row(
    node: yaml.Node, noun: str, fields: Mapping[str, Field], problems: list[str]
) -> dict[str, Any] | None:
    """Return what a row's fields hold, by name; None once its problems are noted."""
    line, before = line_of(node), len(problems)
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"line {line}: a {noun} should be a list of “field: value”")
        return None
    values = _read_fields(_nodes(node, fields, problems), fields, line, problems)
    return values if len(problems) == before else None


def _nodes(
    row: yaml.MappingNode, fields: Mapping[str, Field], problems: list[str]
) -> dict[str, yaml.Node]:
    """Return a row's fields by name; note names that do not exist or come twice."""
    nodes: dict[str, yaml.Node] = {}
    for key, value in row.value:
        line = line_of(key)
        if not isinstance(key, yaml.ScalarNode) or key.value not in fields:
            known = ", ".join(fields)
            problems.append(f"line {line}: {show(key)}: there is no such field (known: {known})")
        elif key.value in nodes:
            problems.append(f"line {line}: {key.value} is there already")
        else:
            nodes[key.value] = value
    return nodes


def _read_fields(
    nodes: Mapping[str, yaml.Node], fields: Mapping[str, Field], line: int, problems: list[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in nodes:
            if field.is_required:
                problems.append(f"line {line}: {name} is missing: it should hold {field.holds}")
            continue
        try:
            values[name] = field.parse(nodes[name])
        except (ValueError, TypeError, OverflowError, yaml.YAMLError):
            problems.append(
                f"line {line_of(nodes[name])}: {name} is {show(nodes[name])}: "
                f"it should hold {field.holds}"
            )
    return values


def show(node: yaml.Node) -> str:
    """Return what was written, shortened. Never the inside of a list: it may contain itself."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list"
    written = node.value
    return repr(written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}…")


def plain(node: yaml.Node) -> Any:
    """Return a node's value; times as they are written, because YAML's own would lose the zone.

    YAML 1.1 reads 0150000 in base 8 and 1:30 in base 60; nobody who writes a price means that. Such
    a number, and what is no single value, raises ValueError.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a single value is expected")
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    if node.tag == "tag:yaml.org,2002:int" and not _DECIMAL.fullmatch(node.value):
        raise ValueError(node.value)
    return yaml.SafeLoader("").construct_object(node)


def text(longest: int, parse: Callable[[str], str] = str) -> Parse:
    """Return a parser of words with single spaces between."""

    def read(node: yaml.Node) -> str:
        value = plain(node)
        words = " ".join(value.split()) if isinstance(value, str) else ""
        if not 1 <= len(words) <= longest:
            raise ValueError(value)
        return parse(words)

    return read


def whole(least: int, most: int) -> Parse:
    """Return a parser of whole numbers in this range."""

    def read(node: yaml.Node) -> int:
        value = plain(node)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(value)
        return value

    return read


def moment(node: yaml.Node) -> datetime:
    """Return a time that is written with its offset, as UTC. Raises ValueError, OverflowError."""
    when = datetime.fromisoformat(plain(node))
    if when.tzinfo is None:
        raise ValueError(when)
    return when.astimezone(UTC)  # raises OverflowError at the ends of time


def truth(node: yaml.Node) -> bool:
    """Return true or false. Raises ValueError."""
    value = plain(node)
    if type(value) is not bool:
        raise ValueError(value)
    return value


def names(longest: int, most: int) -> Parse:
    """Return a parser of a list of different names, one at least."""
    read_name = text(longest)

    def read(node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode) or not 1 <= len(node.value) <= most:
            raise ValueError("a list is expected")
        found = tuple(read_name(each) for each in node.value)
        if len(set(found)) != len(found):
            raise ValueError("the same name twice")
        return found

    return read


_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
