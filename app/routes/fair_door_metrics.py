"""How the fair door stands, for Prometheus."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.errors import Busy
from app.fair_door_settings import FairDoorSettings
from app.services.waiting.look import Look, watch


class FairDoorCollector(Collector):
    """Collects who waits, who was let in and how fast; as old as what visitors are told."""

    def __init__(self, now: datetime, settings: FairDoorSettings) -> None:
        self._now = now
        self._settings = settings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; none while the line was never seen."""
        with suppress(Busy):
            yield from _gauges(watch().look(self._now, self._settings))


def _gauges(look: Look) -> Iterator[GaugeMetricFamily]:
    door = look.door
    yield GaugeMetricFamily(
        "tickets_fair_door_waiting",
        "Visitors of this line not let in yet",
        max(0, look.line.length - door.admitted),
    )
    yield GaugeMetricFamily(
        "tickets_fair_door_admitted", "Visitors of this line let in", door.admitted
    )
    yield GaugeMetricFamily(
        "tickets_fair_door_per_minute", "Visitors let in a minute now", door.per_minute
    )
    is_moving = door.is_on and not door.is_paused
    yield GaugeMetricFamily(
        "tickets_fair_door_moving", "1 while the door is on and not paused", float(is_moving)
    )
