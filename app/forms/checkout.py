"""The checkout form: what was typed, what it shows again, and the order it asks for.

Names of its fields: `t<ticket id>` a quantity, `a<ticket id>_<n>` the name on the n-th seat,
`full_name`, `email`, `no_hp`, and `voucher` for a code. Hidden ones: `order_token` makes a repeated
post one order, `shown_total` is the sum the buyer saw, `prefilled` the name that untouched seats
were given, `asked_email` and `asked_orders` what was asked about already. Buttons: `more` and
`less`, their value being a quantity's name.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import lazy_gettext as _l

from app.errors import FieldError, ValidationFailed, Words
from app.forms.fields import FieldProblem, parse_email, parse_full_name, parse_phone
from app.forms.mail_domains import suggest_address
from app.forms.voucher_code import parse_voucher_code
from app.models import SaleStatus
from app.services.selling.catalogue import TicketOnSale
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem

BUYER_FIELDS: dict[str, Callable[[str], str]] = {
    "full_name": parse_full_name,
    "email": parse_email,
    "no_hp": parse_phone,
}
QUANTITY = re.compile(r"t([0-9]{1,9})")
VOUCHER = "voucher"
SEAT = re.compile(r"a[0-9]{1,9}_[0-9]{1,3}")
HIDDEN = ("order_token", "shown_total", "prefilled", "asked_email", "asked_orders")
STEPS = {"more": 1, "less": -1}
ORDER_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
# Bounds of what is taken in at all; a form of ours stays far below both.
MOST_FIELDS = 500
MOST_KEPT = 50  # names of seats given up, a ticket
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Line:
    """One ticket on the form: what is chosen of it, and the name typed per seat.

    `kept` are names of seats given up, by their field: they are back when the seats are.
    """

    ticket: TicketOnSale
    quantity: int
    attendees: tuple[str, ...]
    kept: Mapping[str, str]

    @property
    def subtotal(self) -> int:
        return self.ticket.price * self.quantity

    @property
    def is_on_sale(self) -> bool:
        return self.ticket.status is SaleStatus.ON_SALE

    @property
    def most(self) -> int:
        """Return how many one order can have of it now."""
        return most_of(self.ticket)

    @property
    def list_subtotal(self) -> int:
        """Return what the line would cost without a voucher."""
        price = self.ticket.list_price
        return self.subtotal if price is None else price * self.quantity

    @property
    def cannot_be_had(self) -> bool:
        """Tell whether more are chosen than can be had now, or fewer than one must take."""
        return self.quantity > self.most or 0 < self.quantity < self.ticket.min_per_order


@dataclass(frozen=True)
class CheckoutForm:
    """What was typed, as text and bounded; nothing of it is trusted yet.

    `pressed` names the plus or minus button that sent it: `t3-more`.
    """

    typed: Mapping[str, str]
    pressed: str = ""

    @classmethod
    def from_values(cls, values: Mapping[str, str]) -> "CheckoutForm":
        """Take in the fields of the form and nothing else, each cut to a bounded length."""
        typed: dict[str, str] = {}
        for name, value in values.items():
            if len(typed) >= MOST_FIELDS:
                break
            if _is_field(name):
                typed[name] = value[:LONGEST_VALUE]
        return cls(typed)

    def with_token(self, *, fresh: bool = False) -> "CheckoutForm":
        """Return the form with its one-time token; `fresh` replaces one that was used."""
        if not fresh and ORDER_TOKEN.fullmatch(self.order_token):
            return self
        return replace(self, typed={**self.typed, "order_token": secrets.token_urlsafe(24)})

    def stepped(self, tickets: Iterable[TicketOnSale]) -> "CheckoutForm":
        """Return the form after a press of plus or minus, which stop at what can be had."""
        for step, change in STEPS.items():
            name = self.text(step)
            for ticket in tickets:
                if name == f"t{ticket.id}":
                    changed = str(_step(ticket, self.quantity(ticket.id), change))
                    return CheckoutForm({**self.typed, name: changed}, f"{name}-{step}")
        return self

    @property
    def voucher_typed(self) -> str:
        """Return the code as it was typed; "" for none."""
        return self.text(VOUCHER).strip()

    @property
    def order_token(self) -> str:
        return self.typed.get("order_token", "")

    def text(self, name: str) -> str:
        """Return what was typed into a field."""
        return self.typed.get(name, "")

    def quantity(self, ticket_id: int) -> int:
        """Return the chosen quantity; anything that is no small whole number counts as none."""
        text = self.text(f"t{ticket_id}").strip()
        return int(text) if re.fullmatch("[0-9]{1,3}", text) else 0

    def names(self, ticket_id: int) -> bool:
        """Tell whether the form was sent with this ticket on it, also with none of it chosen."""
        return f"t{ticket_id}" in self.typed

    def unreadable(self) -> dict[str, Words]:
        """Return what to say of quantities that hold something else than a small whole number."""
        return {
            name: _l("Please enter a whole number, such as 2.")
            for name, text in self.typed.items()
            if QUANTITY.fullmatch(name) and not re.fullmatch("[0-9]{0,3}", text.strip())
        }

    @property
    def quantities(self) -> dict[int, int]:
        """Return the chosen quantities above 0, by ticket id ascending."""
        ids = sorted({int(m[1]) for name in self.typed if (m := QUANTITY.fullmatch(name))})
        return {ticket_id: n for ticket_id in ids if (n := self.quantity(ticket_id))}

    def attendee(self, ticket_id: int, number: int) -> str:
        """Return the name on a seat; a seat nobody touched follows the buyer's name."""
        name = self.text(f"a{ticket_id}_{number}")
        return self.text("full_name") if self._is_untouched(name) else name

    def lines(self, tickets: Iterable[TicketOnSale]) -> list[Line]:
        """Return a line for each ticket, with seats for what is chosen of it."""
        return [self._line(ticket) for ticket in tickets]

    def has_unseen_total(self, lines: Sequence[Line]) -> bool:
        """Tell whether the sum is another than the one shown when the form was sent."""
        shown = self.text("shown_total")
        return bool(shown) and shown != str(sum(line.subtotal for line in lines))

    def parse(self, locale: str) -> OrderRequest:
        """Return the order the form asks for; a blank seat gets the buyer's name.

        Raises ValidationFailed with every problem, under the names of the form's fields.
        """
        errors = [error for name in BUYER_FIELDS if (error := self.check(name))]
        items = []
        for ticket_id, quantity in self.quantities.items():
            names = [f"a{ticket_id}_{number}" for number in range(1, quantity + 1)]
            errors += [error for name in names if (error := self.check(name))]
            items.append((ticket_id, quantity))
        if not items:
            errors.insert(0, FieldError("quantities", _l("Choose at least one ticket.")))
        errors[:0] = [FieldError(*problem) for problem in self.unreadable().items()]
        if error := self.check(VOUCHER):
            errors.append(error)
        if errors:
            raise ValidationFailed(errors)
        wanted = tuple(self._item(*item) for item in items)
        voucher = parse_voucher_code(self.voucher_typed) if self.voucher_typed else None
        return OrderRequest(self._buyer(), wanted, locale, voucher)

    def check(self, name: str) -> FieldError | None:
        """Return what is wrong with one field, None when it is well."""
        is_seat = SEAT.fullmatch(name) is not None
        parse = parse_full_name if is_seat else BUYER_FIELDS.get(name)
        if name == VOUCHER and self.voucher_typed:
            parse = parse_voucher_code
        if parse is None or (is_seat and self._is_untouched(self.text(name))):
            return None
        try:
            parse(self.text(name))
        except FieldProblem as problem:
            return FieldError(name, problem.message)
        return None

    @property
    def suggested_email(self) -> str | None:
        """Return the address that was probably meant, None when nothing looks wrong."""
        return suggest_address(self.text("email"))

    def with_suggested_email(self) -> "CheckoutForm":
        """Return the form with that address taken."""
        return replace(
            self, typed={**self.typed, "email": self.suggested_email or self.text("email")}
        )

    @property
    def has_unasked_email(self) -> bool:
        """Tell whether the address looks wrong and the buyer was not asked about it yet."""
        return bool(self.suggested_email) and self.text("asked_email") != self.text("email")

    def _is_untouched(self, name: str) -> bool:
        return not name.strip() or name == self.text("prefilled")

    def _buyer(self) -> Buyer:
        return Buyer(**{name: parse(self.text(name)) for name, parse in BUYER_FIELDS.items()})

    def _item(self, ticket_id: int, quantity: int) -> WantedItem:
        seats = range(1, quantity + 1)
        names = tuple(parse_full_name(self.attendee(ticket_id, number)) for number in seats)
        return WantedItem(ticket_id, quantity, names)

    def _line(self, ticket: TicketOnSale) -> Line:
        """Return the line. What was chosen stays even when it is gone: only the buyer lowers it."""
        quantity = self.quantity(ticket.id)
        seats = range(1, min(quantity, ticket.max_per_order) + 1)
        given_up = range(len(seats) + 1, min(ticket.max_per_order, MOST_KEPT) + 1)
        typed = {name: self.text(name) for n in given_up if (name := f"a{ticket.id}_{n}")}
        return Line(
            ticket,
            quantity,
            attendees=tuple(self.attendee(ticket.id, number) for number in seats),
            kept={name: text for name, text in typed.items() if not self._is_untouched(text)},
        )


def most_of(ticket: TicketOnSale) -> int:
    """Return how many of a ticket one order can have now; none where its least is not left."""
    most = max(0, min(ticket.max_per_order, ticket.available))
    return most if ticket.status is SaleStatus.ON_SALE and most >= ticket.min_per_order else 0


def _step(ticket: TicketOnSale, quantity: int, change: int) -> int:
    """Return the quantity after a press of plus or minus: nothing, or its least and more."""
    most = max(most_of(ticket), quantity if change > 0 else 0)
    changed = min(max(quantity + change, 0), most)
    if 0 < changed < ticket.min_per_order:
        return min(ticket.min_per_order, most) if change > 0 else 0
    return changed


def as_fields(quantities: Mapping[int, int]) -> dict[str, Any]:
    """Return quantities as the fields of the catalogue's and the checkout's address."""
    return {f"t{ticket_id}": str(quantity) for ticket_id, quantity in quantities.items()}


def _is_field(name: str) -> bool:
    is_fixed = name in BUYER_FIELDS or name in HIDDEN or name in STEPS or name == VOUCHER
    return bool(is_fixed or QUANTITY.fullmatch(name) or SEAT.fullmatch(name))
