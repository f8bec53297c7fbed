"""Addresses as strangers write them: pages they come from, and the numbers in ours."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST_ID = 2**63 - 1


class RowId(IntegerConverter):
    """A number that a database can look for; a larger one is an address nobody has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max": LARGEST_ID, **kwargs})


def init_app(app: Flask) -> None:
    """Let `<int:…>` in addresses hold what fits a database."""
    app.url_map.converters["int"] = RowId


def split_address(text: str | None) -> SplitResult:
    """Return the parts of an address from a header; what is none has no parts."""
    try:
        return urlsplit(text or "")
    except ValueError:
        return urlsplit("")
