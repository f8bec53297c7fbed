"""The whole service as it runs for real: gunicorn, workers, the Xendit stand-in, a mailbox."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.config import Settings
from app.forms.catalogue_file import read_catalogue
from app.services.selling.catalogue_loading import load_catalogue
from sandbox.client import Mailbox, StandIn
from tests.app_factory import make_settings, running_app
from tests.harness.processes import ROOT, Process, answers, free_port, is_listening

XENDIT_SECRET_KEY = "xnd_development_local"
XENDIT_CALLBACK_TOKEN = "local-callback-token"
EVENT_STARTS_AT = (datetime.now(UTC) + timedelta(days=60)).replace(microsecond=0)
EVENT = {
    "EVENT_NAME": "TEDxSenja Jakarta",
    "EVENT_STARTS_AT": EVENT_STARTS_AT.isoformat(),
    "EVENT_VENUE": "Gedung Kesenian Senja, Jakarta",
    "EVENT_CONTACT_EMAIL": "halo@tedxsenja.example",
}
BIN = Path(sys.executable).parent
NEIGHBOURS = {"standin", "mailbox"}


class CommandFailed(AssertionError):
    """A command of the service ended with an error; the message holds what it printed."""


def base_environment() -> dict[str, str]:
    """Return what any process needs, and nothing of the caller's settings."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    path = f"{BIN}:{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


@dataclass
class Ports:
    """The loopback ports of one service, free when chosen."""

    web: int = field(default_factory=free_port)
    standin: int = field(default_factory=free_port)
    smtp: int = field(default_factory=free_port)
    mailbox: int = field(default_factory=free_port)


class Service:
    """Processes around one database; nothing runs before `start`, `stop` ends all of them.

    `settings` are environment variables above the usual ones; `standin_options` go to the
    stand-in's command line.
    """

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        standin_options: Sequence[str] = (),
        workers: int = 1,
    ) -> None:
        self.database_url = database_url
        self.folder = folder
        self.ports = Ports()
        self.url = f"http://127.0.0.1:{self.ports.web}"
        self.standin = StandIn(f"http://127.0.0.1:{self.ports.standin}")
        self.mailbox = Mailbox(f"http://127.0.0.1:{self.ports.mailbox}")
        self.env = {**base_environment(), **self._settings(), **(settings or {})}
        self.processes: dict[str, Process] = {}
        self._standin_options = standin_options
        self._worker_count = workers

    def _settings(self) -> dict[str, str]:
        return EVENT | {
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
            "PUBLIC_URL": self.url,
            "XENDIT_SECRET_KEY": XENDIT_SECRET_KEY,
            "XENDIT_CALLBACK_TOKEN": XENDIT_CALLBACK_TOKEN,
            "XENDIT_API_URL": self.standin.base_url,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.ports.smtp),
            "MAIL_USE_TLS": "false",
            "MAIL_DEFAULT_SENDER": "tiket@tedxsenja.example",
            "RATE_LIMIT_ENABLED": "false",
            "PORT": str(self.ports.web),
        }

    def start(self, *, catalogue: str | None = None) -> None:
        """Migrate, load the catalogue (YAML; by default the sample event), start everything."""
        try:
            self.prepare(catalogue=catalogue)
            self._spawn_neighbours()
            self._spawn_web()
            for number in range(1, self._worker_count + 1):
                self.start_worker(f"worker-{number}")
            self._wait_for_neighbours()
            self._wait_for_web()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def prepare(self, *, catalogue: str | None = None) -> None:
        """Migrate and load the catalogue, in this process: commands would cost seconds."""
        with running_app(make_settings(self.database_url)) as app, app.app_context():
            text = catalogue if catalogue is not None else sample_catalogue()
            load_catalogue(read_catalogue(text), by="tests", now=datetime.now(UTC))

    def start_neighbours(self) -> None:
        """Start the stand-in and the mailbox."""
        self._spawn_neighbours()
        self._wait_for_neighbours()

    def _spawn_neighbours(self) -> None:
        standin = ["-m", "sandbox.xendit", "--port", str(self.ports.standin)]
        standin += ["--secret-key", XENDIT_SECRET_KEY, "--callback-token", XENDIT_CALLBACK_TOKEN]
        standin += ["--callback-url", f"{self.url}/api/payment-callback", "--rate-limit", "6000"]
        standin += self._standin_options
        mailbox = ["-m", "sandbox.mailbox", "--smtp-port", str(self.ports.smtp)]
        mailbox += ["--http-port", str(self.ports.mailbox)]
        self._start("standin", sys.executable, *standin)
        self._start("mailbox", sys.executable, *mailbox)

    def _wait_for_neighbours(self) -> None:
        self.processes["standin"].wait_until(lambda: is_listening(self.ports.standin))
        self.processes["mailbox"].wait_until(
            lambda: is_listening(self.ports.mailbox) and is_listening(self.ports.smtp)
        )

    def start_web(self) -> None:
        """Start gunicorn and wait until it is alive."""
        self._spawn_web()
        self._wait_for_web()

    def _spawn_web(self) -> None:
        self._start("web", str(BIN / "gunicorn"), "wsgi:app")

    def _wait_for_web(self) -> None:
        self.processes["web"].wait_until(lambda: answers(f"{self.url}/healthz"))

    def start_worker(self, name: str = "worker-1") -> Process:
        """Start one more worker; `wait_until_ready` waits until it is at work."""
        return self._start(name, str(BIN / "flask"), "--app", "wsgi", "worker")

    def wait_until_ready(self) -> None:
        """Wait for /readyz, and until every worker works and would end cleanly when told to."""
        self.processes["web"].wait_until(lambda: answers(f"{self.url}/readyz"))
        for worker in [self.processes[name] for name in self.workers()]:
            worker.wait_until(lambda worker=worker: worker.has_said("worker started"))  # type: ignore[misc]

    def workers(self) -> list[str]:
        """Return the names of the workers that were started."""
        return [name for name in self.processes if name.startswith("worker")]

    def restart(self, name: str) -> None:
        """Start a process again with its old command, stopping it before if it still runs."""
        old = self.processes[name]
        old.stop()
        if name == "web":
            self.start_web()
        elif name.startswith("worker"):
            self.start_worker(name)
        else:
            raise ValueError(f"{name} keeps its state in memory: it cannot be restarted")

    def kill(self, name: str) -> None:
        """End a process and its children with SIGKILL, as a power cut would."""
        self.processes[name].kill()

    def flask(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `flask …` with the service's settings and return what it printed.

        In this process: to start one for it would take seconds.
        """
        with running_app(Settings.from_env(self.env)) as app, app.app_context():
            done = app.test_cli_runner().invoke(args=list(arguments), input=stdin)
        if done.exit_code:
            command = f"flask {' '.join(arguments)}"
            raise CommandFailed(f"{command}: {done.exit_code}\n{done.output}\n{done.exception!r}")
        return done.stdout

    def api_key(self, *scopes: str) -> str:
        """Make an API key (scope orders:write unless others are named) and return it."""
        wanted = scopes or ("orders:write",)
        options = [option for scope in wanted for option in ("--scope", scope)]
        return self.flask("api-keys", "add", "test partner", *options).split()[-1]

    def load_catalogue(self, text: str) -> None:
        """Create or update the tickets from YAML text."""
        path = self.folder / "event.yaml"
        path.write_text(text, encoding="utf-8")
        self.flask("tickets", "load", str(path))

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        return self.processes[name].log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> dict[str, int]:
        """End every process, the neighbours last, and return the exit codes (0: a clean stop)."""
        for name in self.processes.keys() - NEIGHBOURS:
            self.processes[name].terminate()  # all at once: each takes its time
        codes = {name: process.stop() for name, process in reversed(self.processes.items())}
        self.processes.clear()
        return codes

    def _start(self, name: str, *command: str) -> Process:
        process = Process(name, command, env=self.env, log=self.folder / f"{name}.log")
        self.processes[name] = process
        return process


def sample_catalogue() -> str:
    """Return the sample event's catalogue, with dates around now."""
    script = [sys.executable, "scripts/sample-event", EVENT_STARTS_AT.isoformat()]
    return subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True).stdout
