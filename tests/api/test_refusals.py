"""The contract's table of refusals, over HTTP; nothing in the database changes on any of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from app.extensions import limiter
from tests.api.client import Partner, order_body
from tests.app_factory import make_settings, running_app
from tests.door.web import web_server
from tests.harness.database import MariaDB
from tests.harness.service import Service

NOW = datetime.now(UTC)
CATALOGUE = "tickets:\n" + "".join(
    f"""  - type: {type_}
    description: For tests
    price: 100000
    amount: {amount}
    maxPerOrder: 4
    validFrom: "{(NOW + timedelta(days=opens)).isoformat()}"
    validUntil: "{(NOW + timedelta(days=ends)).isoformat()}"
"""
    for type_, amount, opens, ends in (
        ("Regular", 100, -1, 1),
        ("Scarce", 1, -1, 1),
        ("Gone", 0, -1, 1),
        ("Upcoming", 10, 1, 2),
        ("Ended", 10, -2, -1),
    )
)


@dataclass(frozen=True)
class Case:
    """A request that must be refused, and how."""

    name: str
    status: int
    code: str
    ticket: str = "Regular"
    item: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    fields: tuple[str, ...] = ()


def _refused_field(name: str, field_name: str, **parts: Any) -> Case:
    return Case(name, 422, "validation_error", fields=(field_name,), **parts)


CASES = [
    Case("not json", 400, "malformed_json", raw=b"{"),
    Case("not utf-8", 400, "malformed_json", raw=b'{"user": "\xff"}'),
    Case("a list", 400, "malformed_json", raw=b"[]"),
    Case("nested beyond reason", 400, "malformed_json", raw=b"[" * 30_000),
    Case("empty", 400, "malformed_json", raw=b""),
    Case("no key", 401, "api_key_required", headers={"Authorization": ""}),
    Case("another kind of key", 401, "api_key_required", headers={"Authorization": "Basic eHg6"}),
    Case("an unknown key", 401, "api_key_invalid", headers={"Authorization": "Bearer tedx_no"}),
    Case("a form", 415, "unsupported_media_type", headers={"Content-Type": "text/plain"}),
    Case("over 64 KiB", 413, "payload_too_large", body={"locale": "x" * 70_000}),
    Case("sold out", 409, "sold_out", ticket="Gone"),
    Case("more than are left", 409, "sold_out", ticket="Scarce", item={"quantity": 2}),
    Case("too early", 409, "sale_not_open", ticket="Upcoming"),
    Case("too late", 409, "sale_closed", ticket="Ended"),
    Case("no such ticket", 422, "ticket_not_found", item={"ticketId": 987654}),
    Case("a huge ticket id", 422, "ticket_not_found", item={"ticketId": 10**30}),
    Case("none", 422, "quantity_out_of_range", item={"quantity": 0}, fields=("items.0.quantity",)),
    Case("minus one", 422, "quantity_out_of_range", item={"quantity": -1}),
    Case("too many", 422, "quantity_out_of_range", item={"quantity": 5}),
    Case("absurdly many", 422, "quantity_out_of_range", item={"quantity": 10**30}),
    _refused_field("quantity in words", "items.0.quantity", item={"quantity": "2"}),
    _refused_field("quantity with a point", "items.0.quantity", item={"quantity": 1.5}),
    _refused_field("quantity true", "items.0.quantity", item={"quantity": True}),
    _refused_field("quantity missing", "items.0.quantity", item={"quantity": None}),
    _refused_field("an unknown field in an item", "items.0.price", item={"price": 1}),
    _refused_field("an unknown field", "discount", body={"discount": 100}),
    _refused_field("a field called json", "json", body={"json": 1}),
    _refused_field("no items", "items", body={"items": []}),
    _refused_field("items no list", "items", body={"items": {"0": {}}}),
    _refused_field("no user", "user", body={"user": None}),
    _refused_field("user no object", "user", body={"user": "Sari"}),
    _refused_field("no name", "user.full_name", user={"full_name": "  "}),
    _refused_field("a name of 101 letters", "user.full_name", user={"full_name": "x" * 101}),
    _refused_field("a name with a null", "user.full_name", user={"full_name": "a\x00b"}),
    _refused_field("half an e-mail", "user.email", user={"email": "sari@"}),
    _refused_field("an e-mail with a newline", "user.email", user={"email": "a@b.id\nBcc: c@d.id"}),
    _refused_field("a short phone", "user.no_hp", user={"no_hp": "0812"}),
    _refused_field("a phone of letters", "user.no_hp", user={"no_hp": "call me"}),
    _refused_field("an unknown language", "locale", body={"locale": "fr"}),
    _refused_field(
        "too few names",
        "items.0.attendees",
        item={"quantity": 2, "attendees": [{"full_name": "A"}]},
    ),
    _refused_field(
        "an empty name", "items.0.attendees.0.full_name", item={"attendees": [{"full_name": ""}]}
    ),
    _refused_field("a key with spaces", "Idempotency-Key", headers={"Idempotency-Key": "a b"}),
    _refused_field("a long key", "Idempotency-Key", headers={"Idempotency-Key": "k" * 129}),
]


@pytest.fixture(scope="module")
def refusing(
    mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Partner]]:
    """The web server with a ticket of every kind, and a partner; what is refused needs no more."""
    service = Service(mariadb.fresh_database(), tmp_path_factory.mktemp("refusing"))
    service.prepare(catalogue=CATALOGUE)
    service.start_web()
    yield service, Partner(service.url, service.api_key())
    service.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refused_order_changes_nothing(refusing: tuple[Service, Partner], case: Case) -> None:
    service, partner = refusing
    before = _snapshot(service.database_url)

    answer = _send(partner, case)

    problem = _assert_problem(answer, case.status, case.code)
    fields = [error["field"] for error in problem.get("errors", [])]
    assert set(case.fields) <= set(fields), problem
    assert all(error["message"] for error in problem.get("errors", []))
    assert _snapshot(service.database_url) == before


def test_sold_out_tells_what_is_left(refusing: tuple[Service, Partner]) -> None:
    _, partner = refusing
    scarce, regular = partner.ticket("Scarce")["id"], partner.ticket("Regular")["id"]
    body = order_body(regular, 2)
    body["items"].append({"ticketId": scarce, "quantity": 2})

    problem = _assert_problem(partner.order(body), 409, "sold_out")

    left = {entry["ticketId"]: entry["available"] for entry in problem["available"]}
    assert left == {scarce: 1, regular: partner.ticket("Regular")["available"]}


def test_repeated_lines_are_summed(refusing: tuple[Service, Partner]) -> None:
    _, partner = refusing
    body = order_body(partner.ticket("Regular")["id"], 3)
    body["items"] *= 2

    problem = _assert_problem(partner.order(body), 422, "quantity_out_of_range")

    assert problem["errors"][0]["field"] == "items.1.quantity"


def test_every_fault_is_named_at_once(refusing: tuple[Service, Partner]) -> None:
    _, partner = refusing
    body = {
        "user": {"full_name": "", "email": "x", "no_hp": "1"},
        "items": [{"ticketId": "1"}],
        "extra": 1,
    }

    problem = _assert_problem(partner.order(body), 422, "validation_error")

    assert {error["field"] for error in problem["errors"]} == {
        "user.full_name",
        "user.email",
        "user.no_hp",
        "items.0.ticketId",
        "items.0.quantity",
        "extra",
    }


def test_a_key_of_another_scope_may_not_order(refusing: tuple[Service, Partner]) -> None:
    service, partner = refusing
    door = Partner(service.url, service.api_key("door"))
    body = order_body(partner.ticket("Regular")["id"])

    _assert_problem(door.order(body), 403, "insufficient_scope")
    _assert_problem(door.show("TXAAAAAAAA"), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/orders/TXNOSUCH22", 404, "order_not_found"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("DELETE", "/api/orders", 405, "method_not_allowed"),
        ("POST", "/api/tickets", 405, "method_not_allowed"),
        ("GET", "/api/tickets?status=some", 422, "validation_error"),
        ("POST", "/api/payment-callback", 401, "callback_token_invalid"),
    ],
)
def test_other_addresses_refuse_in_the_same_form(
    refusing: tuple[Service, Partner], method: str, path: str, status: int, code: str
) -> None:
    service, partner = refusing
    answer = requests.request(
        method,
        service.url + path,
        headers={"Authorization": f"Bearer {partner.key}"},
        timeout=60,
    )

    _assert_problem(answer, status, code)
    assert (status == 405) == ("Allow" in answer.headers)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id": 5}', b'{"id": ""}', b"\xff"])
def test_a_callback_that_names_no_invoice_is_refused(
    refusing: tuple[Service, Partner], body: bytes
) -> None:
    service, _ = refusing
    before = _snapshot(service.database_url)

    answer = requests.post(
        f"{service.url}/api/payment-callback",
        data=body,
        headers={"x-callback-token": "local-callback-token", "Content-Type": "application/json"},
        timeout=60,
    )

    _assert_problem(answer, 400, "malformed_json")
    assert _snapshot(service.database_url) == before


def test_too_many_requests_are_told_when_to_come_back(mariadb_url: str, tmp_path: Path) -> None:
    service = Service(mariadb_url, tmp_path)
    service.prepare(catalogue=CATALOGUE)
    key = service.api_key()
    before = _snapshot(mariadb_url)
    with (
        running_app(make_settings(mariadb_url, rate_limit_enabled=True)) as app,
        web_server(app) as address,
    ):
        limiter.reset()
        headers = {"Authorization": f"Bearer {key}"}
        client = app.test_client()
        first = client.post("/api/orders", json={}, headers=headers)
        assert "Retry-After" not in first.headers  # asking the same again would not help
        tries = (client.post("/api/orders", json={}, headers=headers) for _ in range(620))
        assert any(answer.status_code == 429 for answer in tries), "the limit was never reached"
        refused = Partner(address, key).order({})
        limiter.reset()

    _assert_problem(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert _snapshot(mariadb_url) == before


def _send(partner: Partner, case: Case) -> requests.Response:
    body = order_body(partner.ticket(case.ticket)["id"])
    body["user"].update(case.user)
    body["items"][0].update(case.item)
    body.update(case.body)
    data = case.raw if case.raw is not None else json.dumps(body).encode()
    headers = {
        "Authorization": f"Bearer {partner.key}",
        "Content-Type": "application/json",
        **case.headers,
    }
    return requests.post(f"{partner.url}/api/orders", data=data, headers=headers, timeout=60)


def _assert_problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["requestId"] == answer.headers["X-Request-ID"]
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    return problem


def _snapshot(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table but the workers' heartbeats."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            names = sa.inspect(connection).get_table_names()
            kept = sorted(set(names) - {"worker_heartbeats"})
            return {
                name: [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
                for name in kept
            }
    finally:
        engine.dispose()
