"""Whoever calls the service: asks, notes the answer, and waits as long as it is told to."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass

from bench.rush.book import Answer, Book, Loser, No
from bench.rush.plan import Plan
from bench.rush.wire import NO_ANSWER, Reply, Wire

TRIES = 8
COME_LATER = (429, 503)


@dataclass(frozen=True)
class Shop:
    """Where everything is: base URLs, ids of both tickets, and an API key for each partner."""

    url: str
    standin_url: str
    tickets: tuple[int, ...]
    keys: tuple[str, ...] = ()


class Caller:
    """One buyer's or partner's end of the line; every choice comes from the seed."""

    def __init__(self, name: str, shop: Shop, plan: Plan, book: Book, wire: Wire) -> None:
        self.name = name
        self.lots = random.Random(f"{plan.seed}-{name}")
        self.shop, self.plan, self.book = shop, plan, book
        self._wire = wire
        self.headers: dict[str, str] = {}
        self._came = 0.0
        self._heard: list[tuple[float, float]] = []

    def come(self) -> None:
        """Note the arrival."""
        self._came = self.book.now()
        self.book.arrivals.append(self._came)

    def hear_no(self, wanted: dict[int, int], asked: float) -> None:
        """Note that these seats cannot be had; `asked` is when the question was first sent."""
        told = self.book.now()
        self.book.no.append(No(wanted, asked, told))
        self._heard.append((asked, told))

    def lose(self) -> None:
        """Note that this one leaves without seats; who never heard why only leaves."""
        if self._heard:
            self.book.losers.append(Loser(self._came, tuple(self._heard)))

    async def think(self, least: float, most: float) -> None:
        """Do nothing for a while, in seconds at the plan's pace."""
        await asyncio.sleep(self.lots.uniform(least, most) * self.plan.pace)

    def sent_from(self, path: str) -> dict[str, str]:
        """Return what a browser tells of the page that a form was on."""
        return {"Referer": path if path.startswith("http") else self.shop.url + path}

    async def send(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request to the service and note its answer."""
        url = path if path.startswith("http") else self.shop.url + path
        asked = self.book.now()
        reply = await self._wire.ask(method, url, {**self.headers, **(headers or {})}, body)
        told = reply.headers.get("retry-after", "")
        retry_after = int(told) if told.isdecimal() else None
        seconds = self.book.now() - asked
        self.book.answers.append(Answer(kind, asked, seconds, reply.status, retry_after))
        return reply

    async def insist(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send, and again when told to come later or when nobody answered, a few times."""
        for _ in range(TRIES):
            reply = await self.send(kind, method, path, body=body, headers=headers)
            if reply.status not in (*COME_LATER, NO_ANSWER):
                break
            pause = int(reply.headers.get("retry-after") or 2)
            await asyncio.sleep(pause + self.lots.uniform(0, 2) * self.plan.pace)
        return reply

    async def control(self, path: str, body: bytes) -> Reply:
        """Call the stand-in, which is not measured."""
        url = f"{self.shop.standin_url}/_control{path}"
        return await self._wire.ask("POST", url, {"Content-Type": "application/json"}, body)
