"""The merchant's side of Xendit's API, as thin as can be."""

from __future__ import annotations

from typing import Any

import requests

KEY = "xnd_development_local"
CHANNELS = [
    *("BCA", "BNI", "BRI", "MANDIRI", "PERMATA", "QRIS", "OVO", "DANA"),
    *("SHOPEEPAY", "LINKAJA", "ASTRAPAY", "ALFAMART", "INDOMARET"),
]
SENT: dict[str, Any] = {
    "external_id": "EVENT-ORD-7Q2M",
    "amount": 305_000,
    "description": "2 tickets",
    "invoice_duration": 1800,
    "customer": {
        "given_names": "Sari",
        "surname": "Dewi",
        "email": "sari@example.com",
        "mobile_number": "+6281200000001",
    },
    "customer_notification_preference": {
        "invoice_created": ["email"],
        "invoice_reminder": ["email"],
        "invoice_paid": ["email"],
    },
    "success_redirect_url": "http://localhost:8000/orders/7Q2M",
    "failure_redirect_url": "http://localhost:8000/orders/7Q2M",
    "payment_methods": CHANNELS,
    "currency": "IDR",
    "items": [
        {
            "name": "Regular",
            "quantity": 2,
            "price": 150_000,
            "category": "Event ticket",
            "url": "https://tickets.example/",
        }
    ],
    "fees": [{"type": "Service fee", "value": 5000}],
    "locale": "id",
    "should_send_email": False,
    "metadata": {"event_code": "event", "order_id": "7Q2M"},
}


class Merchant:
    """Call the stand-in's API with a key."""

    def __init__(self, base_url: str, key: str = KEY) -> None:
        self.base_url, self.key = base_url, key

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Make one call; 60 s at most."""
        options: dict[str, Any] = {
            "auth": (self.key, ""),
            "timeout": 60,
            "allow_redirects": False,
        } | more
        return requests.request(method, self.base_url + path, **options)

    def create(self, *without: str, **changes: Any) -> dict[str, Any]:
        """Create an invoice of the full request, without some fields and with others changed."""
        answer = self.try_to_create(*without, **changes)
        assert answer.status_code == 200, answer.text
        return body_of(answer)

    def try_to_create(self, *without: str, **changes: Any) -> requests.Response:
        """Create likewise, whatever the answer."""
        sent = {k: v for k, v in (SENT | changes).items() if k not in without}
        return self.call("POST", "/v2/invoices", json=sent)

    def read(self, invoice_id: str) -> dict[str, Any]:
        """Read an invoice that exists."""
        answer = self.call("GET", f"/v2/invoices/{invoice_id}")
        assert answer.status_code == 200, answer.text
        return body_of(answer)

    def expire(self, invoice_id: str) -> requests.Response:
        """Expire an invoice."""
        return self.call("POST", f"/invoices/{invoice_id}/expire!")


def body_of(answer: requests.Response) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    body = answer.json()
    assert isinstance(body, dict)
    return body
