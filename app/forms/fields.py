"""The syntax of single fields, shared by the checkout form and the JSON API."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l

from app.errors import Words

NAME_LENGTH = 100
EMAIL_LENGTH = 254
PHONE_LENGTH = 32  # as typed, with spaces and dashes; E.164 itself has at most 16
EXAMPLE_PHONE = "0812\N{NO-BREAK SPACE}3456\N{NO-BREAK SPACE}7890"

# Format characters, marks without a letter, spaces: a name of these alone shows nothing.
INVISIBLE = ("Cf", "Mn", "Me", "Zs")


class FieldProblem(ValueError):
    """Something typed cannot be used; `message` tells a person what to do."""

    def __init__(self, message: Words) -> None:
        super().__init__("a field cannot be used as it was typed")
        self.message = message


def parse_full_name(typed: str) -> str:
    """Return the name with single spaces. Raises FieldProblem when empty, too long or unprintable.

    Any script is welcome: a name is whatever its owner writes.
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if all(unicodedata.category(char) in INVISIBLE for char in name):
        raise FieldProblem(_l("Please enter a name."))
    if len(name) > NAME_LENGTH:
        raise FieldProblem(_l("Please shorten the name to 100 characters."))
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") for char in name):
        raise FieldProblem(_l("This name has characters that cannot be printed."))
    return name


def parse_email(typed: str) -> str:
    """Return the normalised address. Raises FieldProblem; asks no name server."""
    address = typed.strip()
    if not address:
        raise FieldProblem(_l("Please enter an e-mail address: the tickets are sent there."))
    try:
        # Domains in any script deliver; a local part beyond ASCII needs SMTPUTF8, which many lack.
        result = validate_email(
            address[: EMAIL_LENGTH + 1],
            check_deliverability=False,
            allow_smtputf8=False,
            strict=True,
        )
    except EmailNotValidError as error:
        raise FieldProblem(
            _l("This e-mail address is not complete. It looks like name@example.com.")
        ) from error
    return str(result.normalized)


def parse_phone(typed: str) -> str:
    """Return the number in E.164, reading `0812…` and `62812…` as Indonesian and `00…` as `+…`.

    Raises FieldProblem when no phone could have this number.
    """
    digits = re.sub(r"^00", "+", typed.strip())
    if not digits:
        raise FieldProblem(
            _l("Please enter a mobile number, such as %(example)s.", example=EXAMPLE_PHONE)
        )
    problem = FieldProblem(
        _l("This is not a complete phone number. It looks like %(example)s.", example=EXAMPLE_PHONE)
    )
    if len(digits) > PHONE_LENGTH:
        raise problem
    try:
        number = phonenumbers.parse(digits, "ID")
    except phonenumbers.NumberParseException as error:
        raise problem from error
    if not phonenumbers.is_possible_number(number):
        raise problem
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_phone(number: str) -> str:
    """Return a number of E.164 as its owner writes it: `0812-3456-7890`, others `+65 6123 4567`.

    What is no such number is returned as it is. `parse_phone` reads it back.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    is_indonesian = parsed.country_code == phonenumbers.country_code_for_region("ID")
    formats = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(
        parsed, formats.NATIONAL if is_indonesian else formats.INTERNATIONAL
    )
