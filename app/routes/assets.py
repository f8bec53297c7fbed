"""Addresses of static files that change with their content, so that browsers may keep them."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, request, url_for

KEEP_VERSIONED = "public, max-age=31536000, immutable"
KEEP_FONTS = "public, max-age=2592000"

bp = Blueprint("assets", __name__)


@bp.app_template_global()
def static_url(filename: str) -> str:
    """Return the file's address with a short hash of what it holds."""
    folder = current_app.static_folder
    version = _version(Path(folder or "", filename), current_app.debug)
    return url_for("static", filename=filename, v=version)


@bp.after_app_request
def keep_static_files(response: Response) -> Response:
    """Let browsers keep versioned files for good, and fonts (named by the stylesheet) a month."""
    if request.endpoint == "static" and response.status_code == 200:
        filename = (request.view_args or {}).get("filename", "")
        if "v" in request.args:
            response.headers["Cache-Control"] = KEEP_VERSIONED
        elif filename.endswith(".woff2"):
            response.headers["Cache-Control"] = KEEP_FONTS
    return response


def short_hash(content: bytes) -> str:
    """Return a short hash of what a file holds, for its address."""
    return hashlib.sha256(content).hexdigest()[:12]


def _version(path: Path, is_debug: bool) -> str:
    return _hash.__wrapped__(path) if is_debug else _hash(path)


@cache
def _hash(path: Path) -> str:
    return short_hash(path.read_bytes())
