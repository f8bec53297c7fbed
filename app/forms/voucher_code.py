"""The syntax of a voucher's code, as buyers type it and as staff make it up."""

import re

from flask_babel import lazy_gettext as _l

from app.forms.fields import FieldProblem

LONGEST_CODE = 32
CODE = re.compile(r"[A-Z0-9-]{4,32}")


def parse_voucher_code(typed: str) -> str:
    """Return the code in capitals. Raises FieldProblem: A–Z, 0–9 and -, 4 to 32 of them."""
    code = "".join(typed.split()).upper() if typed.isascii() else ""
    if not CODE.fullmatch(code):
        raise FieldProblem(_l("A code has 4 to 32 letters, digits and dashes, such as TEMAN-2027."))
    return code


def read_voucher_code(typed: str) -> str | None:
    """Return the code a buyer typed, in capitals; None for one that cannot exist."""
    try:
        return parse_voucher_code(typed)
    except FieldProblem:
        return None
