"""Slips in the domain of a mail address: `gmial.com`, `yahoo.co.di`, `gmail.con`.

Only a question is ever made of it, so a slip missed costs less than a true address doubted: what
is not one slip away from a name that everybody knows is left alone.
"""

import re
from contextlib import suppress

from app.forms.fields import FieldProblem, parse_email

# The free mail that buyers in Indonesia use, with its commonest endings: the first is what a slip
# is taken for, the last ones are there because they look like slips of it. Any other ending that is
# no slip of these (yahoo.fr, outlook.com.au) is somebody's own and left alone.
PROVIDERS: dict[str, tuple[str, ...]] = {
    "gmail": ("com",),
    "googlemail": ("com",),
    "yahoo": ("com", "co.id", "co.in", "co.il"),
    "ymail": ("com",),
    "rocketmail": ("com",),
    "hotmail": ("com", "co.id", "co.in", "co.il"),
    "outlook": ("com", "co.id", "co.in", "co.il"),
    "icloud": ("com",),
    "protonmail": ("com",),
}
# Endings that no domain has, and what they should have been.
NO_ENDINGS = {
    **dict.fromkeys(
        ("con", "cpm", "cmo", "ocm", "comm", "coom", "vom", "xom", "clm", "c0m"), "com"
    ),
    **dict.fromkeys(("coid", "coi", "cod"), "co.id"),
    **dict.fromkeys(("acid", "accid"), "ac.id"),
    **dict.fromkeys(("nte", "ent", "nett"), "net"),
    **dict.fromkeys(("ogr", "rog", "orgg"), "org"),
}
INDONESIAN = ("co.id", "com.id", "id")  # put after any name out of habit
SHORTEST = 3  # of what two letters are a slip for nobody can tell
ADDRESS = re.compile(r"([^\s@]{1,64})@([a-z0-9.,-]{1,190})", re.IGNORECASE)


def suggest_address(typed: str) -> str | None:
    """Return the address that was probably meant, None when nothing looks wrong.

    What stands before the @ is kept letter for letter. Needs no complete address: `sari@gmail`
    gets an answer too. Asks nobody.
    """
    match = ADDRESS.fullmatch(typed.strip())
    if match is None:
        return None
    local, domain = match[1], match[2].lower().replace(",", ".")
    meant = _meant(domain.strip("."))
    suggestion = f"{local}@{meant}"
    return suggestion if meant != match[2].lower() and _is_complete(suggestion) else None


def _is_complete(address: str) -> bool:
    with suppress(FieldProblem):
        return bool(parse_email(address))
    return False


def _meant(domain: str) -> str:
    name, _, ending = domain.partition(".")
    if ending in PROVIDERS.get(name, ()):
        return domain
    provider = _find_provider(name, ending)
    if provider:
        return f"{provider}.{_ending_of(provider, ending)}"
    before, _, last = domain.rpartition(".")
    return f"{before}.{NO_ENDINGS[last]}" if before and last in NO_ENDINGS else domain


def _find_provider(name: str, ending: str) -> str | None:
    """Return the provider this name is, or is a slip of; the ending has to be near one of its own.

    Without a dot the ending may hang on: `gmailcom`.
    """
    if not ending and name.endswith("com"):
        name = name.removesuffix("com")
    candidates = [name] if name in PROVIDERS else [p for p in PROVIDERS if _is_slip(name, p)]
    return next((p for p in candidates if not ending or _ending_of(p, ending)), None)


def _ending_of(provider: str, ending: str) -> str:
    """Return the ending that was meant, empty when it may be another domain's altogether."""
    endings = PROVIDERS[provider]
    if ending in endings or not ending:
        return ending or endings[0]
    if ending in NO_ENDINGS and NO_ENDINGS[ending] in endings:
        return NO_ENDINGS[ending]
    home = [each for each in ("co.id", "com") if each in endings]
    if near := next((each for each in home if _is_one_edit(ending, each)), None):
        return near
    return home[0] if ending in INDONESIAN else ""


def _is_slip(typed: str, name: str) -> bool:
    """Tell whether one slip of the finger turns `name` into `typed`.

    Nearly nobody misses the first letter, and `fmail`, `hmail` and `mail` are names of their own:
    it may only have changed places with the second.
    """
    if len(typed) < SHORTEST or not _is_one_edit(typed, name):
        return False
    return typed[0] == name[0] or sorted(typed[:2]) == sorted(name[:2])


def _is_one_edit(typed: str, word: str) -> bool:
    """Tell whether one letter is missing, too many, wrong, or changed places with the next."""
    if typed == word or abs(len(typed) - len(word)) > 1:
        return False
    short, long = sorted((typed, word), key=len)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    has_one_wrong = short[at + 1 :] == long[at + 1 :]
    has_two_swapped = short[at : at + 2] == long[at : at + 2][::-1]
    return has_one_wrong or (has_two_swapped and short[at + 2 :] == long[at + 2 :])
