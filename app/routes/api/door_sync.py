"""POST /api/door/sync and GET /api/door/tickets: what the scanner page needs without a network.

They belong to that page and may change with it: no part of the published API.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, jsonify
from marshmallow import Schema, ValidationError, fields, validate
from webargs.flaskparser import use_kwargs

from app.clock import utcnow
from app.config import Event
from app.extensions import limiter
from app.gateways import current_settings
from app.models import Device, Gate
from app.routes.access import requires_door
from app.routes.addresses import LARGEST_ID
from app.routes.api.bodies import json_object
from app.routes.credentials import scanner
from app.services.door import devices
from app.services.door.callers import DoorCaller
from app.services.door.lanes import lanes_alone
from app.services.door.offline import list_sealed_seats
from app.services.door.sync import Cursor, DoorState, TicketRules, read_state
from app.services.running.phone_reports import MOST
from app.tracing import current_request_id

bp = Blueprint("api_door_sync", __name__, url_prefix="/api/door")


class ReportSchema(Schema):
    """What a phone says of itself; null where it cannot tell."""

    battery = fields.Integer(allow_none=True, strict=True, validate=validate.Range(0, 100))
    queued = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST))
    tickets = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST))
    clock = fields.AwareDateTime(required=True)
    storage_kept = fields.Boolean(data_key="storageKept", allow_none=True)


def read_cursor(text: Any) -> Cursor:
    """Return the cursor a phone brings back. Raises ValidationError."""
    cursor = Cursor.read(text) if isinstance(text, str) else None
    if cursor is None:
        raise ValidationError("Not a cursor of ours.")
    return cursor


class SyncSchema(Schema):
    """A phone's call; `since` is the cursor of its last one."""

    since = fields.Function(deserialize=read_cursor, required=True, allow_none=True)
    report = fields.Nested(ReportSchema, required=True)


class PageSchema(Schema):
    """Which page of seats."""

    after = fields.Integer(load_default=0, validate=validate.Range(0, LARGEST_ID))


@bp.post("/sync")
@limiter.limit("600 per minute", key_func=scanner)
@requires_door()
@json_object
@use_kwargs(SyncSchema)
def sync(since: Cursor | None, report: dict[str, Any]) -> Response:
    """Take a phone's report, and tell it how the door stands."""
    now, who = utcnow(), g.door_caller
    if who.device_id is not None:
        devices.note_seen(who.device_id, now=now, report=_dump_report(report))
    state = read_state(since, now=now)
    answer = _dump_state(state, who, current_settings().event)
    return _private({"now": _iso(utcnow()), **answer})


@bp.get("/tickets")
@limiter.limit("600 per minute", key_func=scanner)
@requires_door()
@use_kwargs(PageSchema, location="query")
def tickets(after: int) -> Response:
    """Give a page of sealed seats."""
    page = list_sealed_seats(after=after, now=utcnow())
    return _private(
        {
            "seats": [[seat.seat_id, seat.box] for seat in page.seats],
            "next": page.next,
            "settled": page.settled,
            "total": page.total,
        }
    )


def _dump_report(report: dict[str, Any]) -> dict[str, Any]:
    dumped: dict[str, Any] = ReportSchema().dump(report)
    return dumped


def _dump_state(state: DoorState, who: DoorCaller, event: Event) -> dict[str, Any]:
    found = devices.list_devices() if state.is_lane_mode else []
    shares = lanes_alone(found) if state.is_lane_mode else None
    return {
        "device": {
            "id": who.device_id,
            "name": who.name,
            "role": who.role,
            "gate": _dump_gate(who.gate) if who.gate else None,
            "lanes": _lanes_without_network(who, shares),
        },
        "event": {
            "name": event.name,
            "zone": str(event.timezone),
            "startsAt": _iso(event.starts_at),
            "endsAt": _iso(event.ends_at),
        },
        "laneMode": state.is_lane_mode,
        "gates": [_dump_gate(gate) for gate in state.gates],
        "tickets": {str(ticket.id): _dump_ticket(ticket) for ticket in state.tickets},
        "keys": [{"id": n, "publicKey": key.hex()} for n, key in state.keys.items()],
        "phones": _dump_phones(found, shares or {}),
        "refused": [[seat.seat_id, seat.reason] for seat in state.seats.refused],
        "changes": [
            [seat.seat_id, _iso(seat.admitted_at), seat.gate, seat.is_inside]
            for seat in state.changes
        ],
        "cursor": str(state.cursor),
        "seats": state.seats.total,
        "seatsChecksum": state.seats.checksum,
    }


def _lanes_without_network(who: DoorCaller, shares: Mapping[int, str] | None) -> str | None:
    """Return the letters a phone admits alone (None: all).

    Where somebody is merely logged in, in however many browsers, nothing is decided alone.
    """
    if shares is None:
        return who.lanes
    return shares.get(who.device_id or 0, "")


def _dump_phones(found: Sequence[Device], shares: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return who admits what, for guests who stand before the wrong phone."""
    return [
        {
            "name": device.name,
            "gate": device.gate.name if device.gate else None,
            "lanes": shares[device.id],
        }
        for device in found
        if device.paired_at is not None and device.cut_off_at is None
    ]


def _dump_gate(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "ticketIds": gate.ticket_ids,
        "opensAt": _iso(gate.opens_at),
        "closesAt": _iso(gate.closes_at),
        "hasReentry": gate.has_reentry,
        "hasExit": gate.has_exit,
    }


def _dump_ticket(ticket: TicketRules) -> dict[str, Any]:
    return {
        "type": ticket.type,
        "admitFrom": _iso(ticket.admit_from),
        "admitUntil": _iso(ticket.admit_until),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _private(answer: dict[str, Any]) -> Response:
    response = jsonify({**answer, "requestId": current_request_id()})
    response.headers["Cache-Control"] = "no-store"
    return response
