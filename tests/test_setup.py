"""What sets the project up agrees with itself: container image, settings, requirements."""

import fnmatch
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.config import Settings, SettingsError

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    """Return the arguments of each such instruction in the Dockerfile, in order."""
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE, flags=re.MULTILINE)


def copied_from_the_checkout() -> list[str]:
    """Return the sources of every COPY that does not come from another stage."""
    plain = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return [source for words in plain for source in words[:-1]]


def is_sent_to_the_builder(path: str) -> bool:
    """Apply .dockerignore to a path of the top level: the last line that matches decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and fnmatch.fnmatchcase(path, pattern):
            sent = line.startswith("!")
    return sent


def test_the_image_copies_only_what_exists_and_is_sent() -> None:
    sources = copied_from_the_checkout()

    assert len(sources) > 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if not is_sent_to_the_builder(source)] == []


@pytest.mark.parametrize("folder", ["tests", "sandbox", "bench", ".git", ".env", "instance"])
def test_the_image_never_sees(folder: str) -> None:
    assert not is_sent_to_the_builder(folder)
    assert folder not in copied_from_the_checkout()


def test_the_image_takes_packages_from_the_scripts_and_lists_of_everybody() -> None:
    commands = " ".join(instructions("RUN"))
    final_stage = DOCKERFILE.split("\nFROM ")[-1]

    assert "scripts/setup --production" in commands
    assert "scripts/install-packages scripts/packages-runtime.txt" in final_stage
    assert not re.search(r"apt-get|apt |pip install", DOCKERFILE)


def test_the_image_runs_without_root_and_tells_whether_it_lives() -> None:
    assert instructions("USER") not in ([], ["root"])
    assert "/healthz" in DOCKERFILE
    assert len(instructions("FROM")) == 2


def test_compose_gives_the_image_what_it_needs() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    assert set(services) == {"database", "migrate", "web", "worker"}
    assert services["migrate"]["command"] == ["flask", "--app", "wsgi", "db", "upgrade"]
    for name in ("web", "worker"):
        wanted = services[name]["depends_on"]["migrate"]["condition"]
        assert wanted == "service_completed_successfully"


class Recorder(dict[str, str]):
    """An environment that remembers which variables were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def settings_read() -> set[str]:
    """Return the names of all variables that the application or gunicorn's file ask for."""
    environment = Recorder()
    with pytest.raises(SettingsError):
        Settings.from_env(environment)
    gunicorn = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    return environment.asked | set(re.findall(r"environ\.get\(['\"]([A-Z_]+)", gunicorn))


def test_every_setting_has_a_line_of_explanation() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    explained = set()
    for number, line in enumerate(lines):
        if match := re.match(r"#?([A-Z][A-Z0-9_]+)=", line):
            explained.add(match.group(1))
            before = lines[number - 1]
            assert before.startswith("#") or "=" in before, f"{match.group(1)} is not explained"

    assert {"DATABASE_URL", "SECRET_KEY", "XENDIT_API_URL", "MAIL_PORT", "PORT"} <= settings_read()
    assert settings_read() - explained == set()
    assert explained - settings_read() == {"MARIADB_PASSWORD"}


REQUIREMENT = "flask==3.1.3 \\\n    --hash=sha256:abc\n"


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        (REQUIREMENT, False),
        ("--index-url https://packages.example/simple\n" + REQUIREMENT, True),
        ("--find-links wheels\n" + REQUIREMENT, True),
        ("flask @ file:///srv/flask.whl\n", True),
        ("flask==3.1.3\n", True),
        ("flask>=3 \\\n    --hash=sha256:abc\n", True),
    ],
)
def test_requirements_name_no_index_and_always_a_hash(
    tmp_path: Path, text: str, is_refused: bool
) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(text)

    done = subprocess.run(
        [sys.executable, "scripts/check-requirements", str(path)], cwd=ROOT, check=False
    )

    assert (done.returncode != 0) == is_refused


def test_installed_packages_need_neither_network_nor_root(tmp_path: Path) -> None:
    wanted = tmp_path / "list.txt"
    wanted.write_text("dpkg  # is there on every Debian\n\n# nothing else\n")
    for name in ("apt-get", "sudo"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 70\n")
        (tmp_path / name).chmod(0o755)

    done = subprocess.run(
        ["scripts/install-packages", str(wanted)],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )

    assert done.returncode == 0


def test_the_sample_event_is_on_sale_today() -> None:
    starts_at = (datetime.now().astimezone() + timedelta(days=60)).isoformat()
    text = subprocess.run(
        [sys.executable, "scripts/sample-event", starts_at],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    now = datetime.now().astimezone()
    periods = [
        (datetime.fromisoformat(each["validFrom"]), datetime.fromisoformat(each["validUntil"]))
        for each in yaml.safe_load(text)["tickets"]
    ]
    assert [opens <= now < closes for opens, closes in periods] == [True, True, True, False]
    assert periods[3][0] > now


@pytest.mark.parametrize(
    ("failing", "exit_code"), [("test", 1), ("check", 1), ("test|check", 1), ("nothing", 0)]
)
def test_ci_runs_both_halves_and_fails_when_either_does(
    tmp_path: Path, failing: str, exit_code: int
) -> None:
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "made $1"\ncase "$1" in {failing}) exit 2;; esac\n')
    make.chmod(0o755)

    done = subprocess.run(
        [".ci/run"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.findall(r"^made (\w+)$", done.stdout, flags=re.MULTILINE) == ["test", "check"]
    assert done.returncode == exit_code
