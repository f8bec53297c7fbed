"""Buyers in a browser: they look, choose, type, press twice, reload, give up, come back."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from bench.rush.book import Book, Yes
from bench.rush.callers import Shop
from bench.rush.lining_up import Guest
from bench.rush.pages import read_hidden, read_situation, says_gone
from bench.rush.payers import FRAGMENT
from bench.rush.plan import BEHIND_ONE_ADDRESS, CARRIER_ADDRESSES, Plan
from bench.rush.wire import Reply, Wire

OK, SEE_OTHER, BAD_REQUEST, CONFLICT, UNPROCESSABLE = 200, 303, 400, 409, 422
QUANTITIES = {1: 55, 2: 33, 4: 12}
ONLY_LOOKS, GIVES_UP, DOUBLE_CLICK = 0.12, 0.06, 0.1
RELOADS, COMES_BACK, LEAVES_THE_LINE = 0.1, 0.05, 0.04
TRIES_THE_OTHER, KEEPS_LOOKING = 0.3, 0.35
LONGEST_LOOK = 120.0
MOST_FORMS = 4
TYPED = {"Content-Type": "application/x-www-form-urlencoded"}


class Visitor(Guest):
    """One person with one browser: one set of cookies, one copy of the catalogue to compare."""

    def __init__(self, number: int, shop: Shop, plan: Plan, book: Book, wire: Wire) -> None:
        super().__init__(f"visitor-{number}", shop, plan, book, wire)
        self.headers = {"X-Forwarded-For": self._address(number), "Accept-Language": "id"}
        self._phone = f"+62812{number:08d}"
        self._etag = self._situation = self._email = ""
        self._pace = self._forms = 0
        self._ticket = self.lots.choices(shop.tickets, (3, 2))[0]
        self._quantity = self.lots.choices(list(QUANTITIES), list(QUANTITIES.values()))[0]

    def _address(self, number: int) -> str:
        if self.lots.random() < BEHIND_ONE_ADDRESS:
            return f"198.51.100.{number % CARRIER_ADDRESSES + 1}"
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    async def visit(self) -> None:
        """Come, look, and leave with seats or knowing that there are none."""
        self.come()
        await self._look("catalogue")
        if not self._situation:
            self.book.drew("leaves without a page")
            return
        await self.think(0.5, 4)
        if self.lots.random() < ONLY_LOOKS:
            self.book.drew("only looks")
            await self._look("catalogue")
            return
        page = await self._buy()
        if page:
            await self._follow(page)
        else:
            self.lose()

    async def _look(self, kind: str, headers: Mapping[str, str] | None = None) -> None:
        """Ask for the catalogue; who has it already is told so."""
        seen = {"If-None-Match": self._etag} if self._etag else {}
        asked = self.book.now()
        reply = await self.insist(kind, "GET", "/", headers={**seen, **(headers or {})})
        if reply.status == OK:
            self.keep_cookies(reply)
            self._etag = "" if headers else reply.headers.get("etag", "")
            self._situation, self._pace = read_situation(reply.body)
        if self._situation == "sold_out":
            self.hear_no(dict.fromkeys(self.shop.tickets, 1), asked)

    async def _buy(self) -> str:
        """Fill in forms until one leads somewhere; return that address, or "" for a loser."""
        while self._forms < MOST_FORMS:
            if self._situation == "sold_out" and not await self._wait_for_seats():
                return ""
            self._forms += 1
            page = await self._check_out()
            if page is None:
                return ""
            if page:
                return page
            await self.think(1, 4)
            if self.lots.random() < TRIES_THE_OTHER:
                self._ticket = next(t for t in self.shop.tickets if t != self._ticket)
            else:
                self._quantity = 1
                await self._look("catalogue")
        return ""

    async def _wait_for_seats(self) -> bool:
        """Leave, or keep the page open for seats that come back; tell whether they did."""
        if self.lots.random() >= KEEPS_LOOKING:
            self.book.drew("leaves on sold out")
            return False
        self.book.drew("keeps looking")
        until = self.book.now() + LONGEST_LOOK * self.lots.random()
        while self._situation == "sold_out" and self.book.now() < until:
            await asyncio.sleep(self._pace or LONGEST_LOOK)
            await self._look("catalogue poll", FRAGMENT)
        return self._situation == "open"

    async def _check_out(self) -> str | None:
        """Go through the form; "" when the seats are gone, None when the buyer gives up."""
        asked = self.book.now()
        path = "/checkout?" + urlencode({f"t{self._ticket}": self._quantity})
        form = await self.go_in(path)
        if form is None or form.status != OK:
            self.book.drew("was never let in" if form is None else "leaves without a form")
            return None
        if says_gone(form.body):
            self.hear_no({self._ticket: self._quantity}, asked)
            return ""
        await self.think(3, 15)
        if self.lots.random() < GIVES_UP:
            self.book.drew("gives up in the form")
            return None
        return await self._submit(form)

    async def _submit(self, form: Reply) -> str:
        """Press the button, once or twice; return where it leads, "" when nowhere."""
        self._email = f"{self.name}-{self._forms}@example.com"
        for _ in range(3):
            asked = self.book.now()
            fields = read_hidden(form.body) | self._typed()
            body = urlencode(fields).encode()
            presses = 2 if self.lots.random() < DOUBLE_CLICK else 1
            self.book.drew("presses twice" if presses > 1 else "presses once")
            replies = await asyncio.gather(*(self._press(body) for _ in range(presses)))
            for reply in replies:
                self._hear_yes(reply)
            if led := [r.headers["location"] for r in replies if _is_yes(r)]:
                return led[-1]
            form = replies[-1]
            if form.status == SEE_OTHER:
                self.book.drew("had no turn any more")
                return ""
            if form.status == CONFLICT and says_gone(form.body):
                self.hear_no({self._ticket: self._quantity}, asked)
                return ""
            if form.status not in (BAD_REQUEST, CONFLICT, UNPROCESSABLE):
                return ""
            self.book.drew(f"form comes back with {form.status}")
        return ""

    def _typed(self) -> dict[str, str]:
        return {
            f"t{self._ticket}": str(self._quantity),
            "full_name": "Sari Dewi",
            "email": self._email,
            "no_hp": self._phone,
            "intent": "pay",
        }

    async def _press(self, body: bytes) -> Reply:
        headers = TYPED | self.sent_from("/checkout")
        return await self.insist("checkout submit", "POST", "/checkout", body=body, headers=headers)

    def _hear_yes(self, reply: Reply) -> None:
        """Note a yes and the cookie that came with the answer."""
        self.keep_cookies(reply)
        if _is_yes(reply):
            where = urlsplit(reply.headers["location"]).path.strip("/").split("/")
            key = "token" if where[0] == "orders" else "invoice_id"
            self.book.yes.append(Yes(self._email, self.book.now(), **{key: where[1]}))

    async def _follow(self, address: str) -> None:
        """Go where the button led: to Xendit, or to the order page and its line."""
        if "/orders/" in address:
            page = await self.open_order(address)
            if self.lots.random() < RELOADS:
                self.book.drew("reloads the order page")
                page = await self.open_order(address)
            if self.lots.random() < COMES_BACK:
                self.book.drew("comes back through the catalogue")
                await self._look("catalogue")
                page = await self.open_order(address)
            if self.lots.random() < LEAVES_THE_LINE:
                self.book.drew("leaves the line")
                return
            invoice_id = await self.wait_for_invoice(page)
        else:
            invoice_id = address.rsplit("/", 1)[-1]
        if invoice_id:
            await self.settle(invoice_id)


def _is_yes(reply: Reply) -> bool:
    """Tell whether an answer leads to an order or its invoice, not back to the waiting room."""
    return reply.status == SEE_OTHER and "/waiting" not in reply.headers["location"]
