"""Pages and fragments that share one URL."""

from typing import Any

from flask import render_template, request


def wants_fragment() -> bool:
    """Tell whether htmx asks for a part of the page.

    A history restore carries the same header but needs the whole page.
    """
    headers = request.headers
    return (
        headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"
    )


def render(page: str, fragment: str, **context: Any) -> str:
    """Render the fragment for htmx and the whole page for everybody else."""
    return render_template(fragment if wants_fragment() else page, **context)
