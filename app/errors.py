"""Refusals: what the service says no to, each with its code, HTTP status and words.

`code` and `status` are the contract's table of refusals; `title` names the kind, `detail` tells a
person what happened and what to do next. Both are lazy so that they follow the reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

Words = Any  # a str or a lazy translation of one


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `field` is its path, such as `items.0.quantity`."""

    field: str
    message: Words


class DomainError(Exception):
    """A refusal with a code of the contract. Nothing was changed when one is raised."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[Words]
    detail: Words = None  # the title, unless a class or whoever raises it says more
    retry_after: int | None = None

    def __init__(self, detail: Words = None) -> None:
        super().__init__(self.code)
        if detail is not None:
            self.detail = detail
        elif self.detail is None:
            self.detail = self.title

    def extra(self) -> Mapping[str, Any]:
        """Return further members of the problem body."""
        return {}


class FieldRefusal(DomainError):
    """A refusal that names the fields at fault."""

    errors: tuple[FieldError, ...] = ()

    def extra(self) -> Mapping[str, Any]:
        return {"errors": [{"field": e.field, "message": str(e.message)} for e in self.errors]}


class ValidationFailed(FieldRefusal):
    """One or more fields cannot be used as they are."""

    code = "validation_error"
    status = 422
    title = _l("Some fields need your attention")

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(_l("Please correct the marked fields and send the form again."))
        self.errors = tuple(errors)


class MalformedJson(DomainError):
    code = "malformed_json"
    status = 400
    title = _l("The body is not a JSON object")


class ApiKeyRequired(DomainError):
    code = "api_key_required"
    status = 401
    title = _l("An API key is needed")
    detail = _l("Send it as “Authorization: Bearer <key>”.")


class ApiKeyInvalid(DomainError):
    code = "api_key_invalid"
    status = 401
    title = _l("This API key is unknown or revoked")


class InsufficientScope(DomainError):
    code = "insufficient_scope"
    status = 403
    title = _l("This API key may not do this")


class NotFound(DomainError):
    code = "not_found"
    status = 404
    title = _l("Page not found")


class OrderNotFound(DomainError):
    code = "order_not_found"
    status = 404
    title = _l("There is no such order")
    detail = _l("Check the link in your e-mail, or ask the organiser with your order code.")


class TicketNotFound(FieldRefusal):
    """The request names a ticket that is not in the catalogue."""

    code = "ticket_not_found"
    status = 422
    title = _l("There is no such ticket")

    def __init__(self, field: str) -> None:
        super().__init__()
        self.errors = (FieldError(field, self.title),)


class QuantityOutOfRange(FieldRefusal):
    """A quantity is below or above what one order may take of that ticket."""

    code = "quantity_out_of_range"
    status = 422
    title = _l("This quantity is not possible")

    def __init__(self, field: str, most: int, least: int = 1) -> None:
        if least == 1:
            words = _ln(
                "Choose 1 ticket of this type.", "Choose 1 to %(num)d tickets of this type.", most
            )
        elif least < most:
            words = _l("Choose %(least)d to %(most)d tickets of this type.", least=least, most=most)
        else:
            words = _l("Choose %(most)d tickets of this type.", most=most)
        super().__init__(words)
        self.errors = (FieldError(field, self.detail),)


class SoldOut(DomainError):
    """Not enough is left; `available` maps ticket ids of the request to what is still to be had."""

    code = "sold_out"
    status = 409
    title = _l("Not enough tickets are left")

    def __init__(self, available: Mapping[int, int]) -> None:
        super().__init__(_l("Somebody was a moment faster. Choose fewer tickets or another type."))
        self.available = dict(available)

    def extra(self) -> Mapping[str, Any]:
        left = [{"ticketId": k, "available": v} for k, v in sorted(self.available.items())]
        return {"available": left}


class SaleNotOpen(DomainError):
    code = "sale_not_open"
    status = 409
    title = _l("The sale of this ticket has not opened yet")


class SaleClosed(DomainError):
    code = "sale_closed"
    status = 409
    title = _l("The sale of this ticket has ended")


class OrderNotCancellable(DomainError):
    code = "order_not_cancellable"
    status = 409
    title = _l("This order can no longer be cancelled here")
    detail = _l("It is paid, or it has ended already. Its page shows how it stands.")


class OrderNotExtendable(DomainError):
    code = "order_not_extendable"
    status = 409
    title = _l("This order cannot be given more time")
    detail = _l("It is paid, it has ended, or it was extended as often as possible.")


class CaseClosed(DomainError):
    """The choice comes too late: the case was decided, or never was one."""

    code = "case_closed"
    status = 409
    title = _l("There is nothing left to choose here")
    detail = _l("A decision was already made. The order's page shows how it stands.")


class IdempotencyInProgress(DomainError):
    code = "idempotency_in_progress"
    status = 409
    title = _l("The same request is still being worked on")
    retry_after = 2


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    title = _l("This idempotency key was used for another request")


class ScanIdReused(DomainError):
    """A scan id came again with another code: two scans of one device got the same id."""

    code = "scan_id_reused"
    status = 409
    title = _l("This scan id was used for another code")


class CheckInNotFound(DomainError):
    code = "check_in_not_found"
    status = 404
    title = _l("There is no such check-in")
    detail = _l("It may still be waiting on the phone that made it.")


class UndoNotAllowed(DomainError):
    code = "undo_not_allowed"
    status = 403
    title = _l("This check-in cannot be undone from here")
    detail = _l("Within 15 minutes the same phone can; later a supervisor.")


class RateLimited(DomainError):
    code = "rate_limited"
    status = 429
    title = _l("Too many requests")

    def __init__(self, retry_after: int) -> None:
        super().__init__(_l("Please wait a moment, then try again."))
        self.retry_after = retry_after


class ResentEnough(DomainError):
    """The e-tickets were mailed again a moment ago, or often enough for a day."""

    code = "rate_limited"
    status = 429
    title = _l("The e-tickets cannot be sent again yet")

    def __init__(self, retry_after: int) -> None:
        super().__init__(_l("Look into the spam folder too. You can also download them here."))
        self.retry_after = retry_after


class Busy(DomainError):
    """The database is locked or away; nothing was kept."""

    code = "busy"
    status = 503
    title = _l("We are very busy right now")
    detail = _l("Nothing was booked or charged. Please try again in a moment.")
    retry_after = 2
