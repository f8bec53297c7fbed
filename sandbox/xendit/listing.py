"""The filters of GET /v2/invoices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import dropwhile

from werkzeug.datastructures import MultiDict

from sandbox.xendit.invoices import Invoice
from sandbox.xendit.validation import ApiError

Filters = MultiDict[str, str]
MOMENTS = tuple(
    f"{what}_{side}" for what in ("created", "paid", "expired") for side in ("after", "before")
)


def selected(invoices: Sequence[Invoice], filters: Filters) -> list[Invoice]:
    """Return the invoices that pass every filter, at most `limit` (1 to 100, default 10).

    Raises ApiError for a filter that cannot be read.
    """
    statuses = _statuses(filters)
    after = filters.get("last_invoice") or filters.get("last_invoice_id")
    if after:
        invoices = list(dropwhile(lambda each: each.id != after, invoices))[1:]
    moments = {name: _moment(filters, name) for name in MOMENTS}
    found = [
        each
        for each in invoices
        if filters.get("external_id") in (None, each.external_id)
        and (not statuses or each.status in statuses)
        and _in_time(each, moments)
    ]
    return found[: _limit(filters)]


def _statuses(filters: Filters) -> list[str]:
    """Read both spellings: repeated parameters, and one JSON array in a string."""
    values = filters.getlist("statuses") + filters.getlist("statuses[]")
    if len(values) == 1 and values[0].startswith("["):
        try:
            return [str(each) for each in json.loads(values[0])]
        except ValueError:
            raise _unreadable("statuses") from None
    return values


def _in_time(invoice: Invoice, bounds: Mapping[str, datetime | None]) -> bool:
    moments = {
        "created": invoice.created,
        "paid": invoice.payment.paid_at if invoice.payment else None,
        "expired": invoice.expiry_date,
    }
    for name, moment in moments.items():
        after, before = bounds[f"{name}_after"], bounds[f"{name}_before"]
        if (after or before) and moment is None:
            return False
        if moment and ((after and moment < after) or (before and moment > before)):
            return False
    return True


def _moment(filters: Filters, name: str) -> datetime | None:
    value = filters.get(name)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _unreadable(name) from None
    if moment.tzinfo is None:
        raise _unreadable(name)
    return moment


def _limit(filters: Filters) -> int:
    value = filters.get("limit", "10")
    if not value.isdecimal() or not 1 <= int(value) <= 100:
        raise _unreadable("limit")
    return int(value)


def _unreadable(name: str) -> ApiError:
    problem = {"field": [name], "location": "query", "messages": [f'"{name}" is not valid']}
    return ApiError(
        400, "API_VALIDATION_ERROR", "Invalid input data. Please check your request", [problem]
    )
