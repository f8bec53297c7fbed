"""The catalogue, as page and as JSON, beside a bare route: `python -m bench.catalogue`."""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.figures import Sheet, at_least_share
from bench.load import Load, request, run_load
from bench.stage import (
    LEVELS,
    bare_server,
    cpu_seconds,
    http_client,
    note_load,
    run_alone,
    running_service,
    warm_up,
)
from tests.harness.database import MariaDB
from tests.harness.service import Service, sample_catalogue

SECONDS = 1.5
REQUESTS = {1: 1000, 8: 3000, 32: 5000, 128: 5000}
PATHS = {"catalogue page": "/", "GET /api/tickets": "/api/tickets"}


@dataclass(frozen=True)
class Look:
    """Something that is asked for: at the service, and the same bytes at the bare route."""

    name: str
    status: int
    ours: bytes
    bare: bytes


def measure(server: MariaDB, rounds: int, levels: tuple[int, ...] = LEVELS) -> Sheet:
    """Return rates of both, ours and the bare one in turn, with the body and without (304)."""
    sheet, url = Sheet("catalogue"), server.fresh_database()
    with ExitStack() as stack:
        service = stack.enter_context(running_service(url, workers=0))
        service.load_catalogue(sample_catalogue())
        bodies = {f"{n}": _get(service, path)[1] for n, path in enumerate(PATHS.values())}
        bare, bare_group = stack.enter_context(bare_server(bodies))
        web_group = service.processes["web"].pid
        looks = _looks(service, bare)
        for look in looks:
            warm_up(service.url, look.ours)
        for _ in range(rounds):
            for level in levels:
                for look in looks:
                    ours = _run(service.url, web_group, look.ours, level, look.status)
                    limit = _run(bare, bare_group, look.bare, level, look.status)
                    _note(sheet, look.name, level, ours, limit)
    return sheet


def _looks(service: Service, bare: str) -> list[Look]:
    looks = []
    for number, (name, path) in enumerate(PATHS.items()):
        known = {"If-None-Match": _get(service, path)[0]}
        ours, limit = service.url + path, f"{bare}/{number}"
        looks.append(Look(name, 200, request("GET", ours), request("GET", limit)))
        again = request("GET", ours, headers=known), request("GET", limit, headers=known)
        looks.append(Look(f"{name}, 304", 304, *again))
    return looks


def _get(service: Service, path: str) -> tuple[str, bytes]:
    """Return the ETag and the body of an answer."""
    with http_client() as http:
        answer = http.get(service.url + path, timeout=10)
    answer.raise_for_status()
    return answer.headers["ETag"], answer.content


def _run(url: str, group: int, data: bytes, level: int, status: int) -> tuple[Load, float]:
    """Return a load, and the CPU milliseconds that each answer took the server."""
    before = cpu_seconds(group)
    load = run_load(
        url, lambda _: data, connections=level, requests=REQUESTS[level], seconds=SECONDS
    )
    wrong = len(load.answers) - load.statuses[status]
    if wrong > level:  # a page that counts down may have changed once meanwhile
        raise SystemExit(f"not all answers were {status}: {load.statuses}")
    return load, (cpu_seconds(group) - before) / len(load.answers) * 1000


def _note(
    sheet: Sheet, name: str, level: int, ours: tuple[Load, float], limit: tuple[Load, float]
) -> None:
    bare = f"{name}: bare route, concurrency {level}"
    targets = [at_least_share(0.7)]
    note_load(sheet, f"{name}, concurrency {level}", ours[0], limit=bare, targets=targets)
    note_load(sheet, bare, limit[0])
    for row, (_, spent) in ((f"{name}, concurrency {level}", ours), (bare, limit)):
        sheet.note(row, "server CPU ms each", spent)


if __name__ == "__main__":
    run_alone(measure)
