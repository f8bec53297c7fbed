"""XenditClient against answers recorded from Xendit, over real sockets, with invented values."""

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.integrations.xendit import (
    Invoice,
    InvoiceItem,
    InvoiceRequest,
    InvoiceStatus,
    XenditClient,
    XenditError,
    XenditRefused,
    XenditThrottled,
    XenditUnknown,
    XenditUnreachable,
)
from app.tracing import request_id
from tests.harness.processes import free_port
from tests.harness.waiting import eventually
from tests.money.recorded import ERRORS, PAID_BY_VA, PENDING, Recorded, answering

KEY = "xnd_development_only_in_this_test"
REQUEST = InvoiceRequest(
    external_id="TX7K2M9QPA",
    amount=300_000,
    description="Tiket TEDxSenja",
    duration_seconds=1710,
    buyer_name="Sari Dewi",
    buyer_email="sari@example.com",
    buyer_phone="+6281234567890",
    items=(InvoiceItem("Early Bird", 2, 150_000),),
    success_url="http://localhost/orders/token?from=xendit",
    failure_url="http://localhost/orders/token",
    locale="id",
)


@pytest.fixture
def xendit() -> Iterator[Recorded]:
    with answering() as recorded:
        yield recorded


@pytest.fixture
def client(xendit: Recorded) -> Iterator[XenditClient]:
    made = XenditClient(xendit.url, KEY)
    yield made
    made._session.close()


def test_an_invoice_is_asked_for_in_xendits_words(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, PENDING)

    with request_id("request-12345678"):
        invoice = client.create_invoice(REQUEST)

    sent = xendit.requests[0]
    assert (sent.method, sent.path) == ("POST", "/v2/invoices")
    assert sent.headers["X-Request-ID"] == "request-12345678"
    assert sent.headers["Content-Type"] == "application/json"
    credentials = base64.b64decode(sent.headers["Authorization"].removeprefix("Basic "))
    assert credentials.decode() == f"{KEY}:"
    body = json.loads(sent.body)
    assert body["amount"] == sum(i["price"] * i["quantity"] for i in body["items"]) == 300_000
    assert body["invoice_duration"] == 1710
    assert body["currency"] == "IDR"
    assert invoice.id == PENDING["id"]
    assert invoice.url == PENDING["invoice_url"]
    assert invoice.status is InvoiceStatus.PENDING
    assert not invoice.is_paid


def test_a_paid_invoice_tells_what_finance_needs(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, PAID_BY_VA)

    invoice = client.read_invoice(PAID_BY_VA["id"])

    assert invoice.is_paid
    assert (invoice.method, invoice.channel) == ("BANK_TRANSFER", "BCA")
    assert (invoice.paid_amount, invoice.currency) == (300_000, "IDR")
    assert invoice.paid_at is not None
    assert invoice.paid_at.isoformat() == "2026-11-23T03:04:05+00:00"
    assert invoice.payment_id == PAID_BY_VA["payment_id"]


@pytest.mark.parametrize(
    ("changes", "status", "is_paid"),
    [
        ({"status": "SETTLED"}, InvoiceStatus.PAID, True),
        ({"status": "EXPIRED"}, InvoiceStatus.EXPIRED, True),  # paid late, the status stays
        ({"status": "ON_HOLD"}, InvoiceStatus.UNKNOWN, True),
        ({"status": None, "paid_at": None}, InvoiceStatus.UNKNOWN, False),
        ({"status": "EXPIRED", "paid_at": None, "paid_amount": None}, InvoiceStatus.EXPIRED, False),
        ({"paid_at": "yesterday", "paid_amount": "x"}, InvoiceStatus.PAID, True),
    ],
)
def test_every_status_says_whether_money_came(
    xendit: Recorded,
    client: XenditClient,
    changes: dict[str, Any],
    status: InvoiceStatus,
    is_paid: bool,
) -> None:
    xendit.answer(200, PAID_BY_VA | changes)

    invoice = client.read_invoice("some-id")

    assert (invoice.status, invoice.is_paid) == (status, is_paid)


def test_words_nobody_knows_lose_no_invoice(xendit: Recorded, client: XenditClient) -> None:
    strange = {"available_banks": [{"bank_code": "BANKBARU"}], "metadata": None, "new": [1, {}]}
    xendit.answer(200, PENDING | strange | {"expiry_date": "soon", "currency": None})

    invoice = client.read_invoice("some-id")

    assert (invoice.id, invoice.expires_at, invoice.currency) == (PENDING["id"], None, "IDR")


@pytest.mark.parametrize("name", list(ERRORS))
def test_every_refusal_says_what_may_have_happened(
    xendit: Recorded, client: XenditClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers, kind = ERRORS[name]
    xendit.answer(status, body, **headers)

    with caplog.at_level(logging.INFO), pytest.raises(XenditError) as raised:
        client.create_invoice(REQUEST)

    assert type(raised.value) is kind
    assert "xnd_" not in repr(raised.value) + str(raised.value)
    calls = [record for record in caplog.records if record.message == "xendit call"]
    assert [call.__dict__["xendit_request_id"] for call in calls] == ["5f0c1e2d3a4b"]
    assert len(xendit.requests) == 1  # a create is never repeated by itself


def test_a_rate_limit_says_when_to_come_back(xendit: Recorded, client: XenditClient) -> None:
    for reset, pause in (("58.37", 58.37), ("0", 0.1), ("soon", 10.0), ("1e9", 120.0)):
        xendit.answer(429, {"error_code": "RATE_LIMIT_EXCEEDED"}, **{"Rate-Limit-Reset": reset})
        with pytest.raises(XenditThrottled) as raised:
            client.read_invoice("some-id")
        assert raised.value.pause == pause


def test_a_refusal_keeps_its_code(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(404, {"error_code": "INVOICE_NOT_FOUND_ERROR", "message": "Could not find …"})

    with pytest.raises(XenditRefused) as raised:
        client.read_invoice("some-id")

    assert (raised.value.status, raised.value.error_code) == (404, "INVOICE_NOT_FOUND_ERROR")


def test_closing_an_invoice_keeps_the_exclamation_mark(
    xendit: Recorded, client: XenditClient
) -> None:
    xendit.answer(200, PENDING | {"status": "EXPIRED"})

    assert client.expire_invoice("650c3f0a").status is InvoiceStatus.EXPIRED

    assert xendit.requests[0].path == "/invoices/650c3f0a/expire!"
    assert xendit.requests[0].body == ""


def test_an_external_id_is_looked_up_encoded(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, [PENDING, PAID_BY_VA, "not an invoice"])

    found = client.list_invoices("TX 1&limit=1/ü")

    assert xendit.requests[0].path == "/v2/invoices?external_id=TX%201%26limit%3D1%2F%C3%BC"
    assert [type(invoice) for invoice in found] == [Invoice, Invoice]


def test_nothing_found_is_an_empty_list_in_either_form(
    xendit: Recorded, client: XenditClient
) -> None:
    xendit.answer(200, [])
    assert client.list_invoices("TX") == []
    xendit.answer(404, {"error_code": "INVOICE_NOT_FOUND_ERROR"})
    assert client.list_invoices("TX") == []


@pytest.mark.parametrize("hostile", [".", "..", "../../balance", "a/b", "", "a b", "a?b", "é" * 30])
def test_what_cannot_be_an_invoice_id_is_never_asked_for(
    xendit: Recorded, client: XenditClient, hostile: str
) -> None:
    for call in (client.read_invoice, client.expire_invoice):
        with pytest.raises(XenditRefused) as raised:
            call(hostile)
        assert raised.value.status == 404

    assert xendit.requests == []


def test_where_nobody_listens_nothing_happened() -> None:
    nobody = XenditClient(f"http://127.0.0.1:{free_port()}", KEY)

    with pytest.raises(XenditUnreachable) as raised:
        nobody.create_invoice(REQUEST)

    assert "xnd_" not in repr(raised.value.__cause__)
    nobody._session.close()


def test_a_connection_that_breaks_under_the_request_may_have_done_it(
    xendit: Recorded, client: XenditClient
) -> None:
    xendit.hang_up()

    with pytest.raises(XenditUnknown):
        client.create_invoice(REQUEST)

    assert len(xendit.requests) == 1


def test_an_answer_that_does_not_come_may_have_done_it(
    xendit: Recorded, client: XenditClient
) -> None:
    xendit.stay_silent()

    with pytest.raises(XenditUnknown):
        client.create_invoice(REQUEST, (60.0, 0.2))

    eventually(lambda: len(xendit.requests) == 1)


def test_the_secret_key_is_in_no_log_line(
    xendit: Recorded, client: XenditClient, caplog: pytest.LogCaptureFixture
) -> None:
    xendit.answer(200, PENDING)

    with caplog.at_level(logging.DEBUG):
        client.create_invoice(REQUEST)

    secret = base64.b64encode(f"{KEY}:".encode()).decode()
    lines = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "xendit call" in lines
    assert KEY not in lines
    assert secret not in lines
