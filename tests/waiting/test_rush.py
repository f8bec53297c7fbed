"""A rush at the fair door with real processes: two that serve, and one database between them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from app.services.waiting.pace import MARGIN
from tests.harness.database import MariaDB
from tests.harness.interleaving import at_once
from tests.harness.service import Service
from tests.harness.waiting import eventually

SEATS = 5
VISITORS = 30
DAY = timedelta(days=1)
CATALOGUE = """
tickets:
  - type: Reguler
    description: Satu kursi
    price: 100000
    amount: {seats}
    maxPerOrder: 2
    validFrom: "{since}"
    validUntil: "{until}"
"""


@pytest.fixture(scope="module")
def rushed(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    now = datetime.now(UTC)
    settings = {"FAIR_DOOR": "true", "FAIR_DOOR_PER_MINUTE": "60000", "WEB_CONCURRENCY": "2"}
    service = Service(mariadb.fresh_database(), tmp_path_factory.mktemp("rush"), settings=settings)
    times = {name: now + days for name, days in (("since", -DAY), ("until", DAY))}
    shown = {name: time.isoformat() for name, time in times.items()}
    try:
        service.start(catalogue=CATALOGUE.format(seats=SEATS, **shown))
        yield service
    finally:
        service.stop()


class Visitor:
    """A browser that waits, and goes in when it may."""

    def __init__(self, service: Service) -> None:
        self.url = service.url
        self.http = requests.Session()
        self.is_inside = False

    def come(self) -> None:
        """Take a place; who is told that the shop is too busy tries again, as people do."""
        eventually(
            lambda: self.http.post(f"{self.url}/waiting", allow_redirects=False).status_code == 303
        )

    def try_door(self) -> None:
        answer = self.http.get(f"{self.url}/checkout", allow_redirects=False)
        self.is_inside = self.is_inside or answer.status_code == 200


def all_at_once(acts: list[Callable[[], None]]) -> None:
    assert at_once(acts) == [None] * len(acts)


def test_two_processes_together_never_let_in_more_than_seats_and_a_margin(rushed: Service) -> None:
    visitors = [Visitor(rushed) for _ in range(VISITORS)]
    all_at_once([each.come for each in visitors])

    def inside() -> int:
        all_at_once([each.try_door for each in visitors])
        return sum(each.is_inside for each in visitors)

    eventually(lambda: inside() >= SEATS + MARGIN)
    for _ in range(3):
        assert inside() == SEATS + MARGIN
    assert f"{VISITORS - SEATS - MARGIN} wait, {SEATS + MARGIN} were admitted" in rushed.flask(
        "fair-door", "status"
    )

    # The same rush without the door: what is counted above does see too many.
    rushed.flask("fair-door", "off")
    eventually(lambda: inside() == VISITORS)
