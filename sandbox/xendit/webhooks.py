"""Sends webhooks as Xendit does: token header, 30 s time-out, six retries over a day.

Nobody waits for a slow receiver: every attempt has its own thread.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from sandbox.clock import Clock, iso
from sandbox.switches import Switchboard

TIMEOUT_SECONDS = 30.0
# Waits after the previous attempt: 15 and 45 min, 2, 3, 6 and 12 h (webhook behaviour page).
RETRY_SECONDS = (900.0, 2_700.0, 7_200.0, 10_800.0, 21_600.0, 43_200.0)


@dataclass
class Delivery:
    """One webhook: its body and the attempts made.

    `state` is pending, completed, failed, timeout, url_not_set or lost.
    """

    kind: str
    body: dict[str, Any]
    url: str
    token: str
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    retries: bool = True
    state: str = "pending"
    next_attempt_at: datetime | None = None
    forgotten: bool = False
    attempts: list[dict[str, Any]] = field(default_factory=list)
    tried: threading.Event = field(default_factory=threading.Event, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Write it for the control API."""
        due = self.next_attempt_at
        return {
            "kind": self.kind,
            "invoice_id": self.body.get("id", self.body.get("data", {}).get("invoice_id")),
            "status": self.body.get("status", self.body.get("event")),
            "url": self.url,
            "webhook_id": self.webhook_id,
            "token": self.token,
            "body": self.body,
            "state": self.state,
            "next_attempt_at": iso(due) if due else None,
            "attempts": list(self.attempts),
        }


class Courier:
    """Keep the deliveries and make their attempts when due; tick() is to be called often."""

    def __init__(
        self,
        clock: Clock,
        faults: Switchboard,
        address: Callable[[str], str],
        token: str,
        time_scale: float,
    ) -> None:
        self._clock, self._faults, self._address = clock, faults, address
        self._token, self._time_scale = token, time_scale
        self._lock = threading.Lock()
        self._due: list[tuple[datetime, int, list[Delivery]]] = []
        self._order = itertools.count()
        self.deliveries: list[Delivery] = []

    def send(self, kind: str, *bodies: dict[str, Any]) -> list[Delivery]:
        """Send bodies one after the other, subject to the webhook switches."""
        sent: list[Delivery] = []
        for body in bodies:
            sent += self._prepare(kind, body)
        self.start(sent, self._delay())
        return sent

    def start(self, deliveries: list[Delivery], delay: timedelta = timedelta()) -> None:
        """Record deliveries and make their first attempts, in order, after `delay`."""
        with self._lock:
            self.deliveries += deliveries
        waiting = [delivery for delivery in deliveries if delivery.state == "pending"]
        for delivery in deliveries:
            if delivery.state != "pending":
                delivery.tried.set()
        if waiting:
            self._schedule(waiting, self._clock.now() + delay)
            self.tick()

    def make(self, kind: str, body: dict[str, Any], **changes: Any) -> Delivery:
        """Make a delivery to the registered URL, untouched by the webhook switches."""
        fields = {"url": self._address(kind), "token": self._token} | changes
        delivery = Delivery(kind=kind, body=body, **fields)
        if not delivery.url:
            delivery.state = "url_not_set"
        return delivery

    def tick(self) -> None:
        """Start every attempt that is due."""
        now = self._clock.now()
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > now:
                    return
                batch = heapq.heappop(self._due)[2]
            threading.Thread(target=self._attempt_all, args=(batch,), daemon=True).start()

    def forget(self) -> None:
        """Drop all deliveries and what was scheduled."""
        with self._lock:
            for delivery in self.deliveries:
                # What is under way must not reach the receiver after the reset.
                delivery.forgotten = True
            self.deliveries, self._due = [], []

    def _prepare(self, kind: str, body: dict[str, Any]) -> list[Delivery]:
        delivery = self.make(kind, body)
        if self._faults.take("webhook_lost"):
            delivery.state = "lost"
            return [delivery]
        wrong = self._faults.take("webhook_wrong_token")
        if wrong:
            delivery.token = wrong["token"]
        twice = self._faults.take("webhook_duplicate")
        if not twice:
            return [delivery]
        same = {"webhook_id": delivery.webhook_id} if twice["same_webhook_id"] else {}
        more = range(twice["copies"] - 1)
        return [delivery, *(self.make(kind, body, token=delivery.token, **same) for _ in more)]

    def _delay(self) -> timedelta:
        late = self._faults.take("webhook_delayed")
        return timedelta(seconds=late["seconds"] if late else 0)

    def _schedule(self, batch: list[Delivery], due: datetime) -> None:
        for delivery in batch:
            delivery.next_attempt_at = due
        with self._lock:
            heapq.heappush(self._due, (due, next(self._order), batch))

    def _attempt_all(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            if not delivery.forgotten:
                self._attempt(delivery)
            delivery.tried.set()

    def _attempt(self, delivery: Delivery) -> None:
        shorter = self._faults.take("webhook_timeout")
        timeout = shorter["seconds"] if shorter else TIMEOUT_SECONDS
        began = time.perf_counter()
        attempt: dict[str, Any] = {"at": iso(self._clock.now()), "status": None, "error": None}
        try:
            answer = _post(delivery, timeout)
            attempt |= {"status": answer.status_code, "answer": answer.text[:2000]}
            outcome = "completed" if 200 <= answer.status_code < 300 else "failed"
        except requests.Timeout as error:
            attempt["error"], outcome = str(error), "timeout"
        except requests.RequestException as error:
            attempt["error"], outcome = str(error), "failed"
        attempt["seconds"] = round(time.perf_counter() - began, 3)
        delivery.attempts.append(attempt)
        delivery.next_attempt_at = None
        if self._is_to_be_retried(delivery, outcome):
            wait = timedelta(seconds=RETRY_SECONDS[len(delivery.attempts) - 1] * self._time_scale)
            self._schedule([delivery], self._clock.now() + wait)
        else:
            delivery.state = outcome

    def _is_to_be_retried(self, delivery: Delivery, outcome: str) -> bool:
        if outcome == "completed" or delivery.forgotten or not delivery.retries:
            return False
        if len(delivery.attempts) > len(RETRY_SECONDS):
            return False
        return outcome != "timeout" or bool(self._faults.take("webhook_retry_after_timeout"))


def _post(delivery: Delivery, timeout: float) -> requests.Response:
    headers = {
        "x-callback-token": delivery.token,
        "webhook-id": delivery.webhook_id,
        "Accept": "application/json, text/plain, */*",
        "Accept-Encoding": "gzip, compress, deflate, br",
        "User-Agent": "axios/1.10.0",
    }
    with requests.Session() as session:
        # Proxy settings of the developer's shell must not catch calls to this machine.
        session.trust_env = False
        return session.post(
            delivery.url,
            json=delivery.body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        )
