"""Xendit's API: invoices, refunds, and what came into and went out of the balance.

Plain HTTP and tolerant parsing: an unknown bank code or a missing field must never lose an invoice
that exists. Invoices have no idempotency key and `external_id` is not unique, so every failure is
told apart by what may have happened (XenditRefused, XenditThrottled, XenditUnreachable: nothing;
XenditUnknown: perhaps, look it up first).
"""

import copy
import logging
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter

from app.integrations.xendit_answers import lost, parse_answer, parse_object
from app.integrations.xendit_refunds import (
    RefundRequest,
    XenditRefund,
    parse_refund,
    parse_refunds,
)
from app.integrations.xendit_shapes import (
    Invoice,
    InvoiceItem,
    InvoiceRequest,
    InvoiceStatus,
    XenditError,
    XenditRefused,
    XenditThrottled,
    XenditUnknown,
    XenditUnreachable,
    parse_invoice,
)
from app.integrations.xendit_transactions import (
    BALANCE,
    TransactionPage,
    XenditTransaction,
    XenditWithdrawal,
    list_path,
    parse_balance,
    parse_transaction,
    parse_transactions,
)
from app.lanes import TooManyOutside, stepping_aside
from app.tracing import HEADER, current_request_id

__all__ = [
    "INLINE",
    "PATIENT",
    "Invoice",
    "InvoiceItem",
    "InvoiceRequest",
    "InvoiceStatus",
    "Timeout",
    "XenditClient",
    "XenditError",
    "XenditRefused",
    "XenditThrottled",
    "XenditUnknown",
    "XenditUnreachable",
]

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
INLINE_READ_TIMEOUT = 8.0  # a buyer is waiting; what is slower becomes a job
CONNECTIONS = 64  # as many as a web process has threads

Timeout = tuple[float, float]
PATIENT: Timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
INLINE: Timeout = (3.0, INLINE_READ_TIMEOUT)
PAGE = 100  # the most a list answers: facts 3.3


class CallMeter(Protocol):
    """Told of every call that is made often: they must not use up what Xendit allows."""

    def before(self, endpoint: str) -> None:
        """Be asked whether a call to `read`, `list` or `create` may be made; raises when not."""

    def after(self, endpoint: str, allowed: int) -> None:
        """Be told how many calls a minute the answer said the endpoint takes."""


class XenditClient:
    """The gateway to Xendit; safe to share between threads."""

    def __init__(self, base_url: str, secret_key: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.auth = (secret_key, "")
        self._session.headers.update({"Accept": "application/json"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.trust_env = False  # no proxy or netrc may see the key
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS)
        self._session.mount(base_url, adapter)
        self._meter: CallMeter | None = None

    def metered(self, meter: CallMeter) -> "XenditClient":
        """Return a client on the same connections that asks `meter` before it reads or creates."""
        client = copy.copy(self)
        client._meter = meter
        return client

    def create_invoice(self, request: InvoiceRequest, timeout: Timeout = PATIENT) -> Invoice:
        """Create an invoice. A second call makes a second payable one: look up before repeating."""
        if self._meter is not None:
            self._meter.before("create")
        made = self._call("POST", "/v2/invoices", timeout, request.body(), endpoint="create")
        return parse_invoice(parse_object(made))

    def read_invoice(self, invoice_id: str, timeout: Timeout = PATIENT) -> Invoice:
        """Read an invoice: the truth about its money. Raises XenditRefused(404) when unknown."""
        path = f"/v2/invoices/{_plain_id(invoice_id)}"
        return parse_invoice(parse_object(self._read("read", path, timeout)))

    def list_invoices(self, external_id: str, timeout: Timeout = PATIENT) -> list[Invoice]:
        """Return all invoices with this external id; an unknown one gives an empty list."""
        path = f"/v2/invoices?external_id={quote(external_id, safe='')}"
        return [parse_invoice(entry) for entry in self._list(path, timeout)]

    def list_invoices_between(
        self, from_at: datetime, until_at: datetime, timeout: Timeout = PATIENT
    ) -> Iterator[list[Invoice]]:
        """Yield the invoices created in [from_at, until_at), page by page, of whatever reference.

        Filtered here too, since the filters are documented and were never seen (facts 3.3).
        Raises XenditError for the page that cannot be had.
        """
        wanted = {
            "limit": PAGE,
            "created_after": from_at.isoformat(),
            "created_before": until_at.isoformat(),
        }
        seen: set[str] = set()
        entries: list[Mapping[str, Any]] = []
        while not seen or len(entries) == PAGE:
            entries = self._list(f"/v2/invoices?{urlencode(wanted)}", timeout)
            page = [invoice for invoice in _readable(entries) if invoice.id not in seen]
            if not page:
                if len(entries) == PAGE:
                    raise XenditUnknown("a list of invoices does not come to its end")
                return
            seen |= {invoice.id for invoice in page}
            wanted["last_invoice"] = str(entries[-1].get("id"))
            yield [invoice for invoice in page if invoice.is_created_in(from_at, until_at)]

    def _list(self, path: str, timeout: Timeout) -> list[Mapping[str, Any]]:
        try:
            body = self._read("list", path, timeout)
        except XenditRefused as error:
            if error.status == 404:
                return []
            raise
        if not isinstance(body, list):
            raise XenditUnknown("a list of invoices was expected")
        return [entry for entry in body if isinstance(entry, dict)]

    def _read(self, endpoint: str, path: str, timeout: Timeout) -> Any:
        if self._meter is not None:
            self._meter.before(endpoint)
        return self._call("GET", path, timeout, endpoint=endpoint)

    def expire_invoice(self, invoice_id: str, timeout: Timeout = PATIENT) -> Invoice:
        """Close an unpaid invoice. Raises XenditRefused when it is not PENDING: read it."""
        path = f"/invoices/{_plain_id(invoice_id)}/expire!"  # no /v2 here: facts 3.4
        return parse_invoice(parse_object(self._call("POST", path, timeout)))

    def create_refund(self, request: RefundRequest, timeout: Timeout = PATIENT) -> XenditRefund:
        """Send money back; 200 means accepted, mostly not done yet. Look up before repeating."""
        key = {"idempotency-key": request.reference}
        return parse_refund(
            parse_object(self._call("POST", "/refunds", timeout, request.body(), key))
        )

    def read_refund(self, refund_id: str, timeout: Timeout = PATIENT) -> XenditRefund:
        """Read a refund: the truth about it. Raises XenditRefused(404) when unknown."""
        return parse_refund(
            parse_object(self._call("GET", f"/refunds/{_plain_id(refund_id)}", timeout))
        )

    def list_refunds(self, invoice_id: str, timeout: Timeout = PATIENT) -> list[XenditRefund]:
        """Return all refunds of an invoice; an unknown one gives an empty list."""
        path = f"/refunds?invoice_id={quote(invoice_id, safe='')}"
        try:
            return parse_refunds(self._call("GET", path, timeout))
        except XenditRefused as error:
            if error.status == 404:
                return []
            raise

    def list_transactions(
        self,
        from_at: datetime,
        until_at: datetime,
        after_id: str | None = None,
        timeout: Timeout = PATIENT,
    ) -> TransactionPage:
        """Return a page of what came into the balance and left it: costs, and when it settles.

        Raises XenditRefused(403) where the key has no right to read transactions.
        """
        path = list_path(from_at, until_at, after_id)
        return parse_transactions(self._read("transactions", path, timeout))

    def read_transaction(self, named: str) -> XenditTransaction | XenditWithdrawal | None:
        """Read one payment or withdrawal; None if unreadable. Raises XenditRefused(404)."""
        body = self._read("transactions", f"/transactions/{_plain_id(named)}", PATIENT)
        return parse_transaction(parse_object(body))

    def read_balance(self) -> int:
        """Return what is in the balance, in whole rupiah.

        Raises XenditRefused(403) where the key has no right to read it.
        """
        return parse_balance(parse_object(self._read("balance", BALANCE, PATIENT)))

    def _call(
        self,
        method: str,
        path: str,
        timeout: Timeout,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        endpoint: str = "",
    ) -> Any:
        """Make one call, log its outcome, and return the parsed body of a 2xx answer."""
        started = time.monotonic()
        answer: requests.Response | None = None
        try:
            with stepping_aside():
                answer = self._session.request(
                    method,
                    self._base_url + path,
                    json=body,
                    timeout=timeout,
                    headers={HEADER: current_request_id(), **(headers or {})},
                    allow_redirects=False,
                )
        except TooManyOutside as error:
            raise XenditUnreachable("too many wait for Xendit already") from error
        except requests.exceptions.ConnectTimeout as error:
            raise XenditUnreachable(type(error).__name__) from error
        except requests.exceptions.ConnectionError as error:
            raise lost(error) from error
        except requests.exceptions.RequestException as error:
            raise XenditUnknown(type(error).__name__) from error
        finally:
            self._log(method, path, answer, time.monotonic() - started)
        allowed = answer.headers.get("Rate-Limit-Limit", "")
        if self._meter is not None and endpoint and allowed.isdecimal():
            self._meter.after(endpoint, int(allowed))
        return parse_answer(answer)

    def _log(
        self, method: str, path: str, answer: requests.Response | None, seconds: float
    ) -> None:
        # An answer of 400 and above is falsy, and its Request-Id is what support asks for.
        headers = answer.headers if answer is not None else {}
        log.info(
            "xendit call",
            extra={
                "method": method,
                "path": path.partition("?")[0],
                "status": answer.status_code if answer is not None else None,
                "ms": round(seconds * 1000),
                "xendit_request_id": headers.get("Request-Id"),
                "rate_remaining": headers.get("Rate-Limit-Remaining"),
            },
        )


def _readable(entries: list[Mapping[str, Any]]) -> Iterator[Invoice]:
    """Yield what can be read: one odd invoice of another system must not hide all the others."""
    for entry in entries:
        try:
            yield parse_invoice(entry)
        except XenditUnknown:
            log.exception("an invoice that cannot be read", extra={"invoice": entry.get("id")})


def _plain_id(named: str) -> str:
    """Return an id that is safe in a path. Raises XenditRefused: a callback can name anything."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", named):
        raise XenditRefused(404, "NOT_AN_ID")
    return named
