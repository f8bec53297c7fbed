"""POST /api/check-ins, what was scanned without network, and taking one back."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_smorest import Blueprint
from marshmallow import ValidationError

from app.clock import utcnow
from app.errors import CheckInNotFound
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.access import requires_door
from app.routes.api.bodies import json_object
from app.routes.api.check_in_schemas import (
    BatchAnswerSchema,
    BatchRequestSchema,
    CheckInAnswerSchema,
    CheckInRequestSchema,
    FactSchema,
    UndoAnswerSchema,
    UndoRequestSchema,
    read_scan_id,
)
from app.routes.api.problems import may_refuse
from app.routes.credentials import scanner
from app.routes.error_handlers import field_errors
from app.services.door import undo as undoing
from app.services.door.batch import Fact, record_facts
from app.services.door.checkin import Scan, check_in
from app.services.door.verdicts import Verdict
from app.tracing import current_request_id

bp = Blueprint("api_check_ins", __name__, url_prefix="/api/check-ins", description="The door")

SECURITY: list[dict[str, list[str]]] = [{"apiKey": []}, {"doorDevice": []}, {"staffSession": []}]

_CHECK_IN = CheckInAnswerSchema(exclude=("request_id", "undone_at"))
_FACT = FactSchema()
_PARTNERS_FACT = FactSchema(
    exclude=("seat_id", "key_id")
)  # only a phone's seat ids are codes it has seen


@bp.post("")
@limiter.limit("1200 per minute", key_func=scanner)
@requires_door()
@json_object
@bp.arguments(CheckInRequestSchema)
@bp.response(200, CheckInAnswerSchema)
@may_refuse(bp, 400, 401, 403, 409, 422, 429, 503)
@bp.doc(security=SECURITY)
def create(scan: Scan) -> Response:
    """Admit a guest, or say why not; the first entry wins."""
    return _answer(_dump(check_in(scan, caller=g.door_caller, now=utcnow())))


@bp.post("/batch")
@limiter.limit("240 per minute", key_func=scanner)
@requires_door()
@json_object
@bp.arguments(BatchRequestSchema)
@bp.response(200, BatchAnswerSchema)
@may_refuse(bp, 400, 401, 403, 422, 429, 503)
@bp.doc(security=SECURITY)
def batch(told: dict[str, Any]) -> Response:
    """Keep what a device decided alone: what happened is a fact, objections are kept beside it."""
    schema = _FACT if g.door_caller.api_key_id is None else _PARTNERS_FACT
    items = [_read_fact(schema, item) for item in told["check_ins"]]
    facts = [item for item in items if isinstance(item, Fact)]
    verdicts = iter(
        record_facts(facts, sent_at=told["sent_at"], caller=g.door_caller, now=utcnow())
        if facts
        else []
    )
    results = [
        _dump_fact(item, next(verdicts)) if isinstance(item, Fact) else item for item in items
    ]
    return _answer({"results": results})


@bp.post("/<scan_id>/undo")
@limiter.limit("240 per minute", key_func=scanner)
@requires_door()
@json_object
@bp.arguments(UndoRequestSchema)
@bp.response(200, UndoAnswerSchema)
@may_refuse(bp, 401, 403, 404, 429, 503)
@bp.doc(security=SECURITY)
def undo(_nothing: dict[str, Any], scan_id: str) -> Response:
    """Take a check-in back: within 15 minutes whoever made it, later a supervisor."""
    known = read_scan_id(scan_id)
    if known is None:
        raise CheckInNotFound
    undone = undoing.undo(known, caller=g.door_caller, now=utcnow())
    verdict = _dump(undone.verdict)
    return _answer(
        {
            "scanId": verdict["scanId"],
            "undoneAt": _local(undone.verdict.undone_at),
            "eTicket": verdict["eTicket"],
            "admittedAt": _local(undone.admitted_at),
            "gate": undone.gate,
        }
    )


def _read_fact(schema: FactSchema, item: Any) -> Fact | dict[str, Any]:
    """Return an item as the service wants it, or the answer to one that cannot be read."""
    try:
        fact: Fact = schema.load(item)
    except ValidationError as error:
        errors = [
            {"field": e.field, "message": str(e.message)} for e in field_errors(error.messages)
        ]
        sent = item.get("scanId") if isinstance(item, dict) else None
        return _problem(sent if isinstance(sent, str) else None, "validation_error", errors=errors)
    return fact


def _dump_fact(fact: Fact, verdict: Verdict | None) -> dict[str, Any]:
    """Return what is on record. Only a whole code shows whose it is: seat ids are no secret."""
    if verdict is None:
        return _problem(fact.scan.scan_id, "scan_id_reused")
    return _dump(verdict if fact.has_whole_code else replace(verdict, holder=None))


def _problem(scan_id: str | None, code: str, **more: Any) -> dict[str, Any]:
    return {"scanId": scan_id, "result": None, "problem": code, **more}


def _dump(verdict: Verdict) -> dict[str, Any]:
    dumped: dict[str, Any] = _CHECK_IN.dump(verdict)
    dumped["admittedAt"] = _local(verdict.admitted_at)
    return (
        dumped if verdict.undone_at is None else {**dumped, "undoneAt": _local(verdict.undone_at)}
    )


def _local(moment: datetime | None) -> str | None:
    """Return a time as it is read at the door, in the event's zone."""
    zone = current_settings().event.timezone
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None


def _answer(body: dict[str, Any]) -> Response:
    response = jsonify({**body, "requestId": current_request_id()})
    response.headers["Cache-Control"] = "no-store"
    return response
