"""scripts/check-ceilings: the code keeps under the ceilings, and the check would notice if not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the check as `make check` does."""
    command = [sys.executable, "scripts/check-ceilings", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def function_of(lines: int) -> str:
    """Return the source of a function of so many lines."""
    return "def work():\n" + "    pass\n" * (lines - 1)


def test_no_file_and_no_function_is_too_long() -> None:
    done = check()

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", ["app", "sandbox", "bench", "tests", "scripts"])
def test_a_function_of_51_lines_is_refused_everywhere(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "long.py").write_text(function_of(51))

    done = check(str(tmp_path))

    assert done.returncode == 1
    assert "work has 51 lines, at most 50 allowed" in done.stdout


def test_a_script_without_a_suffix_is_measured_too(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "tool").write_text("#!/usr/bin/env python3\n" + function_of(51))
    (tmp_path / "scripts" / "shell").write_text("#!/bin/sh\n" + "true\n" * 400)

    done = check(str(tmp_path))

    assert "tool:2: work has 51 lines" in done.stdout
    assert "shell" not in done.stdout


def test_a_file_of_301_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "long.py").write_text("x = 1\n" * 301)

    done = check(str(tmp_path))

    assert done.returncode == 1
    assert "301 lines, at most 300 allowed" in done.stdout


def test_the_ceilings_themselves_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "full.py").write_text(function_of(50) + "x = 1\n" * 250)

    assert check(str(tmp_path)).returncode == 0
