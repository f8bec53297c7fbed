"""Shapes of check-ins, in and out. Unknown fields are refused on the way in."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.integrations.signing import LAST_KEY_ID
from app.models import Direction, ScanReason, ScanResult
from app.services.door.batch import Fact
from app.services.door.checkin import Scan
from app.services.door.search import is_long_enough

# The largest QR code holds 7,089 digits: a foreign one is an unknown code, not a bad request.
LONGEST_CODE = 8000
LONGEST_GATE = 32
LARGEST_SEAT_ID = 2**40 - 1  # five bytes of a signed code
MOST_FACTS = 200
LONGEST_SEARCH = 100
YEARS = range(1970, 9000)  # a phone's clock may stand anywhere, but arithmetic must go on

DIRECTIONS = [each.value for each in Direction]
RESULTS = [each.value for each in ScanResult]
REASONS = [each.value for each in ScanReason]


class Text(fields.String):
    """A string that any database can keep: no half of a surrogate pair, no NUL."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return text.encode("utf-8", "replace").decode().replace("\0", "").strip()


class Moment(fields.AwareDateTime):
    """A time with its offset from UTC, as a device's clock has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", required=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        if moment.year not in YEARS:
            raise ValidationError(_l("This is no time a clock shows."))
        return moment


class ScanId(fields.UUID):
    """A UUID, given on as text in the one usual spelling."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value if value is None else str(value)


class CheckInRequestSchema(Schema):
    """A scan."""

    code = Text(
        required=True,
        validate=validate.Length(1, LONGEST_CODE),
        metadata={"description": "The QR text, or the short code printed under it."},
    )
    scan_id = ScanId(
        required=True,
        data_key="scanId",
        metadata={"description": "The scanner's own: the same again gives the same answer."},
    )
    scanned_at = Moment(data_key="scannedAt")
    gate = Text(load_default=None, allow_none=True, validate=validate.Length(1, LONGEST_GATE))
    direction = fields.String(load_default="in", validate=validate.OneOf(DIRECTIONS))

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """Return the service's own type."""
        return Scan(
            data["code"],
            data["scan_id"],
            data["scanned_at"],
            data["gate"],
            Direction(data["direction"]),
        )


class FactSchema(CheckInRequestSchema):
    """A scan a device decided alone, of a `code` or of the `seatId` of one it has verified.

    `keyId` says by which key, so that one that was revoked since is noticed.
    """

    code = Text(validate=validate.Length(1, LONGEST_CODE))
    seat_id = fields.Integer(
        strict=True, data_key="seatId", validate=validate.Range(0, LARGEST_SEAT_ID)
    )
    key_id = fields.Integer(
        strict=True, allow_none=True, data_key="keyId", validate=validate.Range(1, LAST_KEY_ID)
    )
    result = fields.String(required=True, validate=validate.OneOf(RESULTS))
    reason = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(REASONS))

    @validates_schema
    def check_seat(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Refuse an item about no ticket, or about two."""
        if ("code" in data) == ("seat_id" in data):
            raise ValidationError(_l("Send either the code or the seat id."), "code")

    @validates_schema
    def check_reason(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Refuse a refusal without its reason."""
        if data["result"] == ScanResult.REFUSED.value and data["reason"] is None:
            raise ValidationError(_l("Say why it was refused."), "reason")

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Fact:
        """Return the service's own type; an admission has no reason."""
        result = ScanResult(data["result"])
        reason = ScanReason(data["reason"]) if result is ScanResult.REFUSED else None
        scan = super().make({"code": "", **data})
        return Fact(scan, result, reason, data.get("seat_id"), data.get("key_id"))


class BatchRequestSchema(Schema):
    """What a device decided while it had no network, the oldest first."""

    sent_at = Moment(
        data_key="sentAt",
        metadata={"description": "The device's clock on sending: it tells how far off it is."},
    )
    check_ins = fields.List(
        # Each is read by itself (`FactSchema`): one that is wrong must not hold up the others.
        fields.Raw(
            allow_none=True,
            metadata={
                "description": "A scan with its `result`. A phone of the door sends `seatId` in "
                "place of the `code` it has verified: it keeps none that could be stolen."
            },
        ),
        required=True,
        data_key="checkIns",
        validate=validate.Length(1, MOST_FACTS),
    )


class UndoRequestSchema(Schema):
    """Nothing: the address says it all."""


class SearchSchema(Schema):
    """What to look for."""

    q = Text(required=True, validate=validate.Length(max=LONGEST_SEARCH))

    @validates_schema
    def check_length(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Refuse to list everybody."""
        if not is_long_enough(data["q"]):
            raise ValidationError(_l("Type at least three letters."), "q")


class HolderSchema(Schema):
    """Whose e-ticket it is."""

    code = fields.String(metadata={"example": "7K2M-9QPA"})
    attendee = fields.String()
    type = fields.String(attribute="ticket_type")
    lane = fields.String(metadata={"description": "Which queue, in lane mode."})


class CheckInAnswerSchema(Schema):
    """What happened. `admittedAt` and `gate` are of this entry, or of the one that stood before."""

    scan_id = fields.String(data_key="scanId")
    direction = fields.Enum(Direction, by_value=True)
    result = fields.Enum(ScanResult, by_value=True)
    reason = fields.Enum(ScanReason, by_value=True, allow_none=True)
    objection = fields.Enum(
        ScanReason,
        by_value=True,
        allow_none=True,
        metadata={"description": "Why we would have refused what was let in without network."},
    )
    e_ticket = fields.Nested(HolderSchema, data_key="eTicket", attribute="holder", allow_none=True)
    admitted_at = fields.AwareDateTime(data_key="admittedAt", format="iso", allow_none=True)
    gate = fields.String(allow_none=True)
    undone_at = fields.AwareDateTime(
        data_key="undoneAt",
        format="iso",
        metadata={"description": "Only in a repeated answer: when the check-in was taken back."},
    )
    request_id = fields.String(data_key="requestId")


class FactAnswerSchema(CheckInAnswerSchema):
    """What is on record for one item; `problem` when it could not be kept, and why."""

    class Meta:
        exclude = ("request_id",)

    problem = fields.String(metadata={"enum": ["validation_error", "scan_id_reused"]})
    errors = fields.List(fields.Dict())


class BatchAnswerSchema(Schema):
    """One result for each item, in the same order."""

    results = fields.List(fields.Nested(FactAnswerSchema))
    request_id = fields.String(data_key="requestId")


class UndoAnswerSchema(Schema):
    """The check-in that was taken back, and the entry that stands now, if any."""

    scan_id = fields.String(data_key="scanId")
    undone_at = fields.AwareDateTime(data_key="undoneAt", format="iso")
    e_ticket = fields.Nested(HolderSchema, data_key="eTicket", allow_none=True)
    admitted_at = fields.AwareDateTime(data_key="admittedAt", format="iso", allow_none=True)
    gate = fields.String(allow_none=True)
    request_id = fields.String(data_key="requestId")


def read_scan_id(text: Any) -> str | None:
    """Return a scan id in its usual spelling, None when it is none."""
    try:
        return str(uuid.UUID(text))
    except (ValueError, TypeError, AttributeError):
        return None
