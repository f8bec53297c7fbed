"""What staff type when they act on an order; names and addresses are read as at the checkout."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.errors import Words
from app.forms.fields import FieldProblem, parse_email, parse_full_name, parse_phone, show_phone
from app.forms.mail_domains import suggest_address
from app.models import Order
from app.services.selling.ordering import Buyer

Errors = dict[str, Words]

REASON_LENGTH = 500
LONGEST_VALUE = 300
MOST_GIVEN = 20  # seats of one free order
GIFT_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
BUYER_FIELDS = {"full_name": parse_full_name, "email": parse_email, "no_hp": parse_phone}


@dataclass
class BuyerForm:
    """The buyer's details as typed; `asked_email` is the address somebody was asked about."""

    typed: Mapping[str, str]
    asked_email: str = ""
    are_codes_new: bool = True
    errors: Errors = field(default_factory=dict)

    @classmethod
    def of(cls, order: Order) -> "BuyerForm":
        """Return the form that shows the buyer as they are."""
        user = order.user
        shown = {"full_name": user.full_name, "email": user.email, "no_hp": show_phone(user.no_hp)}
        return cls(shown)

    @classmethod
    def sent(cls, values: MultiDict[str, str]) -> "BuyerForm":
        """Return the form as it was sent."""
        typed = {name: values.get(name, "")[:LONGEST_VALUE] for name in BUYER_FIELDS}
        return cls(typed, values.get("asked_email", "")[:LONGEST_VALUE], "new_codes" in values)

    @property
    def suggestion(self) -> str | None:
        """Return the address that was probably meant; None when nothing looks wrong."""
        return suggest_address(self.typed["email"])

    def parse(self) -> Buyer | None:
        """Return the buyer, or None with `errors` filled; a likely slip is asked about once."""
        found: dict[str, str] = {}
        for name, parse in BUYER_FIELDS.items():
            try:
                found[name] = parse(self.typed[name])
            except FieldProblem as problem:
                self.errors[name] = problem.message
        if "email" in found and self.suggestion and self.asked_email != self.typed["email"]:
            self.errors["email"] = _l(
                "Did you mean %(address)s? If not, send the form once more as it is.",
                address=self.suggestion,
            )
            self.asked_email = self.typed["email"]
        return None if self.errors else Buyer(**found)


@dataclass
class NamesForm:
    """The names on an order's seats as typed, by the seat's number."""

    typed: Mapping[int, str]
    is_mailed: bool = True
    errors: Errors = field(default_factory=dict)

    @classmethod
    def sent(cls, values: MultiDict[str, str], numbers: Iterable[int]) -> "NamesForm":
        """Return the form as it was sent, for the seats there are."""
        names = {number: values.get(f"name_{number}", "")[:LONGEST_VALUE] for number in numbers}
        return cls(names, "is_mailed" in values)

    def parse(self) -> dict[int, str] | None:
        """Return a name for each seat, or None with `errors` filled."""
        names: dict[int, str] = {}
        for number, typed in self.typed.items():
            try:
                names[number] = parse_full_name(typed)
            except FieldProblem as problem:
                self.errors[f"name_{number}"] = problem.message
        return None if self.errors else names


@dataclass
class GiftForm:
    """A free order as typed; `key` makes a form that is sent twice one order.

    `names` has one guest a line; where it is empty every seat has the buyer's name.
    """

    buyer: BuyerForm
    ticket: str = ""
    quantity: str = "1"
    names: str = ""
    reason: str = ""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @classmethod
    def sent(cls, values: MultiDict[str, str]) -> "GiftForm":
        """Return the form as it was sent."""
        form = cls(
            BuyerForm.sent(values),
            values.get("ticket", "")[:20],
            values.get("quantity", "")[:10],
            values.get("names", "")[: LONGEST_VALUE * MOST_GIVEN],
            values.get("reason", "")[:REASON_LENGTH],
        )
        if GIFT_KEY.fullmatch(values.get("key", "")):
            form.key = values["key"]
        return form

    @property
    def errors(self) -> Errors:
        return self.buyer.errors

    def parse_seats(self) -> tuple[int, tuple[str, ...]]:
        """Return how many seats, and a name for each if any was typed; fills `errors`."""
        quantity = int(self.quantity) if re.fullmatch("[0-9]{1,3}", self.quantity.strip()) else 0
        if not 1 <= quantity <= MOST_GIVEN:
            self.errors["quantity"] = _l("Choose 1 to %(num)d seats.", num=MOST_GIVEN)
        lines = [line for line in self.names.splitlines() if line.strip()]
        if lines and len(lines) != quantity:
            self.errors["names"] = _l("Give one name for each seat, or none at all.")
        try:
            return quantity, tuple(parse_full_name(line) for line in lines)
        except FieldProblem as problem:
            self.errors["names"] = problem.message
            return quantity, ()


def read_reason(values: MultiDict[str, str], errors: Errors, name: str = "reason") -> str:
    """Return the reason that was typed; fills `errors` when there is none."""
    reason = " ".join(values.get(name, "").split())[:REASON_LENGTH]
    if not reason:
        errors[name] = _l("Say why in a few words: it is kept with the change.")
    return reason


def read_rupiah(typed: str) -> int | None:
    """Return an amount typed as `50000`, `50.000` or `Rp 50.000`; None when it is no such thing."""
    digits = re.sub(r"(?i)^rp|[.\s]", "", typed.strip())
    return int(digits) if re.fullmatch("[0-9]{1,12}", digits) else None


def read_numbers(typed: Iterable[str]) -> list[int]:
    """Return the small whole numbers among what was ticked, each once, ascending."""
    return sorted({int(one) for one in typed if re.fullmatch("[0-9]{1,9}", one)})
