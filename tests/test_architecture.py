"""Rules of the house that import-linter cannot see, because they are about names and calls.

Each rule is also shown a file that breaks it: a rule that finds nothing proves nothing.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Rule = Callable[[ast.AST], bool]


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for such an expression, else an empty string or the part that is a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def uses_the_request(node: ast.AST) -> bool:
    """Services work for the worker and the command line too: there is no request there."""
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        return node.module == "flask" and bool(names & {"request", "session", "g"})
    return isinstance(node, ast.Attribute) and dotted(node) in (
        "flask.request",
        "flask.session",
        "flask.g",
    )


def reads_the_environment(node: ast.AST) -> bool:
    """Settings are read in one place, so that all their problems are reported together."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(a.name in ("environ", "getenv") for a in node.names)
    return isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv")


def opens_a_transaction(node: ast.AST) -> bool:
    """One use case, one transaction: whoever calls a service cannot cut it in two."""
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func).rsplit(".", 1)[-1]
    return name in ("transaction", "begin", "begin_nested", "commit")


def reads_the_clock(node: ast.AST) -> bool:
    """Everything else is given the time, so that tests can choose it."""
    clocks = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
    return isinstance(node, ast.Call) and dotted(node.func).endswith(clocks)


def findings(rule: Rule, files: list[Path]) -> Iterator[str]:
    """Yield `file:line` wherever the rule is broken."""
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if rule(node):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def files_of(folder: str, *, but: tuple[str, ...] = ()) -> list[Path]:
    """Return the Python files below a folder, those below other paths left out."""
    left_out = [ROOT / path for path in but]
    return [
        path
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(path.is_relative_to(other) for other in left_out)
    ]


@pytest.mark.parametrize(
    ("rule", "files"),
    [
        (uses_the_request, files_of("app/services")),
        (reads_the_environment, files_of("app")),
        (opens_a_transaction, files_of("app", but=("app/services",))),
        (reads_the_clock, files_of("app", but=("app/clock.py",))),
    ],
)
def test_the_code_keeps_the_rule(rule: Rule, files: list[Path]) -> None:
    assert files
    assert not list(findings(rule, files)), rule.__doc__


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (uses_the_request, "from flask import request"),
        (uses_the_request, "from flask import Flask, g"),
        (uses_the_request, "x = flask.session['a']"),
        (reads_the_environment, "x = os.environ['A']"),
        (reads_the_environment, "from os import getenv"),
        (opens_a_transaction, "db.session.commit()"),
        (opens_a_transaction, "with transaction() as session: pass"),
        (opens_a_transaction, "with engine.begin(): pass"),
        (reads_the_clock, "x = datetime.now(UTC)"),
        (reads_the_clock, "x = datetime.date.today()"),
        (reads_the_clock, "x = time.time()"),
    ],
)
def test_the_rule_sees_what_breaks_it(rule: Rule, line: str) -> None:
    assert any(rule(node) for node in ast.walk(ast.parse(line)))
