"""Starts a double as a real process and stops it again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.client import wait_until
from tests.harness.processes import READY_WITHIN

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A running double: its process, its first line and the file its output goes to."""

    process: subprocess.Popen[bytes]
    first_line: str
    output: Path

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=READY_WITHIN)


@contextmanager
def running(module: str, *arguments: str, output: Path) -> Iterator[Running]:
    """Run `python -m module` until the block ends; it is ready when the block begins."""
    with output.open("wb") as sink:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)

    def first_line() -> str:
        assert process.poll() is None, output.read_text()
        return output.read_text().partition("\n")[0] if "\n" in output.read_text() else ""

    try:
        line = wait_until(first_line, timeout=READY_WITHIN, what=f"the ready line of {module}")
        yield Running(process, line, output)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=READY_WITHIN)
