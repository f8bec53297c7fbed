"""A partner's system: three JSON calls over HTTP."""

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.harness.waiting import eventually


def order_body(ticket_id: int, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a body that is fine; `changes` replace its top-level members."""
    body = {
        "user": {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "+6281234567890"},
        "items": [{"ticketId": ticket_id, "quantity": quantity}],
    }
    return body | changes


@dataclass
class Partner:
    """Calls the API of a running service with a key; `patience` is for one answer, in seconds."""

    url: str
    key: str
    patience: float = 60.0
    session: requests.Session = field(default_factory=requests.Session)

    def tickets(self, **query: str) -> list[dict[str, Any]]:
        """List the tickets."""
        answer = self.session.get(f"{self.url}/api/tickets", params=query, timeout=self.patience)
        assert answer.status_code == 200, answer.text
        tickets: list[dict[str, Any]] = answer.json()["tickets"]
        return tickets

    def ticket(self, type_: str) -> dict[str, Any]:
        """Return the ticket of this type, whatever its state."""
        return next(ticket for ticket in self.tickets(status="all") if ticket["type"] == type_)

    def order(self, body: Any, **headers: str) -> requests.Response:
        """Order, and return the answer as it is."""
        return self.session.post(
            f"{self.url}/api/orders",
            json=body,
            headers={"Authorization": f"Bearer {self.key}", **headers},
            timeout=self.patience,
        )

    def order_with_invoice(self, body: Any, **headers: str) -> dict[str, Any]:
        """Order, and return the answer as it is once the invoice is there.

        While others wait in line, which a slow machine's worker may let them, it follows by itself.
        """
        answer = self.order(body, **headers)
        assert answer.status_code in (201, 202), answer.text
        made: dict[str, Any] = answer.json()

        def look() -> dict[str, Any] | None:
            payment: dict[str, Any] = self.show(made["order"]["code"]).json()["payment"]
            return payment if payment["invoiceId"] else None

        return made if made["payment"]["invoiceId"] else made | {"payment": eventually(look)}

    def show(self, code: str) -> requests.Response:
        """Ask for an order."""
        return self.session.get(
            f"{self.url}/api/orders/{code}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=self.patience,
        )

    def wait_for_status(self, code: str, status: str) -> dict[str, Any]:
        """Wait until the order has this status and return it as the API shows it."""

        def look() -> dict[str, Any] | None:
            body: dict[str, Any] = self.show(code).json()
            assert body["order"]["status"] == status, body
            return body

        found = eventually(look)
        assert found
        return found
