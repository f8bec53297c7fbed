"""How soon a web process serves, and how much memory it takes: `python -m bench.start_up [ROUNDS]`.

Two processes, as gunicorn.conf.py has it. Memory is that of the larger one, after 1,000 requests:
resident (RSS), and its share where processes have pages in common (PSS; see proc(5)).
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Sheet, at_most
from bench.load import request, run_load
from bench.stage import put_on_sale, run_alone, temporary_folder
from tests.harness.database import MariaDB
from tests.harness.processes import ROOT
from tests.harness.service import Service

REQUESTS = 1000
PATHS = ("/", "/checkout", "/api/tickets", "/healthz")
READY_SECONDS = 1.5
MOST_MEBIBYTES = 120.0
NAME = "web process"


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return the time until the first answer, the CPU time of the imports, and the memory."""
    sheet = Sheet("start-up")
    url = server.fresh_database()
    put_on_sale(url, "Reguler", 1000)
    for _ in range(rounds):
        with temporary_folder() as folder:
            service = Service(url, folder)
            try:
                _note_imports(sheet, service)
                _note_start(sheet, service)
                _note_memory(sheet, service)
            finally:
                service.stop()
    return sheet


def _note_imports(sheet: Sheet, service: Service) -> None:
    """Note the CPU time of one process that loads the application and does nothing."""
    before = _children_cpu()
    subprocess.run([sys.executable, "-c", "import wsgi"], env=service.env, cwd=ROOT, check=True)
    sheet.note(NAME, "CPU s of its imports", _children_cpu() - before)


def _note_start(sheet: Sheet, service: Service) -> None:
    begun = time.perf_counter()
    service.start_web()
    seconds = time.perf_counter() - begun
    sheet.note(NAME, "s until /healthz", seconds, targets=[at_most(READY_SECONDS)])


def _note_memory(sheet: Sheet, service: Service) -> None:
    """Note the memory of the largest web process, once it has served for a while."""
    asked = [request("GET", service.url + path) for path in PATHS]
    load = run_load(service.url, lambda n: asked[n % len(asked)], connections=8, requests=REQUESTS)
    assert set(load.statuses) == {200}, load.statuses
    parent = service.processes["web"].pid
    for kind in ("Rss", "Pss"):
        largest = max(_mebibytes(process, kind) for process in _children(parent))
        sheet.note(NAME, f"MiB {kind.upper()}", largest, targets=[at_most(MOST_MEBIBYTES)])


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(process) for process in tasks.read_text().split()]


def _mebibytes(process: int, kind: str) -> float:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"the system tells no {kind}")


if __name__ == "__main__":
    run_alone(measure)
