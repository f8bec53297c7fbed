"""What is said to a buyer whose code does not help."""

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from app.errors import FieldError, FieldRefusal, Words

FIELD = "voucher"


class _VoucherRefusal(FieldRefusal):
    """A refusal of the request's code."""

    def __init__(self, detail: Words | None = None) -> None:
        super().__init__(detail)
        self.errors = (FieldError(FIELD, self.detail),)


class VoucherUnknown(_VoucherRefusal):
    """There is no voucher with this code."""

    code = "voucher_unknown"
    status = 422
    title = _l("This code is not known")
    detail = _l("This code is not known. Check it letter by letter, or clear the field.")


class VoucherNotValid(_VoucherRefusal):
    """The voucher cannot be used now, or not for what is wanted; `detail` says which."""

    code = "voucher_not_valid"
    status = 409
    title = _l("This code cannot be used")

    @classmethod
    def retired(cls) -> "VoucherNotValid":
        return cls(_l("This code is no longer in use. Clear the field to go on without it."))

    @classmethod
    def too_early(cls) -> "VoucherNotValid":
        return cls(
            _l(
                "This code cannot be used yet. "
                "Come back later, or clear the field to go on without it."
            )
        )

    @classmethod
    def too_late(cls) -> "VoucherNotValid":
        return cls(_l("The time of this code is over. Clear the field to go on without it."))

    @classmethod
    def for_other_tickets(cls) -> "VoucherNotValid":
        return cls(
            _l(
                "This code is for other tickets than those you chose. "
                "Choose the tickets it is for, or clear the field."
            )
        )


class VoucherUsedUp(_VoucherRefusal):
    """The voucher is good for `left` seats more, and more than that are wanted."""

    code = "voucher_used_up"
    status = 409
    title = _l("This code has been used up")

    def __init__(self, left: int) -> None:
        if left > 0:
            words = _ln(
                "This code is good for %(num)d more ticket. Choose fewer, or clear the field.",
                "This code is good for %(num)d more tickets. Choose fewer, or clear the field.",
                left,
            )
        else:
            words = _l("All tickets of this code are taken. Clear the field to go on without it.")
        super().__init__(words)
        self.left = left
