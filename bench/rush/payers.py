"""Paying: on Xendit's side by channel, and the way back to the order page."""

import asyncio
import json
from urllib.parse import urlsplit

from bench.rush.callers import Caller
from bench.rush.pages import OrderPage, read_order_page

OK, NO_CONTENT = 200, 204
# Seconds that paying takes, and how many of a hundred pay so. At a drill's pace: on a real day a
# transfer takes minutes, and a hold half an hour.
CHANNELS = {
    "QRIS": (3.0, 12.0, 35),
    "BCA": (8.0, 30.0, 20),
    "DANA": (3.0, 12.0, 15),
    "OVO": (3.0, 12.0, 15),
    "MANDIRI": (8.0, 30.0, 10),
    "ALFAMART": (15.0, 40.0, 5),
}
NEVER_PAYS = 0.12
FRAGMENT = {"HX-Request": "true"}
WAITS_FOR_PAID = 60.0
IN_A_HURRY = 0.05  # of the payers: these fetch their e-tickets at once


class Payer(Caller):
    """Somebody who holds seats: waits for the invoice, pays or not, sees the tickets."""

    async def pay(self, invoice_id: str) -> str:
        """Pay an invoice, or not; return the address Xendit sends the payer back to."""
        if self.lots.random() < NEVER_PAYS:
            self.book.drew("never pays")
            return ""
        weights = [share for *_, share in CHANNELS.values()]
        (channel,) = self.lots.choices(list(CHANNELS), weights)
        await self.think(*CHANNELS[channel][:2])
        body = json.dumps({"channel": channel}).encode()
        reply = await self.control(f"/invoices/{invoice_id}/pay", body)
        if reply.status != OK:
            self.book.drew("pays too late")
            return ""
        self.book.drew(f"pays by {channel}")
        self.book.paid.append(invoice_id)
        return str(json.loads(reply.body)["success_redirect_url"])

    async def settle(self, invoice_id: str) -> None:
        """Pay, come back, and watch the page until it says paid."""
        address = await self.pay(invoice_id)
        if not address:
            return
        paid_at = self.book.now()
        page = await self.open_order(address)
        while page.view != "paid" and page.poll_url and self.book.now() - paid_at < WAITS_FOR_PAID:
            page = await self.next_news(page)
        if page.view != "paid":
            self.book.drew("left before the page said paid")
            return
        self.book.seen_paid.append(self.book.now() - paid_at)
        if self.lots.random() < IN_A_HURRY:
            await self.insist("e-tickets", "GET", f"{urlsplit(address).path}/tickets.pdf")

    async def open_order(self, address: str) -> OrderPage:
        """Open an order page, by whatever address led there."""
        reply = await self.insist("order page", "GET", address)
        return read_order_page(reply.body)

    async def next_news(self, page: OrderPage) -> OrderPage:
        """Wait as the page's own script does, ask for news, and return the page as it is then."""
        await asyncio.sleep(page.poll_seconds)
        reply = await self.send("order poll", "GET", page.poll_url, headers=FRAGMENT)
        return read_order_page(reply.body) if reply.status == OK else page

    async def wait_for_invoice(self, page: OrderPage) -> str:
        """Watch the place in line until there is a button to pay; return the invoice's id."""
        until = self.book.now() + 2 * self.plan.hold
        while page.view == "preparing" and page.poll_url and self.book.now() < until:
            page = await self.next_news(page)
        return page.pay_url.rsplit("/", 1)[-1]
