"""Typed clients of both control APIs, for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.05

Json = dict[str, Any]
Found = TypeVar("Found")


class SandboxError(AssertionError):
    """A control call was refused, or what a test waited for did not come."""


def wait_until(look: Callable[[], Found], *, timeout: float, what: str) -> Found:
    """Look again and again until something truthy is found; SandboxError after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SandboxError(f"{what} did not come within {timeout:g} s")
        time.sleep(POLL_SECONDS)


class _Control:
    """Call a control API; a refusal raises SandboxError with the server's reason."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def set_fault(self, name: str, **settings: Any) -> None:
        """Turn a switch on; `times=n` for n uses only. SandboxError for an unknown switch."""
        self._call("PUT", "/faults", {name: settings})

    def clear_faults(self) -> None:
        """Turn every switch off."""
        self._call("DELETE", "/faults")

    def faults(self) -> Json:
        """Return {"on": …, "switches": …}."""
        return self._call("GET", "/faults")

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()

    def _call(
        self, method: str, path: str, body: Json | None = None, params: Json | None = None
    ) -> Json:
        answer = self._session.request(
            method,
            f"{self.base_url}/_control{path}",
            json=body,
            params=params,
            timeout=TIMEOUT_SECONDS,
        )
        if not answer.ok:
            raise SandboxError(f"{method} {path}: {answer.status_code} {answer.text}")
        result: Json = answer.json()
        return result


class StandIn(_Control):
    """Drive the Xendit stand-in: what payers, time and misfortune do."""

    def invoices(self, external_id: str | None = None) -> list[Json]:
        """Return all invoices, the newest first, or those of one external_id."""
        found: list[Json] = self._call("GET", "/invoices")["invoices"]
        return [each for each in found if external_id in (None, each["external_id"])]

    def invoice(self, invoice_id: str) -> Json:
        """Return one invoice as it is."""
        return self._call("GET", f"/invoices/{invoice_id}")

    def pay(
        self,
        invoice_id: str,
        channel: str | None = None,
        *,
        amount: int | None = None,
        after_expiry: bool = False,
        callback: bool = True,
    ) -> Json:
        """Pay an invoice (its first channel unless named); return it as it is afterwards."""
        body = {
            "channel": channel,
            "amount": amount,
            "after_expiry": after_expiry,
            "callback": callback,
        }
        return self._call("POST", f"/invoices/{invoice_id}/pay", body)

    def expire(self, invoice_id: str) -> Json:
        """Expire an open invoice as the merchant's call would."""
        return self._call("POST", f"/invoices/{invoice_id}/expire")

    def settle(self, invoice_id: str) -> Json:
        """Move a paid invoice to SETTLED."""
        return self._call("POST", f"/invoices/{invoice_id}/settle")

    def withdraw(self, amount: int, **wanted: Any) -> Json:
        """Take money out of the balance (`kind`, `fee`, `vat`, `status`) and return that."""
        return self._call("POST", "/withdrawals", {"amount": amount, **wanted})

    def change_withdrawal(self, transaction_id: str, status: str) -> Json:
        """Let a withdrawal end, fail or come back; return its transaction."""
        return self._call("POST", f"/withdrawals/{transaction_id}", {"status": status})

    def callback(self, invoice_id: str | None = None, **wanted: Any) -> list[Json]:
        """Send a callback whatever the invoice's state; return the deliveries with answers.

        `status` PAID or EXPIRED, `fields` to change in the body, `body` to send instead,
        `sample` for the dashboard's test body, `token`, `url`, `copies`, `retry`, `wait`.
        """
        path = f"/invoices/{invoice_id}/callback" if invoice_id else "/callback"
        sent: list[Json] = self._call("POST", path, wanted)["deliveries"]
        return sent

    def deliveries(self, invoice_id: str | None = None) -> list[Json]:
        """Return the webhooks sent, oldest first, with the answers they got."""
        found: list[Json] = self._call("GET", "/deliveries")["deliveries"]
        return [each for each in found if invoice_id in (None, each["invoice_id"])]

    def wait_for_delivery(
        self, invoice_id: str, *, state: str = "completed", timeout: float = 60.0
    ) -> Json:
        """Return the first webhook of an invoice that reached `state`."""

        def look() -> Json | None:
            found = self.deliveries(invoice_id)
            return next((each for each in found if each["state"] == state), None)

        delivery = wait_until(look, timeout=timeout, what=f"a {state} webhook of {invoice_id}")
        assert delivery is not None  # noqa: S101
        return delivery

    def requests(self, method: str | None = None, path: str | None = None) -> list[Json]:
        """Return the API calls received, oldest first, perhaps of one method and path only."""
        found: list[Json] = self._call("GET", "/requests")["requests"]
        return [
            each
            for each in found
            if method in (None, each["method"]) and path in (None, each["path"])
        ]

    def advance(self, seconds: float) -> None:
        """Move the stand-in's clock forward; what is due by then happens."""
        self._call("POST", "/clock", {"advance_seconds": seconds})

    def reset(self) -> None:
        """Forget invoices, requests, deliveries, faults and clock shifts."""
        self._call("POST", "/reset")


class Mailbox(_Control):
    """Read what the mail catcher caught, and break it."""

    def mails(self, to: str | None = None) -> list[Json]:
        """Return the mails, newest first, or those to one address."""
        found: list[Json] = self._call("GET", "/mails", params={"to": to})["mails"]
        return found

    def wait_for_mail(self, to: str, *, subject: str = "", timeout: float = 60.0) -> Json:
        """Return the newest mail to an address (its subject containing a text) once it came."""

        def look() -> Json | None:
            return next((mail for mail in self.mails(to) if subject in mail["subject"]), None)

        mail = wait_until(look, timeout=timeout, what=f"a mail to {to}")
        assert mail is not None  # noqa: S101
        return mail

    def attachment(self, mail: Json, number: int = 0) -> bytes:
        """Return the content of a mail's attachment."""
        url = self.base_url + mail["attachments"][number]["url"]
        answer = self._session.get(url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.content

    def certificate(self) -> str:
        """Return the certificate (PEM) to trust for STARTTLS."""
        answer = self._session.get(f"{self.base_url}/_control/certificate", timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.text

    def clear(self) -> None:
        """Forget all mails."""
        self._call("DELETE", "/mails")
