"""Pages and fragments that share one URL."""

from typing import Any

from flask import render_template, request
from werkzeug.datastructures import Headers


def wants_fragment() -> bool:
    """Tell whether htmx asks for a part of the page."""
    return asks_for_fragment(request.headers)


def asks_for_fragment(headers: Headers) -> bool:
    """Tell whether a request with these headers is htmx asking for a part of a page.

    A history restore carries the same header but needs the whole page.
    """
    return (
        headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"
    )


def render(page: str, fragment: str, **context: Any) -> str:
    """Render the fragment for htmx and the whole page for everybody else."""
    return render_template(fragment if wants_fragment() else page, **context)
