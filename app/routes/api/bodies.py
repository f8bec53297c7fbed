"""JSON bodies: what must be true of them before any schema looks."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.errors import MalformedJson

P = ParamSpec("P")
R = TypeVar("R")


def json_object(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view through with a JSON object only. Raises MalformedJson or answers 415."""

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not request.is_json:
            raise UnsupportedMediaType
        try:
            body = request.get_json()
        except (BadRequest, RecursionError) as error:
            raise MalformedJson(_l("Send one JSON object in UTF-8.")) from error
        if not isinstance(body, dict):
            raise MalformedJson(_l("Send one JSON object in UTF-8."))
        return view(*args, **kwargs)

    return checked
