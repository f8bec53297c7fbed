"""Going in by the fair door: a place, the wait for the turn, and the form behind it."""

import asyncio
import json

from bench.rush.book import Book
from bench.rush.callers import Shop
from bench.rush.pages import read_waiting_page
from bench.rush.payers import Payer
from bench.rush.plan import Plan
from bench.rush.wire import Reply, Wire

OK, SEE_OTHER = 200, 303
STAYS_WHEN_TAKEN = 285.0  # seconds on average, of those who hear it while they wait
DRAW = 8.0  # seconds over which pages spread their first questions after the opening
LONGEST_WAIT = 180.0
WAY_IN, NO_PLACE = ("turn", "open"), ("stranger", "missed")
GONE, OVER = ("taken", "sold_out"), ("sold_out", "closed")


class Guest(Payer):
    """Somebody whose browser keeps cookies, and who waits where there is a fair door."""

    def __init__(self, name: str, shop: Shop, plan: Plan, book: Book, wire: Wire) -> None:
        super().__init__(name, shop, plan, book, wire)
        self._jar: dict[str, str] = {}
        self._stays_until = 0.0

    def keep_cookies(self, reply: Reply) -> None:
        """Keep the cookies of an answer, and drop those it takes back."""
        if set_cookie := reply.headers.get("set-cookie"):
            for line in set_cookie.split("\n"):
                name, _, value = line.partition(";")[0].partition("=")
                self._jar[name] = value
            kept = [f"{name}={value}" for name, value in self._jar.items() if value]
            self.headers["Cookie"] = "; ".join(kept)

    async def go_in(self, path: str) -> Reply | None:
        """Open the checkout, by turn where there is a door; None for who is never let in."""
        until = self.book.now() + LONGEST_WAIT
        while self.book.now() < until:
            reply = await self.insist("checkout form", "GET", path)
            self.keep_cookies(reply)
            if reply.status != SEE_OTHER:
                return reply
            if not await self._wait_for_turn(reply.headers["location"], until):
                return None
        return None

    async def _wait_for_turn(self, address: str, until: float) -> bool:
        """Take a place and ask for news until it is this one's turn; False when leaving."""
        state, pause, opens_in = await self._look_at_place(address)
        while state not in WAY_IN:
            if state in OVER or self.book.now() > until:
                return False
            if state == "taken" and self._has_had_enough():
                self.book.drew("leaves the waiting room")
                return False
            if state in NO_PLACE:
                self.book.drew("takes a place")
                reply = await self.insist(
                    "waiting: take a place", "POST", address, headers=self.sent_from(address)
                )
                self.keep_cookies(reply)
                if "/waiting" not in reply.headers.get("location", "/waiting"):
                    return True
                state, pause, opens_in = await self._look_at_place(address)
                continue
            await asyncio.sleep(self._pause(pause, opens_in))
            state, pause, opens_in = await self._ask_for_news(state, pause)
        return True

    def _has_had_enough(self) -> bool:
        """Stay for a while after hearing it first."""
        if not self._stays_until:
            self._stays_until = self.book.now() + self.lots.expovariate(1 / STAYS_WHEN_TAKEN)
        return self.book.now() > self._stays_until

    def _pause(self, pause: int, opens_in: float) -> float:
        wait = pause * self.lots.uniform(0.85, 1.15)
        is_sooner = 0 < opens_in < wait
        return opens_in + 0.5 + DRAW * self.lots.random() if is_sooner else wait

    async def _look_at_place(self, address: str) -> tuple[str, int, float]:
        asked = self.book.now()
        reply = await self.insist("waiting page", "GET", address)
        self.keep_cookies(reply)
        if reply.status == SEE_OTHER:
            return "open", 0, 0
        state, pause, opens_in = read_waiting_page(reply.body)
        self._hear(state, asked)
        return state, pause, opens_in

    async def _ask_for_news(self, state: str, pause: int) -> tuple[str, int, float]:
        asked = self.book.now()
        reply = await self.send("waiting news", "GET", "/waiting/news")
        if reply.status != OK:
            return state, pause, 0
        news = json.loads(reply.body)
        self._hear(news["state"], asked)
        opens_at = news["opensAt"]
        left = opens_at - self.book.moment(self.book.now()).timestamp() if opens_at else 0.0
        return news["state"], news["pause"], left

    def _hear(self, state: str, asked: float) -> None:
        if state in GONE:
            self.hear_no(dict.fromkeys(self.shop.tickets, 1), asked)
