"""Bank details: where a refund by hand goes. Asked only then, never logged, erased when done."""

import hmac
import re
import unicodedata

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, FieldError, OrderNotFound, ValidationFailed
from app.models import Refund
from app.services.money.refunds import lock_refund
from app.services.running.transaction import transaction, use_case

NAME_LENGTH = 100
ACCOUNT_NUMBER = re.compile(r"[0-9]{5,34}")


class BankDetailsNotNeeded(DomainError):
    """The refund is under way or done, or its bank account is known already."""

    code = "bank_details_not_needed"
    status = 409
    title = _l("No bank account is needed here")
    detail = _l("Your refund is under way or done. The order's page shows how it stands.")


@use_case
def give_bank_details(
    refund_reference: str, token: str, bank_name: str, account_number: str, account_holder: str
) -> None:
    """Keep where the buyer wants a refund by hand to go, while that is asked.

    `token` is the order's: whoever has only the reference is answered as if there were no such
    order. Spaces and dashes in the number are left out. Raises OrderNotFound, ValidationFailed
    (fields `bank_name`, `account_number`, `account_holder`), BankDetailsNotNeeded.
    """
    with transaction() as session:
        known = sa.select(Refund.id).where(Refund.reference_id == refund_reference)
        refund_id = session.scalar(known)
        if refund_id is None:
            raise OrderNotFound
        refund = lock_refund(session, refund_id)
        if not hmac.compare_digest(refund.order.token.encode(), token.encode()):
            raise OrderNotFound
        bank, number, holder = _parse(bank_name, account_number, account_holder)
        if not refund.needs_bank_details:
            raise BankDetailsNotNeeded
        refund.bank_name, refund.account_number, refund.account_holder = bank, number, holder


def _parse(bank_name: str, account_number: str, account_holder: str) -> tuple[str, str, str]:
    bank, holder = _line(bank_name), _line(account_holder)
    number = re.sub(r"[\s-]", "", account_number)
    errors = []
    if bank is None:
        errors.append(FieldError("bank_name", _l("Please enter the bank, such as BCA or Mandiri.")))
    if not ACCOUNT_NUMBER.fullmatch(number):
        message = _l("Please enter the account number: 5 to 34 digits.")
        errors.append(FieldError("account_number", message))
    if holder is None:
        message = _l("Please enter the name of the account's holder.")
        errors.append(FieldError("account_holder", message))
    if bank is None or holder is None or errors:
        raise ValidationFailed(errors)
    return bank, number, holder


def _line(typed: str) -> str | None:
    """Return one printable line with single spaces; None when empty, too long or unprintable."""
    line = " ".join(unicodedata.normalize("NFC", typed).split())
    is_printable = all(unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn") for char in line)
    return line if 0 < len(line) <= NAME_LENGTH and is_printable else None
