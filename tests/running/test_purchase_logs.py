"""The logs of whole purchases: enough to follow one, and nothing about who buys."""

import json
import re
from pathlib import Path

import requests

from tests.api.client import Partner
from tests.conftest import StartService
from tests.harness.service import Service

BUYER = {"full_name": "Rahasia Sekali", "email": "rahasia@example.com", "no_hp": "+6281298765432"}
ATTENDEE = "Tamu Tersembunyi"
ID = "purchase-log-0001"


def buy(service: Service, key: str) -> tuple[str, str]:
    """Order over the API, look at the page, pay, wait for the mail; return code and token."""
    partner = Partner(service.url, key)
    ticket_id = partner.ticket("Reguler")["id"]
    item = {"ticketId": ticket_id, "quantity": 1, "attendees": [{"full_name": ATTENDEE}]}
    body = {"user": BUYER, "items": [item]}
    headers = {"X-Request-ID": ID, "Idempotency-Key": "my-own-key-1"}
    made = partner.order_with_invoice(body, **headers)
    url = made["order"]["url"]
    for address in (url, f"{url}?from=xendit", f"{url}/tickets.pdf", f"{url}x"):
        requests.get(address, timeout=60)
    service.standin.pay(made["payment"]["invoiceId"], channel="BCA")
    service.mailbox.wait_for_mail(BUYER["email"], timeout=60)
    requests.get(f"{url}/tickets.pdf", timeout=60)
    return made["order"]["code"], url.rsplit("/", 1)[-1]


def refuse(service: Service) -> None:
    """Send what is refused: its words must not be repeated in the log either."""
    partner = Partner(service.url, "tedx_a-key-that-nobody-has")
    partner.order({"user": BUYER, "items": []})
    form = {**BUYER, "intent": "pay"}
    requests.post(f"{service.url}/checkout", data=form, timeout=60)
    requests.get(f"{service.url}/checkout", params={**BUYER, "t1": "1"}, timeout=60)
    headers = {"x-callback-token": "a-forged-token-of-somebody"}
    requests.post(
        f"{service.url}/api/payment-callback", headers=headers, json={"payer": BUYER}, timeout=30
    )


def test_no_line_of_a_purchase_tells_who_bought_or_any_secret(
    mariadb_url: str, start_service: StartService, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    service = start_service(
        mariadb_url,
        settings={"LOG_DIR": str(folder), "LOG_LEVEL": "DEBUG", "METRICS_TOKEN": "m" * 30},
    )
    key = service.api_key()

    code, token = buy(service, key)
    refuse(service)
    service.stop()

    printed = "".join(path.read_text("utf-8") for path in service.folder.glob("w*.log"))
    filed = "".join(path.read_text("utf-8") for path in folder.glob("app-*.log"))
    followed = [json.loads(line) for line in filed.splitlines()]
    messages = {line["message"] for line in followed if line.get("order") == code}
    assert "order paid" in messages, "these are the lines of that purchase"
    assert any(line["requestId"] == ID for line in followed)
    secrets = [
        *(service.env[name] for name in service.env if re.search("SECRET|TOKEN|PASSWORD", name)),
        *(key, token, "only-for-tests", "tedx_a-key-that-nobody-has", "a-forged-token-of-somebody"),
        *(*BUYER.values(), *BUYER["full_name"].split(), ATTENDEE, "81298765432", "rahasia"),
        "my-own-key-1",
    ]
    for secret in secrets:
        assert secret not in printed, secret
        assert secret not in filed, secret
