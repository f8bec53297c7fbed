"""Xendit's Invoice API: create, read, list by external id, expire.

Plain HTTP and tolerant parsing: an unknown bank code or a missing field must never lose an invoice
that exists. Invoices have no idempotency key and `external_id` is not unique, so every failure is
told apart by what may have happened (XenditRefused, XenditThrottled, XenditUnreachable: nothing;
XenditUnknown: perhaps, look it up first).
"""

import enum
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from app.tracing import HEADER, current_request_id

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
INLINE_READ_TIMEOUT = 8.0  # a buyer is waiting; what is slower becomes a job
THROTTLE_PAUSE = 10.0  # when a 429 does not say how long
CONNECTIONS = 64  # as many as a web process has threads

Timeout = tuple[float, float]
PATIENT: Timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
INLINE: Timeout = (3.0, INLINE_READ_TIMEOUT)


class XenditError(Exception):
    """A call to Xendit that did not give what was asked for."""


class XenditRefused(XenditError):
    """400, 401, 403 or 404: nothing happened, and repeating will not help."""

    def __init__(self, status: int, error_code: str) -> None:
        super().__init__(f"{status} {error_code}")
        self.status = status
        self.error_code = error_code


class XenditThrottled(XenditError):
    """429: nothing happened; try again after `pause` seconds."""

    def __init__(self, pause: float) -> None:
        super().__init__(f"rate limit, {pause:.0f} s")
        self.pause = pause


class XenditUnreachable(XenditError):
    """No connection could be made: nothing happened, try again."""


class XenditUnknown(XenditError):
    """Time-out, lost connection, 5xx or an unreadable answer: it may have happened."""


class InvoiceStatus(enum.Enum):
    """Xendit's four states as three, and UNKNOWN for any word that is new."""

    PENDING = "PENDING"
    PAID = "PAID"  # also SETTLED: the money has reached the balance
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class InvoiceItem:
    """A line buyers see on the hosted page; `price` in rupiah for one."""

    name: str
    quantity: int
    price: int


@dataclass(frozen=True)
class InvoiceRequest:
    """What an invoice is created from; `amount` in rupiah equals the sum of the items."""

    external_id: str
    amount: int
    description: str
    duration_seconds: int
    buyer_name: str
    buyer_email: str
    buyer_phone: str
    items: tuple[InvoiceItem, ...]
    success_url: str
    failure_url: str
    locale: str

    def body(self) -> dict[str, Any]:
        """Return the JSON body of `POST /v2/invoices`."""
        return {
            "external_id": self.external_id,
            "amount": self.amount,
            "currency": "IDR",
            "description": self.description,
            "invoice_duration": self.duration_seconds,
            "customer": {
                "given_names": self.buyer_name,
                "email": self.buyer_email,
                "mobile_number": self.buyer_phone,
            },
            "items": [
                {"name": item.name, "quantity": item.quantity, "price": item.price}
                for item in self.items
            ],
            "success_redirect_url": self.success_url,
            "failure_redirect_url": self.failure_url,
            "should_send_email": False,
            "locale": self.locale,
        }


@dataclass(frozen=True)
class Invoice:
    """What Xendit says about an invoice; amounts in rupiah, times aware."""

    id: str
    external_id: str
    status: InvoiceStatus
    amount: int
    currency: str
    url: str
    expires_at: datetime | None
    paid_amount: int | None
    paid_at: datetime | None
    method: str | None
    channel: str | None
    payment_id: str | None

    @property
    def is_paid(self) -> bool:
        """Tell whether money came: a late payment may leave the status EXPIRED."""
        return self.status is InvoiceStatus.PAID or (
            self.paid_at is not None and self.paid_amount is not None
        )


def parse_invoice(body: Mapping[str, Any]) -> Invoice:
    """Read an invoice object. Raises XenditUnknown when it has no id or amount."""
    try:
        return Invoice(
            id=str(body["id"]),
            external_id=str(body["external_id"]),
            status=_parse_status(body.get("status")),
            amount=int(body["amount"]),
            currency=str(body.get("currency") or "IDR"),
            url=str(body.get("invoice_url") or ""),
            expires_at=_parse_time(body.get("expiry_date")),
            paid_amount=_parse_amount(body.get("paid_amount")),
            paid_at=_parse_time(body.get("paid_at")),
            method=_parse_word(body.get("payment_method")),
            channel=_parse_word(body.get("payment_channel")),
            payment_id=_parse_word(body.get("payment_id") or body.get("credit_card_charge_id")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise XenditUnknown("an invoice without id, external_id or amount") from error


def _parse_status(word: object) -> InvoiceStatus:
    if word == "SETTLED":
        return InvoiceStatus.PAID
    try:
        return InvoiceStatus(word)
    except ValueError:
        log.error("unknown invoice status", extra={"status": str(word)[:40]})
        return InvoiceStatus.UNKNOWN


def _parse_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _parse_amount(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _parse_word(value: object) -> str | None:
    return str(value)[:64] if value else None


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

    def create_invoice(self, request: InvoiceRequest, timeout: Timeout = PATIENT) -> Invoice:
        """Create an invoice. A second call makes a second payable one: look up before repeating."""
        return parse_invoice(_object(self._call("POST", "/v2/invoices", timeout, request.body())))

    def read_invoice(self, invoice_id: str, timeout: Timeout = PATIENT) -> Invoice:
        """Read an invoice: the truth about its money. Raises XenditRefused(404) when unknown."""
        path = f"/v2/invoices/{quote(invoice_id, safe='')}"
        return parse_invoice(_object(self._call("GET", path, timeout)))

    def list_invoices(self, external_id: str, timeout: Timeout = PATIENT) -> list[Invoice]:
        """Return all invoices with this external id; an unknown one gives an empty list."""
        path = f"/v2/invoices?external_id={quote(external_id, safe='')}"
        try:
            body = self._call("GET", path, timeout)
        except XenditRefused as error:
            if error.status == 404:
                return []
            raise
        if not isinstance(body, list):
            raise XenditUnknown("a list of invoices was expected")
        return [parse_invoice(entry) for entry in body if isinstance(entry, dict)]

    def expire_invoice(self, invoice_id: str, timeout: Timeout = PATIENT) -> Invoice:
        """Close an unpaid invoice. Raises XenditRefused when it is not PENDING: read it."""
        path = f"/invoices/{quote(invoice_id, safe='')}/expire!"  # no /v2 here: facts 3.4
        return parse_invoice(_object(self._call("POST", path, timeout)))

    def _call(
        self, method: str, path: str, timeout: Timeout, body: Mapping[str, Any] | None = None
    ) -> Any:
        """Make one call, log its outcome, and return the parsed body of a 2xx answer."""
        started = time.monotonic()
        answer: requests.Response | None = None
        try:
            answer = self._session.request(
                method,
                self._base_url + path,
                json=body,
                timeout=timeout,
                headers={HEADER: current_request_id()},
                allow_redirects=False,
            )
        except (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError) as error:
            raise XenditUnreachable(type(error).__name__) from error
        except requests.exceptions.ConnectionError as error:
            raise _lost(error) from error
        except requests.exceptions.RequestException as error:
            raise XenditUnknown(type(error).__name__) from error
        finally:
            self._log(method, path, answer, time.monotonic() - started)
        return _parse_answer(answer)

    def _log(
        self, method: str, path: str, answer: requests.Response | None, seconds: float
    ) -> None:
        log.info(
            "xendit call",
            extra={
                "method": method,
                "path": path.partition("?")[0],
                "status": answer.status_code if answer is not None else None,
                "ms": round(seconds * 1000),
                "xendit_request_id": answer.headers.get("Request-Id") if answer else None,
                "rate_remaining": answer.headers.get("Rate-Limit-Remaining") if answer else None,
            },
        )


def _lost(error: requests.exceptions.ConnectionError) -> XenditError:
    """Tell a connection that was never made from one that broke under the request."""
    if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
        return XenditUnreachable("no connection")
    return XenditUnknown("connection lost")


def _parse_answer(answer: requests.Response) -> Any:
    """Return the JSON body of a 2xx answer. Raises what else it means; never assumes JSON."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if 200 <= answer.status_code < 300:
        if body is None:
            raise XenditUnknown(f"{answer.status_code} without JSON")
        return body
    if answer.status_code == 429:
        raise XenditThrottled(_pause(answer.headers.get("Rate-Limit-Reset")))
    code = body.get("error_code") if isinstance(body, dict) else None
    if answer.status_code in (400, 401, 403, 404) and isinstance(body, dict):
        raise XenditRefused(answer.status_code, str(code or "NO_CODE")[:64])
    raise XenditUnknown(f"{answer.status_code} {str(code or '')[:64]}".strip())


def _pause(reset: str | None) -> float:
    """Read Rate-Limit-Reset: seconds, perhaps fractional."""
    try:
        return max(0.1, min(float(reset or THROTTLE_PAUSE), 120.0))
    except ValueError:
        return THROTTLE_PAUSE


def _object(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise XenditUnknown("a JSON object was expected")
    return body
