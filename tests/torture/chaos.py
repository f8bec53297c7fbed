"""Chaos: at moments that come from a seed, something of the real world breaks."""

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.torture.tally import Tally

Fault = tuple[str, dict[str, Any]]
XENDIT_FAULTS: tuple[Fault, ...] = (
    ("html_502", {}),
    ("server_error", {}),
    ("connection_dropped", {}),
    ("rate_limited", {}),
    ("latency", {"milliseconds": 3000.0}),
    ("create_slow", {"seconds": 9.0}),
    ("create_slow", {"seconds": 9.0, "commit_first": False}),
    ("create_answer_lost", {"how": "502"}),
    ("create_answer_lost", {"how": "dropped"}),
    ("create_answer_lost", {"how": "timeout", "seconds": 10.0}),
    ("webhook_before_answer", {}),
    ("list_empty", {}),
    ("html_502", {"call": "read"}),
    ("html_502", {"call": "expire"}),
    ("paid_before_expire", {}),
    ("paid_twice", {}),
    ("paid_amount_differs", {"by": 1000}),
    ("paid_amount_differs", {"by": -1000}),
    ("late_payment_stays_expired", {}),
    ("webhook_lost", {}),
    ("webhook_duplicate", {"copies": 4}),
    ("webhook_delayed", {"seconds": 4.0}),
    ("webhook_wrong_token", {}),
    ("expired_webhook", {}),
    ("expired_after_paid", {}),
    ("paid_after_expired", {}),
)
MAIL_FAULTS: tuple[Fault, ...] = (
    ("down", {}),
    ("recipient_refused", {"code": 451}),
    ("data_refused", {"code": 451}),
    ("connection_dropped", {"stage": "ehlo"}),
    ("connection_dropped", {"stage": "data"}),
    ("connection_dropped", {"stage": "answer", "times": 1}),
    ("slow", {"seconds": 1.5}),
)
KILLS = ("web killed", "web children killed", "workers killed", "databases killed")


class Chaos(threading.Thread):
    """Breaks one thing after the other until told to stop; `heal` makes all good again."""

    def __init__(
        self,
        seed: int,
        service: Service,
        database: MariaDB,
        tally: Tally,
        stop: threading.Event,
        *,
        pause: float,
    ) -> None:
        super().__init__(name="chaos", daemon=True)
        self._random = random.Random(seed)
        self._service, self._database = service, database
        self._tally, self._ended, self._pause = tally, stop, pause
        self.has_tried_all = threading.Event()

    def run(self) -> None:
        """Do every kind of kill once, in an order of the seed, then whatever comes."""
        acts: list[Callable[[], None]] = [
            self._kill_web_child,
            self._kill_worker,
            self._kill_database,
            self._kill_web,
            self._break_xendit,
            self._break_mail,
        ]
        weights = (2, 3, 1, 1, 6, 3)
        first = self._random.sample(acts, len(acts))
        while not self._ended.wait(self._random.uniform(0.2, 1.8) * self._pause):
            act = first.pop() if first else self._random.choices(acts, weights)[0]
            with self._tally.surprising("chaos"):
                act()
            if not first:
                self.has_tried_all.set()

    def heal(self) -> None:
        """Clear all faults and start what does not run."""
        self.calm_xendit()
        self._service.mailbox.clear_faults()
        for name, process in list(self._service.processes.items()):
            if not process.is_running:
                self._service.restart(name)
        self._service.wait_until_ready()

    def calm_xendit(self) -> None:
        """Turn the stand-in's faults off, and its rate limit with them."""
        self._service.standin.clear_faults()
        self._service.standin.set_fault("rate_limit", per_minute=100_000)

    def _kill_web_child(self) -> None:
        master = self._service.processes["web"].pid
        found = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, check=False)
        children = [int(pid) for pid in found.stdout.split()]
        if children:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(children), signal.SIGKILL)
            self._tally.count("web children killed")

    def _kill_web(self) -> None:
        self._service.kill("web")
        self._tally.count("web killed")
        self._service.start_web()

    def _kill_worker(self) -> None:
        name = self._random.choice([n for n in self._service.processes if n.startswith("worker")])
        self._service.kill(name)
        self._tally.count("workers killed")
        self._ended.wait(self._random.uniform(0, 1.0))
        self._service.start_worker(name)

    def _kill_database(self) -> None:
        self._tally.count("databases killed")
        self._database.kill_and_restart()

    def _break_xendit(self) -> None:
        name, options = self._random.choice(XENDIT_FAULTS)
        self._tally.count(f"xendit: {name}")
        if self._random.random() < 0.5:
            self._service.standin.set_fault(name, **options, times=self._random.randint(1, 5))
            return
        self._service.standin.set_fault(name, **options)
        self._ended.wait(self._random.uniform(0.5, 4.0))
        self.calm_xendit()

    def _break_mail(self) -> None:
        name, options = self._random.choice(MAIL_FAULTS)
        self._tally.count(f"mail: {name} {options.get('stage', '')}".rstrip())
        self._service.mailbox.set_fault(name, **options)
        self._ended.wait(self._random.uniform(0.5, 4.0))
        self._service.mailbox.clear_faults()
