"""What ten thousand who wait cost: the CPU of the web processes for their questions.

`python -m bench.waiting [ROUNDS]`. The places are drawn by lot and the line moves meanwhile; each
visitor asks with a cookie of its own, as often as its page does.
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import FairDoor, FairDoorPlace
from app.routes.fair_door_cookies import PLACE, Seals
from app.services.waiting.look import Place
from app.services.waiting.news import LONGEST_PAUSE, PAUSES
from bench.figures import Sheet, at_most
from bench.load import request, run_load
from bench.stage import cpu_seconds, put_on_sale, quiet_settings, run_alone, running_service
from tests.app_factory import running_app
from tests.harness.database import MariaDB
from tests.harness.service import Service

VISITORS = 10_000
SEATS = 500
POLLS = 6_000
CONNECTIONS = 32
MOST_SHARE = 0.25
SETTINGS = {"FAIR_DOOR": "true"}


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return the CPU of 1,000 questions and pages, and the share of a core that all need."""
    sheet = Sheet("waiting room")
    url = server.fresh_database()
    with running_service(url, workers=0, settings=SETTINGS) as service:
        put_on_sale(url, "Hot", SEATS)
        cookies = seat_visitors(service)
        ask(service, cookies, "/waiting", 200)
        for _ in range(rounds):
            news = ask(service, cookies, "/waiting/news", POLLS)
            sheet.note("1,000 questions for news", "CPU s of the web", news * 1000)
            page = ask(service, cookies, "/waiting", POLLS // 10)
            sheet.note("1,000 whole pages", "CPU s of the web", page * 1000)
            healthz = ask(service, cookies, "/healthz", POLLS)
            sheet.note("1,000 answers of /healthz", "CPU s of the web", healthz * 1000)
            share, targets = news * polls_a_second(VISITORS), [at_most(MOST_SHARE)]
            sheet.note(f"{VISITORS:,} who wait", "cores", share, targets=targets)
    return sheet


def polls_a_second(visitors: int) -> float:
    """Return how often a line of so many asks in all: who stands far behind asks less often."""
    rate, before = 0.0, 0
    for limit, pause in PAUSES:
        rate += (min(limit, visitors) - before) / pause
        before = min(limit, visitors)
    return rate + (visitors - before) / LONGEST_PAUSE


def seat_visitors(service: Service) -> list[str]:
    """Put everybody into the line before its lot is drawn; return the cookie of each."""
    now = datetime.now(UTC)
    seals = Seals(service.env["SECRET_KEY"])
    with running_app(quiet_settings(service.database_url)) as app, app.app_context():
        db.session.execute(sa.delete(FairDoor))
        door = FairDoor(per_minute=600, created_at=now)
        db.session.add(door)
        db.session.flush()
        keys = [secrets.token_urlsafe(16) for _ in range(VISITORS)]
        rows = [{"door_id": door.id, "key": key, "made_at": now} for key in keys]
        db.session.execute(sa.insert(FairDoorPlace), rows)
        found = sa.select(FairDoorPlace.id, FairDoorPlace.key)
        sealed = [seals.write_place(Place(door.id, *row)) for row in db.session.execute(found)]
        db.session.commit()
    return [f"{PLACE}={each}" for each in sealed]


def ask(service: Service, cookies: list[str], path: str, count: int) -> float:
    """Have visitors ask in turn; return the CPU seconds of the web processes for one answer."""
    group = service.processes["web"].pid
    requests = [
        request("GET", service.url + path, headers={"Cookie": cookie}) for cookie in cookies[:count]
    ]
    before = cpu_seconds(group)
    load = run_load(
        service.url,
        lambda number: requests[number % len(requests)],
        connections=CONNECTIONS,
        requests=count,
    )
    spent = cpu_seconds(group) - before
    assert set(load.statuses) == {200}, load.statuses
    return spent / count


if __name__ == "__main__":
    run_alone(measure)
