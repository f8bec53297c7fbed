"""Checks of request bodies, reported in the form Xendit was recorded to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class ApiError(Exception):
    """An answer other than 200: HTTP status, error_code, message and perhaps errors."""

    def __init__(
        self, status: int, error_code: str, message: str, errors: list[Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error_code": error_code, "message": message}
        if errors is not None:
            self.body["errors"] = errors


@dataclass(frozen=True)
class Rule:
    """State what a field must be; `low` and `high` bound a number, a length or a count."""

    kind: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    fields: Mapping[str, Rule] | None = None


TEXT, FLAG, OBJECT = Rule("string"), Rule("boolean"), Rule("object")

ITEM = {
    "name": Rule("string", required=True, high=256),
    "quantity": Rule("number", required=True, low=1),
    "price": Rule("number", required=True),
    "category": TEXT,
    "url": TEXT,
    "reference_id": TEXT,
}
FEE = {"type": Rule("string", required=True), "value": Rule("number", required=True)}
NAMED = ("id", "customer_id", "given_names", "surname", "email", "mobile_number")
CUSTOMER = dict.fromkeys(NAMED, TEXT) | {"addresses": Rule("array")}

INVOICE = {
    "external_id": Rule("string", required=True, high=255),
    "amount": Rule("number", required=True, low=1),
    "description": TEXT,
    "payer_email": TEXT,
    "customer": Rule("object", fields=CUSTOMER),
    "customer_notification_preference": OBJECT,
    "invoice_duration": Rule("number", low=1, high=31_536_000),
    "should_send_email": FLAG,
    "success_redirect_url": Rule("string", high=255),
    "failure_redirect_url": Rule("string", high=255),
    "payment_methods": Rule("array"),
    "currency": TEXT,
    "items": Rule("array", high=75, fields=ITEM),
    "fees": Rule("array", high=10, fields=FEE),
    "locale": Rule("string", choices=("en", "id")),
    "metadata": Rule("object", high=50),
    "should_authenticate_credit_card": FLAG,
    "channel_properties": OBJECT,
}
REFUND = {
    "invoice_id": TEXT,
    "payment_request_id": TEXT,
    "reference_id": Rule("string", high=255),
    "amount": Rule("number", low=1),
    "currency": TEXT,
    "metadata": Rule("object", high=50),
    "reason": Rule(
        "string",
        required=True,
        choices=("FRAUDULENT", "DUPLICATE", "REQUESTED_BY_CUSTOMER", "CANCELLATION", "OTHERS"),
    ),
}

_IS = {
    "string": lambda v: isinstance(v, str),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def check(body: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise ApiError (400 API_VALIDATION_ERROR) naming every field that breaks its rule.

    Fields without a rule pass, as a misspelt field does at Xendit.
    """
    errors = _problems(body, rules, [])
    if errors:
        message = "Invalid input data. Please check your request"
        raise ApiError(400, "API_VALIDATION_ERROR", message, errors)


def _problems(
    body: Mapping[str, Any], rules: Mapping[str, Rule], path: list[str]
) -> list[dict[str, Any]]:
    found = []
    for name, rule in rules.items():
        here = [*path, name]
        if name not in body:
            if rule.required:
                found.append(_error(here, "is required", "any.required"))
            continue
        value = body[name]
        problem = _problem(value, rule)
        if problem:
            found.append(_error(here, *problem))
        elif rule.fields and isinstance(value, dict):
            found += _problems(value, rule.fields, here)
        elif rule.fields:
            found += _item_problems(value, rule, here)
    return found


def _item_problems(items: list[Any], rule: Rule, path: list[str]) -> list[dict[str, Any]]:
    found = []
    for number, item in enumerate(items):
        here = [*path, str(number)]
        if isinstance(item, dict):
            found += _problems(item, rule.fields or {}, here)
        else:
            found.append(_error(here, "must be an object", "object.base"))
    return found


def _problem(value: Any, rule: Rule) -> tuple[str, str] | None:
    kind = rule.kind
    if not _IS[kind](value):
        article = "an" if kind in ("array", "object") else "a"
        return f"must be {article} {kind}", f"{kind}.base"
    if value == "":
        return "is not allowed to be empty", "string.empty"
    if rule.choices and value not in rule.choices:
        return f"must be one of [{', '.join(rule.choices)}]", "any.allowOnly"
    size = value if kind == "number" else len(value) if kind != "boolean" else 0
    if rule.low is not None and size < rule.low:
        return f"must be larger than or equal to {rule.low:g}", f"{kind}.min"
    if rule.high is not None and size > rule.high:
        return f"must be at most {rule.high:.0f} long", f"{kind}.max"
    return None


def _error(path: list[str], text: str, kind: str) -> dict[str, Any]:
    name = ".".join(path)
    return {
        "field": [name],
        "location": "body",
        "messages": [f'"{name}" {text}'],
        "types": [kind],
    }
