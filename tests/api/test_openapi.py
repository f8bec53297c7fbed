"""The published description of the API: valid, complete, and true."""

from typing import Any

import pytest
import requests
from openapi_spec_validator import validate

from tests.harness.service import Service


@pytest.fixture(scope="module")
def description(service: Service) -> dict[str, Any]:
    """The OpenAPI document as a partner fetches it."""
    answer = requests.get(f"{service.url}/api/openapi.json", timeout=60)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    validate(description)
    assert description["openapi"].startswith("3.1")


def test_it_names_every_public_endpoint_and_its_refusals(description: dict[str, Any]) -> None:
    paths = description["paths"]
    create = paths["/api/orders"]["post"]

    door = {f"/api/check-ins{path}" for path in ("", "/batch", "/{scan_id}/undo")}
    assert set(paths) == {"/api/tickets", "/api/orders", "/api/orders/{code}", *door}
    assert set(create["responses"]) >= {"201", "202", "400", "401", "403", "409", "422", "429"}
    assert "application/problem+json" in create["responses"]["409"]["content"]
    assert create["security"] == [{"apiKey": []}]
    assert "apiKey" in description["components"]["securitySchemes"]


def test_it_uses_the_contracts_names(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]

    assert set(schemas["User"]["properties"]) == {"full_name", "email", "no_hp"}
    assert {"maxPerOrder", "validFrom", "validUntil", "available"} <= set(
        schemas["Ticket"]["properties"]
    )
    assert {"invoiceId", "invoiceUrl"} <= set(schemas["Payment"]["properties"])


def test_the_door_is_described_with_its_words_and_its_three_kinds_of_callers(
    description: dict[str, Any],
) -> None:
    check_in = description["paths"]["/api/check-ins"]["post"]
    schemas = description["components"]["schemas"]

    assert {next(iter(each)) for each in check_in["security"]} == {
        "apiKey",
        "doorDevice",
        "staffSession",
    }
    assert set(check_in["responses"]) >= {"200", "400", "401", "403", "409", "422", "429", "503"}
    assert {"code", "scanId", "scannedAt", "gate"} <= set(schemas["CheckInRequest"]["properties"])
    assert {"result", "reason", "eTicket", "admittedAt", "gate"} <= set(
        schemas["CheckInAnswer"]["properties"]
    )


def test_error_answers_are_described_as_problems(description: dict[str, Any]) -> None:
    show = description["paths"]["/api/orders/{code}"]["get"]["responses"]

    for status in ("401", "403", "404"):
        assert show[status]["content"]["application/problem+json"]["schema"] == {
            "$ref": "#/components/schemas/Problem"
        }
