"""What is said to staff whose change of the catalogue cannot be made; each names its field."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from app.errors import FieldError, FieldRefusal, Words


class CatalogueRefusal(FieldRefusal):
    """A change that cannot be made because of what is there already."""

    code = "catalogue_conflict"
    status = 409
    title = _l("This cannot be changed as it is")

    def __init__(self, field: str, words: Words) -> None:
        super().__init__(words)
        self.errors = (FieldError(field, words),)


class NameTaken(CatalogueRefusal):
    """Another ticket or quota has this name."""

    code = "name_taken"

    def __init__(self, field: str) -> None:
        super().__init__(field, _l("There is one with this name already. Choose another name."))


class CodeTaken(CatalogueRefusal):
    """Another voucher has this code."""

    code = "code_taken"

    def __init__(self) -> None:
        super().__init__("code", _l("There is a voucher with this code already."))


class AmountTooLow(CatalogueRefusal):
    """The amount would fall below what is held and sold."""

    code = "amount_too_low"

    def __init__(self, taken: int) -> None:
        words = _ln(
            "%(num)d is sold or held for a buyer: it cannot be fewer.",
            "%(num)d are sold or held for buyers: it cannot be fewer.",
            taken,
        )
        super().__init__("amount", words)
        self.taken = taken


class QuotaTooSmall(CatalogueRefusal):
    """What is held and sold of the tickets does not fit into the quota; `left` is its room now."""

    code = "quota_too_small"

    def __init__(self, name: str, left: int) -> None:
        words = _l(
            "What is sold and held does not fit into “%(name)s”: it has room for %(left)s. "
            "Make it larger first.",
            name=name,
            left=left,
        )
        super().__init__("quota_id", words)
        self.name = name
        self.left = left


class SeatsTooFew(CatalogueRefusal):
    """A voucher was used for more seats than it would be good for."""

    code = "seats_too_few"

    def __init__(self, used: int) -> None:
        words = _ln(
            "It was used for %(num)d ticket already: it cannot be fewer.",
            "It was used for %(num)d tickets already: it cannot be fewer.",
            used,
        )
        super().__init__("max_seats", words)
        self.used = used


class ChangedMeanwhile(CatalogueRefusal):
    """Somebody else changed the same fields since the form was drawn.

    `now` is the wish as it stands; `fields` are those that both changed.
    """

    code = "changed_meanwhile"
    title = _l("Somebody else changed this a moment ago")

    def __init__(self, fields: Sequence[str], now: Any) -> None:
        words = _l("Somebody else changed this meanwhile. Look at both and choose.")
        super().__init__(fields[0], words)
        self.errors = tuple(FieldError(field, words) for field in fields)
        self.fields = tuple(fields)
        self.now = now
