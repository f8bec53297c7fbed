"""What the fair door refuses at the checkout."""

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from app.errors import DomainError


class ProofNeeded(Exception):
    """A place that takes part in the lot needs a proof of work not used before."""


class TurnUsed(DomainError):
    """The visitor's turn was used for an order already, or is over."""

    code = "turn_used"
    status = 409
    title = _l("Your turn is over")

    def __init__(self) -> None:
        super().__init__(
            _l("One turn is for one order. To order again, open the tickets and take a new place.")
        )


class SeatLimitReached(DomainError):
    """One address or phone number would get more seats than a person may in this sale."""

    code = "seat_limit_reached"
    status = 409
    title = _l("That is more than one person can get in this sale")

    def __init__(self, most: int, taken: int) -> None:
        super().__init__(
            _ln(
                "One e-mail address or mobile number can get %(num)d ticket in this sale, and "
                "%(taken)d were ordered with yours already. Choose fewer: your turn goes on.",
                "One e-mail address or mobile number can get %(num)d tickets in this sale, and "
                "%(taken)d were ordered with yours already. Choose fewer: your turn goes on.",
                most,
                taken=taken,
            )
        )
