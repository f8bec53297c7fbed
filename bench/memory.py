"""Memory of web and worker, fresh and after a thousand requests: `python -m bench.memory`."""

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Sheet, at_most
from bench.load import request, run_load
from bench.order_load import order_request
from bench.stage import add_key, put_on_sale, run_alone, running_service
from tests.harness.database import MariaDB
from tests.harness.service import Service

REQUESTS = 1000
CONNECTIONS = 8
PLENTY = 10_000_000
MOST = at_most(120)
PSS, RSS = "MiB (PSS)", "MiB (RSS)"


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return the memory of the largest web process and of a worker's."""
    sheet = Sheet("memory")
    for _ in range(rounds):
        url = server.fresh_database()
        with running_service(url) as service:
            _note(sheet, "web process, fresh", service, "web")
            _use(service, url)
            _note(sheet, f"web process, after {REQUESTS:,} requests", service, "web")
            _note(sheet, "worker", service, "worker-1")
    return sheet


def _use(service: Service, url: str) -> None:
    """Order, and look at the catalogue, as page and as JSON."""
    order = order_request(service, add_key(url, "orders:write"), put_on_sale(url, "Hot", PLENTY))
    looks = [request("GET", service.url + path) for path in ("/", "/api/tickets")]
    kinds = [order, *looks, looks[0]]
    run_load(
        service.url, lambda n: kinds[n % len(kinds)], connections=CONNECTIONS, requests=REQUESTS
    )


def _note(sheet: Sheet, name: str, service: Service, process: str) -> None:
    """Note the largest process of a group that is not the one that only watches the others."""
    group = service.processes[process].pid
    sizes = [sizes for pid, sizes in _sizes(group) if process != "web" or pid != group]
    for kind, unit in enumerate((PSS, RSS)):
        largest = max(size[kind] for size in sizes)
        sheet.note(name, unit, largest, targets=[MOST] if process == "web" else ())


def _sizes(group: int) -> Iterator[tuple[int, tuple[float, float]]]:
    """Yield each process of a group with its memory in MiB: proportional, and resident.

    See proc(5), smaps_rollup: shared pages count as a share, or whole.
    """
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) != group:
                continue
            lines = (process / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended while we looked, or is somebody else's
        kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        yield int(process.name), (kibibytes["Pss"] / 1024, kibibytes["Rss"] / 1024)


if __name__ == "__main__":
    run_alone(measure)
