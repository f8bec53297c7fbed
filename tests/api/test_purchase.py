"""A partner's purchase through real processes, on SQLite and on MariaDB."""

import io
import json
import re
from typing import Any

import pypdfium2
import pytest
import requests
import zxingcpp

from tests.api.client import Partner, order_body
from tests.harness.service import Service
from tests.harness.waiting import eventually


@pytest.fixture(scope="module")
def partner(service_on_each_database: Service) -> Partner:
    """A partner with a key."""
    return Partner(service_on_each_database.url, service_on_each_database.api_key())


def test_an_order_is_paid_and_its_e_tickets_are_mailed(
    service_on_each_database: Service, partner: Partner
) -> None:
    service = service_on_each_database
    regular = partner.ticket("Reguler")
    body = order_body(regular["id"], 2)
    body["user"]["email"] = "whole-way@example.com"
    body["items"][0]["attendees"] = [{"full_name": "Sari Dewi"}, {"full_name": "王小明"}]

    made = partner.order_with_invoice(body, **{"X-Request-ID": "purchase-test-0001"})

    assert made["requestId"] == "purchase-test-0001"
    order, payment = made["order"], made["payment"]
    assert re.fullmatch(r"TX[2-9A-Z]{8}", order["code"])
    assert order["status"] == payment["status"] == "PENDING"
    assert order["total"] == 2 * regular["price"]
    assert order["items"] == [
        {
            "ticketId": regular["id"],
            "type": "Reguler",
            "quantity": 2,
            "price": regular["price"],
            "subtotal": 2 * regular["price"],
        }
    ]
    assert order["expiresAt"].endswith("+07:00")
    assert requests.get(payment["invoiceUrl"], timeout=60).status_code == 200
    [invoice] = service.standin.invoices(order["code"])
    assert invoice["amount"] == order["total"]
    assert sum(item["quantity"] * item["price"] for item in invoice["items"]) == order["total"]
    assert invoice["customer"]["mobile_number"] == "+6281234567890"

    service.standin.pay(payment["invoiceId"], channel="BCA")

    paid = partner.wait_for_status(order["code"], "PAID")
    assert paid["payment"]["status"] == "PAID"
    assert [e_ticket["attendee"] for e_ticket in paid["eTickets"]] == ["Sari Dewi", "王小明"]
    mail = service.mailbox.wait_for_mail("whole-way@example.com")
    codes = _read_qr_codes(service.mailbox.attachment(mail))
    assert len(set(codes)) == 2
    service.flask("check-invariants")
    paid_line = eventually(lambda: _lines(service, "worker-1", "order paid", order=order["code"]))
    callbacks = {"route": "/api/payment-callback", "requestId": paid_line[0]["requestId"]}
    eventually(lambda: _lines(service, "web", "request", **callbacks), what="the callback's line")
    calls = service.standin.requests("POST", "/v2/invoices")
    assert any("purchase-test-0001" in call["headers"].values() for call in calls)


SEATS = "Pelajar & Mahasiswa"  # which no other test of this service orders


def expect_available(partner: Partner, seats: int) -> None:
    """Wait for the catalogue, which may be a second old."""
    eventually(lambda: partner.ticket(SEATS)["available"] == seats, what=f"{seats} seats")


def test_an_expired_callback_releases_the_seats(
    service_on_each_database: Service, partner: Partner
) -> None:
    service = service_on_each_database
    before = partner.ticket(SEATS)
    made = partner.order_with_invoice(order_body(before["id"]))
    expect_available(partner, before["available"] - 1)

    service.standin.expire(made["payment"]["invoiceId"])
    service.standin.callback(made["payment"]["invoiceId"], status="EXPIRED")

    ended = partner.wait_for_status(made["order"]["code"], "EXPIRED")
    assert ended["payment"]["status"] == "EXPIRED"
    assert "eTickets" not in ended
    expect_available(partner, before["available"])
    service.flask("check-invariants")


def test_without_any_callback_a_paid_order_is_found_by_reading_back(
    service_on_each_database: Service, partner: Partner
) -> None:
    service = service_on_each_database
    made = partner.order_with_invoice(order_body(partner.ticket("Reguler")["id"]))

    service.standin.pay(made["payment"]["invoiceId"], channel="QRIS", callback=False)
    order_page = requests.get(made["order"]["url"], params={"from": "xendit"}, timeout=60)

    assert order_page.status_code == 200
    partner.wait_for_status(made["order"]["code"], "PAID")


def test_the_same_idempotency_key_gives_the_same_order(partner: Partner) -> None:
    body = order_body(partner.ticket("Reguler")["id"])
    first = partner.order(body, **{"Idempotency-Key": "once-only"})
    again = partner.order(body, **{"Idempotency-Key": "once-only"})
    other = partner.order(
        order_body(body["items"][0]["ticketId"], 2), **{"Idempotency-Key": "once-only"}
    )

    assert {first.status_code, again.status_code} <= {201, 202}
    assert first.json()["order"]["code"] == again.json()["order"]["code"]
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


def test_the_catalogue_answers_304_until_something_changes(partner: Partner) -> None:
    def ask(etag: str = "") -> requests.Response:
        headers = {"If-None-Match": etag}
        return requests.get(f"{partner.url}/api/tickets", headers=headers, timeout=60)

    def etag_when_quiet() -> str:
        etag = ask().headers["ETag"]
        unchanged = ask(etag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        return etag

    etag = eventually(etag_when_quiet)
    partner.order(order_body(partner.ticket("Reguler")["id"]))
    eventually(lambda: ask(etag).status_code == 200)


def test_a_partner_sees_its_own_orders_only(
    service_on_each_database: Service, partner: Partner
) -> None:
    made = partner.order(order_body(partner.ticket("Reguler")["id"])).json()
    stranger = Partner(partner.url, service_on_each_database.api_key())

    assert stranger.show(made["order"]["code"]).status_code == 404
    assert eventually(lambda: partner.show(made["order"]["code"]).status_code == 200)


def _lines(service: Service, process: str, message: str, **members: str) -> list[dict[str, Any]]:
    wanted = {"message": message, **members}
    lines = [json.loads(line) for line in service.log(process).splitlines() if line[:1] == "{"]
    return [line for line in lines if wanted.items() <= line.items()]


def _read_qr_codes(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    pages = [page.render(scale=2).to_pil() for page in document]
    return [code.text for page in pages for code in zxingcpp.read_barcodes(page)]
