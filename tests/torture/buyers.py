"""Buyers: they order with a key they repeat, pay somehow or not at all, and change their minds."""

import random
import threading
import time
from typing import Any

import requests

from sandbox.client import SandboxError, StandIn
from tests.harness.service import Service
from tests.harness.waiting import PATIENCE
from tests.torture.desk import Desk
from tests.torture.tally import Tally, Wish

CHANNELS = ("BCA", "MANDIRI", "QRIS", "OVO", "DANA", "ALFAMART")
FATES = ("pays",) * 6 + ("pays late",) * 2 + ("never pays", "cancels", "extends", "changes mind")
ANSWER_WITHIN = 40.0  # Xendit's inline time-out, and a database that is away


class Buyer(threading.Thread):
    """Orders again and again until told to stop; every choice comes from the seed."""

    def __init__(
        self,
        number: int,
        seed: int,
        service: Service,
        api_key: str,
        tickets: list[int],
        desk: Desk,
        tally: Tally,
        stop: threading.Event,
    ) -> None:
        super().__init__(name=f"buyer-{number}", daemon=True)
        self._random = random.Random(f"{seed}-{number}")
        self._service, self._tickets = service, tickets
        self._desk, self._tally, self._ended = desk, tally, stop
        self._prefix = f"torture-{seed}-{number}"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._standin = StandIn(service.standin.base_url)

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            with self._tally.surprising(self.name):
                self._buy(self._wish(f"{self._prefix}-{number}"))
            self._ended.wait(self._random.uniform(0, 0.4))
        self._standin.close()

    def _wish(self, key: str) -> Wish:
        email = f"{key}@example.com"
        user = {"full_name": "Sari Dewi", "email": email, "no_hp": "+6281234567890"}
        ticket = self._random.choice(self._tickets)
        items = [{"ticketId": ticket, "quantity": self._random.randint(1, 2)}]
        wish = Wish(key, email, {"user": user, "items": items})
        self._tally.add(wish)
        return wish

    def _buy(self, wish: Wish) -> None:
        answer = self.send(wish)
        while answer is None and not self._ended.wait(self._random.uniform(0.2, 1.0)):
            answer = self.send(wish)
        if answer is None or "order" not in answer:
            return
        if self._random.random() < 0.1:  # the answer came, and yet the partner asks again
            self.send(wish)
        invoice = self._wait_for_invoice(answer)
        if invoice is not None:
            self._meet_fate(answer["order"]["code"], invoice)

    def send(self, wish: Wish) -> dict[str, Any] | None:
        """Send a wish once; None when no answer came, or one that says to repeat it."""
        self._tally.count("order calls")
        try:
            answer = requests.post(
                f"{self._service.url}/api/orders",
                json=wish.body,
                headers={**self._headers, "Idempotency-Key": wish.key},
                timeout=ANSWER_WITHIN,
            )
        except requests.RequestException:
            self._tally.count("order calls without an answer")
            return None
        self._tally.count(f"order calls answered {answer.status_code}")
        if answer.status_code in (500, 502, 503) or answer.json().get("code") == (
            "idempotency_in_progress"
        ):
            if answer.status_code == 500:
                self._tally.surprises.append(f"500 for {wish.key}: {answer.text[:300]}")
            return None
        body: dict[str, Any] = answer.json()
        if answer.status_code in (201, 202):
            wish.codes.add(body["order"]["code"])
        else:
            wish.refusal = str(body.get("code"))
        return body

    def _wait_for_invoice(self, answer: dict[str, Any]) -> str | None:
        """Ask for the invoice that follows; give up after a while, as people do."""
        give_up_at = time.monotonic() + 20
        while time.monotonic() < give_up_at and not self._ended.is_set():
            if answer["order"]["status"] != "PENDING":
                return None
            if answer["payment"]["invoiceId"]:
                return str(answer["payment"]["invoiceId"])
            self._ended.wait(1.0)
            answer = self._show(answer["order"]["code"]) or answer
        return None

    def _show(self, code: str) -> dict[str, Any] | None:
        url = f"{self._service.url}/api/orders/{code}"
        try:
            answer = requests.get(url, headers=self._headers, timeout=ANSWER_WITHIN)
            body: dict[str, Any] = answer.json()
        except requests.RequestException:
            return None
        return body if answer.status_code == 200 else None

    def _meet_fate(self, code: str, invoice: str) -> None:
        fate = self._random.choice(FATES)
        self._tally.count(f"buyers: {fate}")
        if fate == "cancels":
            self._at_once(lambda: self._desk.cancel(code), lambda: self._pay(invoice))
        if fate == "extends":
            self._at_once(lambda: self._desk.extend(code), lambda: self._pay(invoice))
        if fate in ("pays", "changes mind"):
            self._ended.wait(self._random.choice((0, 0, 0.5, 2.0)))
            self._pay(invoice)
        if fate == "pays late":
            self._pay(invoice, after_expiry=True)
        if fate == "changes mind":
            self._ended.wait(1.0)
            self._desk.cancel_paid(code)
        for late in self._desk.late_codes()[:1]:
            choice = self._random.choice(("other seats", "wait", "money back"))
            self._desk.choose(late, choice, self._random.choice(self._tickets))

    def _at_once(self, wish: Any, payment: Any) -> None:
        """Let a wish and a payment meet, or only the wish."""
        if self._random.random() < 0.5:
            wish()
            return
        thread = threading.Thread(target=payment, daemon=True)
        thread.start()
        self._ended.wait(self._random.uniform(0, 0.05))
        wish()
        thread.join(timeout=PATIENCE)

    def _pay(self, invoice: str, *, after_expiry: bool = False) -> None:
        channel = self._random.choice(CHANNELS)
        standin = StandIn(self._standin.base_url)
        try:
            standin.pay(invoice, channel, after_expiry=after_expiry)
            self._tally.count("invoices paid late" if after_expiry else "invoices paid")
        except SandboxError:
            self._tally.count("payments too late for an invoice")
        finally:
            standin.close()
