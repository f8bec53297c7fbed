"""Reading environment variables: each is checked, and what is wrong is collected."""

import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

import sqlalchemy as sa

T = TypeVar("T")
LONGEST_LINE = 140
_NOTHING: Any = None  # stands in for a value that is missing; settings with problems are not used


class Reader:
    """Reads variables one by one and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        """Return what the variable holds, or None when it is unset or blank."""
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, holds: str, default: str | None = None) -> str:
        """Return the text; noted when missing. `holds` says what the variable should hold."""
        value = self.optional(name) or default
        if value is None:
            self.problems.append(f"{name} is missing: it should hold {holds}")
        return value or ""

    def parsed(self, name: str, holds: str, parse: Callable[[str], T], default: str | None) -> T:
        """Return the parsed value; a problem is noted and a placeholder returned otherwise."""
        value = self.text(name, holds, default)
        try:
            return parse(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):  # OSError: a file that is not there
            if value:
                self.problems.append(f"{name} is {_shown(value)}: it should hold {holds}")
            return parse(default) if default is not None else _NOTHING

    def chosen(self, name: str, holds: str, parse: Callable[[str], T]) -> T | None:
        """Return the parsed value, None when the variable is unset."""
        return self.parsed(name, holds, parse, None) if self.optional(name) else None

    def secret(
        self, name: str, holds: str, parse: Callable[[str], str], default: str | None
    ) -> Any:
        """Return the checked value, or the default; a problem does not show the value."""
        value = self.optional(name) or default
        try:
            return value and parse(value)
        except ValueError:
            self.problems.append(
                f"{name} should hold {holds} (its value is not shown: it may hold a password)"
            )
            return default

    def number(self, name: str, holds: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within the bounds, both included."""

        def parse(value: str) -> int:
            number = int(value)
            if not least <= number <= most:
                raise ValueError(value)
            return number

        return self.parsed(name, holds, parse, str(default))

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        return self.parsed(name, "true or false", parse_flag, str(default).lower())


def _shown(value: str) -> str:
    """Return a value for a message, unless somebody put a secret into the wrong variable."""
    may_be_secret = "xnd_" in value or ("://" in value and "@" in value)
    return "not shown here, for it may hold a secret" if may_be_secret else repr(value)


def parse_flag(value: str) -> bool:
    """Read true or false, yes or no, 1 or 0. Raises ValueError."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in words:
        raise ValueError(value)
    return words[value.lower()]


def parse_url(value: str) -> str:
    """Read a web address without credentials, query and fragment; its last slash is dropped.

    Raises ValueError.
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(value)
    if parts.query or parts.fragment or parts.port == 0:  # reading the port checks it
        raise ValueError(value)
    return value.rstrip("/")


def parse_link(value: str) -> str:
    """Read an https address that pages may link to; it may have a query. Raises ValueError."""
    parts = urlsplit(value)
    is_plain = value.isascii() and value.isprintable() and not set(value) & set(" \"'<>")
    if parts.scheme != "https" or not parts.hostname or not is_plain:
        raise ValueError(value)
    if parts.username is not None or parts.port == 0:  # reading the port checks it
        raise ValueError(value)
    return value


def parse_line(value: str) -> str:
    """Read one line of text for a page, at most LONGEST_LINE characters. Raises ValueError."""
    if not value.isprintable() or len(value) > LONGEST_LINE:
        raise ValueError(value)
    return value


def parse_tax_id(value: str) -> str:
    """Read an NPWP, with or without its dots and hyphen: 15 digits, or 16 since 2024.

    Raises ValueError.
    """
    if not re.fullmatch(r"[\d.\- ]+", value) or sum(map(str.isdigit, value)) not in (15, 16):
        raise ValueError(value)
    return value


def parse_email(value: str) -> str:
    """Read a bare e-mail address. Raises ValueError."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError(value)
    return value


def parse_moment(value: str) -> datetime:
    """Read a time that names its offset. Raises ValueError."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


def parse_database(value: str) -> str:
    """Check the URL of a database that the service can use. Raises ValueError."""
    try:
        kind = sa.make_url(value).drivername
    except sa.exc.ArgumentError as error:
        raise ValueError(value) from error
    if kind not in ("sqlite", "mysql+pymysql"):
        raise ValueError(value)
    return value


def parse_redis(value: str) -> str:
    """Check the URL of a Redis server. Raises ValueError."""
    if not urlsplit(value).hostname or not value.startswith(("redis://", "rediss://")):
        raise ValueError(value)
    return value


def parse_folder(value: str) -> Path:
    """Return the folder, made if need be. Raises OSError when no file can be written there."""
    folder = Path(value)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def parse_level(value: str) -> str:
    """Read the name of a log level. Raises ValueError."""
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(value)
    return value.upper()
