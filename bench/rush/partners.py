"""Partner systems: they order over JSON with a key, repeat, and ask for the invoice."""

import asyncio
import json
from typing import Any

from bench.rush.book import Book, Yes
from bench.rush.callers import Shop
from bench.rush.payers import Payer
from bench.rush.plan import PARTNERS, Plan
from bench.rush.wire import Wire

CREATED, ACCEPTED = 201, 202
REPEATS = 0.15
ASKS_AGAIN_AFTER = 5


class PartnerBuyer(Payer):
    """Somebody who buys on a partner's site, which calls the JSON API for them."""

    def __init__(self, number: int, shop: Shop, plan: Plan, book: Book, wire: Wire) -> None:
        super().__init__(f"partner-{number}", shop, plan, book, wire)
        self.headers = {
            "X-Forwarded-For": f"192.0.2.{number % PARTNERS + 1}",
            "Authorization": f"Bearer {shop.keys[number % len(shop.keys)]}",
        }
        self._ticket = self.lots.choices(shop.tickets, (3, 2))[0]
        self._quantity = self.lots.choices((1, 2, 4), (55, 33, 12))[0]
        self._email = f"{self.name}@example.com"
        self._phone = f"+62813{number:08d}"

    async def visit(self) -> None:
        """Order, perhaps repeat the call, wait for the invoice and pay it."""
        self.come()
        await self.insist("API tickets", "GET", "/api/tickets")
        await self.think(1, 6)
        body = await self._order()
        if body is None:
            self.lose()
        elif "order" in body:
            if self.lots.random() < REPEATS:
                self.book.drew("repeats under the same key")
                await self._order()
            invoice_id = await self._wait_for_invoice(body)
            if invoice_id:
                await self.settle(invoice_id)

    async def _order(self) -> dict[str, Any] | None:
        """Call once, again when told to; return the answer's body, None when sold out."""
        user = {"full_name": "Sari Dewi", "email": self._email, "no_hp": self._phone}
        items = [{"ticketId": self._ticket, "quantity": self._quantity}]
        asked = self.book.now()
        reply = await self.insist(
            "API order",
            "POST",
            "/api/orders",
            body=json.dumps({"user": user, "items": items}).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": self.name},
        )
        body: dict[str, Any] = json.loads(reply.body or b"{}")
        if reply.status in (CREATED, ACCEPTED):
            code = body["order"]["code"]
            self.book.yes.append(Yes(self._email, self.book.now(), code=code))
        elif body.get("code") == "sold_out":
            self.hear_no({self._ticket: self._quantity}, asked)
            return None
        return body

    async def _wait_for_invoice(self, body: dict[str, Any]) -> str:
        """Ask for the invoice that follows; return its id, "" when it never came."""
        until = self.book.now() + 2 * self.plan.hold
        code = body["order"]["code"]
        while not body["payment"]["invoiceId"] and self.book.now() < until:
            await asyncio.sleep(ASKS_AGAIN_AFTER)
            reply = await self.insist("API order read", "GET", f"/api/orders/{code}")
            body = json.loads(reply.body) if reply.status == 200 else body
            if body["order"]["status"] != "PENDING":
                return ""
        return str(body["payment"]["invoiceId"] or "")
