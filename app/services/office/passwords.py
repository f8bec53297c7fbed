"""Passwords: which are good enough (NIST SP 800-63B, 3.1.1) and how they are kept."""

import enum
import re
import unicodedata
from collections.abc import Sequence

from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST = 12
LONGEST = 200
# Cost, block size, lanes: 32 MiB and some 200 ms, what OWASP's cheat sheet asks of scrypt.
METHOD = "scrypt:32768:8:3"
# Compared with when there is no such account: as slow as a real one, and equal to nothing.
NO_HASH = f"{METHOD}${'0' * 16}${'0' * 128}"
FEWEST_CHARACTERS = 5
LEAST_BESIDE_NAMES = 6  # what must be left of a password without the words everybody knows
SHORTEST_WORD = 4
# What people type first, in letters alone: long lists are for shorter passwords than ours.
_COMMON = """
    password passwort katasandi rahasia administrator admin welcome letmein login qwerty
    qwertyuiop qwertyuiopasdf asdfghjkl asdfghjklzxc zxcvbnm qazwsxedc abcdefghijkl
    abcdefghijklm iloveyou sayang sayangku bismillah alhamdulillah indonesia indonesiaraya
    jakarta merdeka monkey dragon football liverpool manchester superman changeme secret default
    trustno correcthorsebatterystaple tedx tedxtalks ticket tickets tiket xendit panitia
"""
COMMON = frozenset(_COMMON.split())


class Weakness(enum.Enum):
    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    PERSONAL = "personal"


WORDS = {
    Weakness.SHORT: f"a password needs at least {SHORTEST} characters",
    Weakness.LONG: f"a password has at most {LONGEST} characters",
    Weakness.COMMON: "this password is among the first that are guessed",
    Weakness.PERSONAL: "the password is little more than the name or the address",
}


class WeakPassword(ValueError):
    """The password is easy to guess, or longer than anybody types; `weakness` says which."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(WORDS[weakness])
        self.weakness = weakness


def hash_password(password: str, *, about: Sequence[str] = ()) -> str:
    """Return a scrypt hash; `about` is what everybody knows of its owner: address, name.

    No rules about kinds of characters: length and not being guessable count. Raises WeakPassword.
    """
    plain = _normal(password)
    if len(plain) < SHORTEST:
        raise WeakPassword(Weakness.SHORT)
    if len(plain) > LONGEST:
        raise WeakPassword(Weakness.LONG)
    if _is_common(plain.casefold()):
        raise WeakPassword(Weakness.COMMON)
    if _is_personal(plain.casefold(), about):
        raise WeakPassword(Weakness.PERSONAL)
    return generate_password_hash(plain, method=METHOD)


def is_password(password_hash: str, password: str) -> bool:
    """Tell whether this is the password; takes one scrypt either way."""
    return check_password_hash(password_hash, _normal(password)[:LONGEST])


def rehash(password: str) -> str:
    """Return a hash, with today's parameters, of a password that was taken before."""
    return generate_password_hash(_normal(password), method=METHOD)


def is_outdated(password_hash: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return not password_hash.startswith(f"{METHOD}$")


def _normal(password: str) -> str:
    """Return the one form of a text that two keyboards may write in two ways."""
    return unicodedata.normalize("NFKC", password)


def _is_common(password: str) -> bool:
    if len(set(password)) < FEWEST_CHARACTERS:
        return True
    letters = re.sub(r"[\W\d_]", "", password)
    halves = letters[: len(letters) // 2], letters[len(letters) // 2 :]
    return not letters or letters in COMMON or (halves[0] == halves[1] and halves[0] in COMMON)


def _is_personal(password: str, about: Sequence[str]) -> bool:
    rest = password
    words = {word for text in about for word in re.split(r"[\W_]+", text.casefold())}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= SHORTEST_WORD:
            rest = rest.replace(word, "")
    rest = re.sub(r"[\W_]", "", rest)
    return len(rest) < LEAST_BESIDE_NAMES
