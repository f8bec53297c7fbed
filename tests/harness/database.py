"""Databases for tests: a MariaDB server on a temporary folder, and SQLite files."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pymysql

from tests.harness.processes import Process, StartFailed, free_port, is_listening

USER = "tickets"
PASSWORD = "only-for-tests"
# The server has no certificate; yet the driver would read all those of the system, 20 ms of work,
# before each connection.
NO_TLS = "ssl_disabled=true"
# Small, and for the death of the server as careful as in production: what is committed is written.
# It is not flushed to the disk, which only matters when the whole machine dies: no test kills that.
SERVER_OPTIONS = (
    "--skip-log-bin",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=128M",
    "--innodb-log-file-size=32M",
    "--performance-schema=OFF",
    "--max-connections=400",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
)


class MariaDB:
    """A MariaDB server of our own: unix socket for administration, loopback TCP for tests."""

    def __init__(self) -> None:
        # Not pytest's folder: the path of a unix socket may only be 107 bytes long.
        self.folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
        self.socket = self.folder / "server.sock"
        self.port = free_port()
        self._numbers = itertools.count(1)
        try:
            self._install()
            self.process = self._start()
            self._add_user()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def _options(self) -> list[str]:
        # A server that starts removes the temporary tables it finds in its folder for them: in
        # the common one those of its neighbours.
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        options = ["--no-defaults", f"--datadir={self.folder / 'data'}", f"--tmpdir={temporary}"]
        if os.geteuid() == 0:
            options.append("--user=root")  # the server refuses root unless told so
        return options

    def _install(self) -> None:
        command = ["mariadb-install-db", *self._options]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartFailed(f"mariadb-install-db failed:\n{done.stdout}\n{done.stderr}")

    def _start(self) -> Process:
        program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise StartFailed("mariadbd is not installed: make setup-test")
        command = [program, *self._options, *SERVER_OPTIONS]
        command += [f"--socket={self.socket}", f"--pid-file={self.folder / 'server.pid'}"]
        command += ["--bind-address=127.0.0.1", f"--port={self.port}"]
        process = Process("mariadbd", command, env=os.environ, log=self.folder / "server.log")
        process.wait_until(self._accepts_connections)
        return process

    def _accepts_connections(self) -> bool:
        if not (is_listening(self.port) and _is_open(self.socket)):
            return False
        try:
            self._connect().close()
        except pymysql.OperationalError:
            return False
        return True

    def _connect(self) -> pymysql.connections.Connection:
        return pymysql.connect(
            unix_socket=str(self.socket), user="root", autocommit=True, ssl_disabled=True
        )

    def _add_user(self) -> None:
        self.execute(f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'")
        self.execute(f"GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%'")

    def execute(self, statement: str) -> None:
        """Run one statement as the administrator."""
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def fresh_database(self) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        place = f"{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"
        return f"mysql+pymysql://{place}?charset=utf8mb4&{NO_TLS}"

    def kill_and_restart(self) -> None:
        """Let the server die without warning (SIGKILL) and start it again on the same data."""
        self.process.kill()
        self.process = self._start()

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_open(path: Path) -> bool:
    """Tell whether somebody accepts connections on this unix socket.

    After its port, a server opens this one; meanwhile the driver would leave its end open.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def fresh_sqlite(folder: Path) -> str:
    """Return the SQLAlchemy URL of a new SQLite file in an existing folder."""
    handle, path = tempfile.mkstemp(dir=folder, prefix="test-", suffix=".db")
    os.close(handle)
    return f"sqlite:///{path}"
