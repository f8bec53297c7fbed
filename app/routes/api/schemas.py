"""Shapes of the JSON API, in and out. Unknown fields are refused on the way in."""

from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, post_load, validate

from app.forms.fields import FieldProblem, parse_email, parse_full_name, parse_phone
from app.forms.voucher_code import parse_voucher_code
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem

MOST_ITEMS = 20
MOST_ATTENDEES = 100


class _Parsed(fields.String):
    """A string that one of `app.forms.fields` reads."""

    def __init__(self, parse: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(**{"required": "load_default" not in kwargs, **kwargs})
        self._parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return self._parse(super()._deserialize(value, attr, data, **kwargs))
        except FieldProblem as problem:
            raise ValidationError(str(problem.message)) from problem


class UserSchema(Schema):
    """The buyer."""

    full_name = _Parsed(parse_full_name, metadata={"example": "Sari Dewi"})
    email = _Parsed(parse_email, metadata={"example": "sari@example.com"})
    no_hp = _Parsed(parse_phone, metadata={"example": "+6281234567890"})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Buyer:
        """Return the service's own type."""
        return Buyer(**data)


class AttendeeSchema(Schema):
    """Who will sit there."""

    full_name = _Parsed(parse_full_name, metadata={"example": "Budi"})


class WantedItemSchema(Schema):
    """A ticket and how many of it."""

    ticket_id = fields.Integer(required=True, strict=True, data_key="ticketId")
    quantity = fields.Integer(required=True, strict=True, metadata={"example": 2})
    attendees = fields.List(
        fields.Nested(AttendeeSchema),
        load_default=list,
        validate=validate.Length(max=MOST_ATTENDEES),
        metadata={"description": "One name for each seat; left out, the buyer's name is on each."},
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> WantedItem:
        """Return the service's own type."""
        names = tuple(attendee["full_name"] for attendee in data["attendees"])
        return WantedItem(data["ticket_id"], data["quantity"], names)


class OrderRequestSchema(Schema):
    """An order."""

    user = fields.Nested(UserSchema, required=True)
    items = fields.List(
        fields.Nested(WantedItemSchema),
        required=True,
        validate=validate.Length(min=1, max=MOST_ITEMS),
    )
    locale = fields.String(
        load_default="id",
        validate=validate.OneOf(["id", "en"]),
        metadata={"description": "Language of the buyer's pages, mails and tickets."},
    )
    voucher = _Parsed(
        parse_voucher_code,
        load_default=None,
        metadata={
            "example": "TEMAN-2027",
            "description": "A code that lowers prices or opens hidden tickets, in any case.",
        },
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OrderRequest:
        """Return the service's own type."""
        items = tuple(data["items"])
        return OrderRequest(data["user"], items, data["locale"], data["voucher"])


class OrderHeadersSchema(Schema):
    """Headers of an order."""

    class Meta:
        unknown = "exclude"

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=validate.Regexp(
            r"[\x21-\x7e]{1,128}\Z", error=_l("Use 1 to 128 visible ASCII characters.")
        ),
        metadata={"description": "The same key again gives the same order, never a second one."},
    )


class TicketSchema(Schema):
    """A ticket as it can be bought."""

    id = fields.Integer()
    type = fields.String()
    description = fields.String()
    price = fields.Integer(metadata={"description": "Whole rupiah."})
    currency = fields.Constant("IDR")
    amount = fields.Integer(metadata={"description": "How many there are in all."})
    available = fields.Integer(metadata={"description": "How many can still be ordered."})
    min_per_order = fields.Integer(data_key="minPerOrder")
    max_per_order = fields.Integer(data_key="maxPerOrder")
    valid_from = fields.AwareDateTime(data_key="validFrom", format="iso")
    valid_until = fields.AwareDateTime(data_key="validUntil", format="iso")
    status = fields.Function(
        lambda ticket: ticket.status.value,
        metadata={"type": "string", "enum": ["on_sale", "sold_out", "upcoming", "ended"]},
    )


class TicketListSchema(Schema):
    """The catalogue."""

    tickets = fields.List(fields.Nested(TicketSchema))
    request_id = fields.String(data_key="requestId")


class OrderItemSchema(Schema):
    """A line of an order; `price` is what each seat costs: that of its moment, with its voucher."""

    ticket_id = fields.Integer(data_key="ticketId")
    type = fields.String(attribute="ticket.type")
    quantity = fields.Integer()
    price = fields.Integer()
    subtotal = fields.Integer()


class UsedVoucherSchema(Schema):
    """The voucher of an order."""

    code = fields.String()
    discount = fields.Integer(
        metadata={"description": "Whole rupiah it took off: the prices of the items have it."}
    )


class OrderSchema(Schema):
    """An order."""

    code = fields.String()
    status = fields.Function(
        lambda order: order.status.value,
        metadata={"type": "string", "enum": ["PENDING", "PAID", "CANCELLED", "EXPIRED"]},
    )
    total = fields.Integer()
    currency = fields.Constant("IDR")
    expires_at = fields.AwareDateTime(data_key="expiresAt", format="iso")
    url = fields.String(metadata={"description": "The buyer's page: unguessable, keep it private."})
    items = fields.List(fields.Nested(OrderItemSchema))
    used_voucher = fields.Nested(
        UsedVoucherSchema,
        data_key="voucher",
        allow_none=True,
        metadata={"description": "Null without one."},
    )


class LineSchema(Schema):
    """The place of an order whose invoice is still to be made."""

    ahead = fields.Integer(metadata={"description": "How many orders come first."})
    estimated_seconds = fields.Integer(
        data_key="estimatedSeconds",
        allow_none=True,
        metadata={"description": "About how long it takes; null when nobody can tell."},
    )


class PaymentSchema(Schema):
    """The payment of an order."""

    status = fields.Function(
        lambda payment: payment.status.value,
        metadata={"type": "string", "enum": ["PENDING", "PAID", "EXPIRED", "FAILED"]},
    )
    invoice_id = fields.String(data_key="invoiceId", allow_none=True)
    invoice_url = fields.String(
        data_key="invoiceUrl",
        allow_none=True,
        metadata={"description": "Where the buyer pays; null while it is being prepared."},
    )
    line = fields.Nested(
        LineSchema, metadata={"description": "Only while the invoice is being prepared."}
    )


class ETicketSchema(Schema):
    """One seat of a paid order."""

    code = fields.String()
    attendee = fields.String()
    ticket_id = fields.Integer(data_key="ticketId")
    checked_in_at = fields.AwareDateTime(
        data_key="checkedInAt", attribute="admitted_at", format="iso", allow_none=True
    )


class OrderAnswerSchema(Schema):
    """An order with its payment, and its e-tickets once paid."""

    order = fields.Nested(OrderSchema)
    payment = fields.Nested(PaymentSchema)
    e_tickets = fields.List(fields.Nested(ETicketSchema), data_key="eTickets")
    request_id = fields.String(data_key="requestId")


class FieldErrorSchema(Schema):
    """What is wrong with one field."""

    field = fields.String(metadata={"example": "items.0.quantity"})
    message = fields.String()


class LeftSchema(Schema):
    """What is still to be had of a ticket."""

    ticket_id = fields.Integer(data_key="ticketId")
    available = fields.Integer()


class ProblemSchema(Schema):
    """A refusal (RFC 9457). Nothing was changed."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String(metadata={"example": "sold_out"})
    request_id = fields.String(data_key="requestId")
    errors = fields.List(fields.Nested(FieldErrorSchema))
    available = fields.List(fields.Nested(LeftSchema))
