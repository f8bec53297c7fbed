"""Start real processes, wait until they answer, and leave none behind."""

import atexit
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 300.0  # a slow machine beside busy neighbours takes its time
ANSWER_WITHIN = 120.0  # so does one answer of a process that is there
POLL_SECONDS = 0.02
TAIL_LINES = 40
FIRST_PORT = 20_000
PORTS_A_RANGE = 1_500
PORT_RANGES = 8

_running: set["Process"] = set()


class StartFailed(AssertionError):
    """A process ended, or did not answer in time; the message holds the tail of its log."""


class Process:
    """One started command in a process group of its own, its output in a file."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self._begins_at = log.stat().st_size if log.exists() else 0
        self._is_told = self._is_gone = False
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                env=dict(env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _running.add(self)

    @property
    def pid(self) -> int:
        """Return the process id, which is also the id of its group."""
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        """Tell whether the process started has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._popen.poll()

    def tail(self) -> str:
        """Return the last lines of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])

    def has_said(self, words: str) -> bool:
        """Tell whether it has written this; what an earlier process wrote there does not count."""
        with self.log.open("rb") as log:
            log.seek(self._begins_at)
            return words.encode() in log.read()

    def wait_until(self, is_ready: Callable[[], bool], *, within: float = READY_WITHIN) -> None:
        """Wait until it is ready; raises StartFailed when it ends before or takes too long."""
        deadline = time.monotonic() + within
        while not is_ready():
            if not self.is_running:
                raise StartFailed(f"{self.name} ended with {self.exit_code}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} not ready within {within:g} s:\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM) and do not wait; asked again, say nothing more.

        A second signal could meet the moment in which Python has put its handlers away.
        """
        if self.is_running and not self._is_told:
            self._is_told = True
            self._popen.terminate()

    def stop(self, *, grace: float = 60.0) -> int:
        """Ask the process to end (SIGTERM), insist after `grace` s, and return its exit code."""
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(grace)
        return self.kill()

    def kill(self) -> int:
        """End the process and all its children with SIGKILL, and return its exit code."""
        if not self._is_gone:  # afterwards its id may be another's
            with suppress(ProcessLookupError):  # the group has ended by itself
                os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
            deadline = time.monotonic() + READY_WITHIN
            while _group_is_alive(self.pid) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)  # children end a little later than their parent
            self._is_gone = True
            _running.discard(self)
        return self._popen.wait()


def _group_is_alive(group: int) -> bool:
    """Tell whether a process group still has a member that holds files and ports.

    See proc(5), stat, fields 3, 5 and 20: a process whose first thread is a zombie keeps them
    until its last thread has ended.
    """
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            fields = stat.read_text().rsplit(")", 1)[1].split()
            state, its_group, threads = fields[0], int(fields[2]), int(fields[17])
            if its_group == group and (state != "Z" or threads > 1):
                return True
    return False


def stop_everything() -> list[str]:
    """Kill what is still running and return the names, for the end of a test run."""
    left = sorted(_running, key=lambda process: process.pid)
    for process in left:
        process.kill()
    return [process.name for process in left]


atexit.register(stop_everything)


def free_port() -> int:
    """Return a TCP port of the loopback interface on which nobody listens at the moment.

    Below those that the system gives to clients, and from a range of this test process' own:
    nobody takes it between this answer and its use.
    """
    while True:
        port = next(_ports)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _port_range() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + worker % PORT_RANGES * PORTS_A_RANGE
    start = os.getpid() % PORTS_A_RANGE  # another run on the same machine begins elsewhere
    return cycle(first + (start + n) % PORTS_A_RANGE for n in range(PORTS_A_RANGE))


_ports = _port_range()


def is_listening(port: int) -> bool:
    """Tell whether somebody accepts connections on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def answers(url: str, *, status: int = 200) -> bool:
    """Tell whether a GET of this URL is answered with this status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
