"""README and docs name only what is there: files, commands, decisions."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.harness.processes import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
CODE = re.compile(r"`([^`\n]+)`")
MAKE = re.compile(r"\bmake ([a-z][a-z-]+)")
MODULE = re.compile(r"python -m ((?:app|bench|sandbox|tests)[\w.]*)")


TOPS = {"app", "bench", "docs", "migrations", "sandbox", "scripts", "tests"}
TEXTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for top in TOPS for path in (ROOT / top).rglob("*.md")),
]


def commands(text: str) -> Iterator[str]:
    """Yield what stands in code marks, on a line or in a block."""
    yield from CODE.findall(text)
    yield from re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def missing_from(file: Path) -> Iterator[str]:
    """Yield what a document names and the repository has not."""
    text = file.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if "://" not in target and not (file.parent / target).exists():
            yield f"{file.name}: link to {target}"
    for said in commands(text):
        top, slash, _ = said.partition("/")
        is_path = slash and top in TOPS and re.fullmatch(r"[\w./-]+", said)
        if is_path and not (ROOT / said).exists():
            yield f"{file.name}: {said}"
        for module in MODULE.findall(said):
            place = ROOT / module.replace(".", "/")
            if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists()):
                yield f"{file.name}: python -m {module}"


def test_every_file_link_and_module_that_a_document_names_is_there() -> None:
    assert len(TEXTS) > 25
    assert list(chain.from_iterable(missing_from(file) for file in TEXTS)) == []


def test_every_make_command_that_a_document_names_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for file in TEXTS:
        for said in commands(file.read_text(encoding="utf-8")):
            assert set(MAKE.findall(said)) <= set(targets), (file.name, said)


def test_every_decision_is_in_the_list_and_every_document_is_linked() -> None:
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index)
    assert listed == sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert f"docs/{path.name}" in readme, path.name
