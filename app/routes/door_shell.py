"""The scanner's page and files as one piece: one address for all, which changes with any of them.

A phone at the door keeps them without a network. Were each file renewed by itself, a deploy could
leave a phone with half of the old page and half of the new one.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from app.gateways import current_settings
from app.routes.assets import KEEP_VERSIONED
from app.routes.door_words import door_words
from app.routes.language import LANGUAGES

FOLDERS = ("js/door", "vendor/zxing", "vendor/noble")
SINGLES = (
    "css/door.css",
    "fonts/plus-jakarta-sans-latin-400.woff2",
    "fonts/plus-jakarta-sans-latin-700.woff2",
    "icons/door-192.png",
)
WORKER = "js/door/sw.js"
APART = ("js/door/decoder.js",)  # loaded by a worker, not by the page
MANIFEST_ICONS = {"door-192.png": "any", "door-512.png": "any", "door-maskable-512.png": "maskable"}
# What the decoder needs beyond the rest of the site: WebAssembly, a worker, the camera.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "manifest-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
PERMISSIONS = "camera=(self), geolocation=(), microphone=()"
KINDS = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".png": "image/png",
}
PACKABLE = (".js", ".wasm", ".css")
VERSION = "door_shell_version"

bp = Blueprint("door_shell", __name__)


@bp.get("/door/shell/<version>/<language>.html")
def kept_page(version: str, language: str) -> Response:
    """Give the page as phones keep it: the same for everybody, with nothing about who asks."""
    if language not in LANGUAGES:
        raise NotFound
    response = Response(render_page(language, _current(version)))
    response.headers["Content-Language"] = language
    response.headers["Cache-Control"] = "no-store"  # the service worker keeps it, nobody else
    return allow_scanner(response)


@bp.get("/door/shell/<version>/<path:filename>")
def file(version: str, filename: str) -> Response:
    """Give one file of the shell, of this version only."""
    _current(version)
    if filename not in shell_files():
        raise NotFound
    path = _static() / filename
    is_packable = path.suffix in PACKABLE
    is_packed = is_packable and request.accept_encodings["gzip"] > 0
    body = _packed(path, version) if is_packed else path.read_bytes()
    response = Response(body, mimetype=KINDS[path.suffix])
    if is_packable:
        response.vary.add("Accept-Encoding")
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = KEEP_VERSIONED
    return allow_scanner(response)  # a worker's own answer says what it may do


@bp.get("/door/sw.js")
def service_worker() -> Response:
    """Give the service worker with the list of what it keeps; another list, another worker."""
    version = shell_version()
    shell = {
        "version": version,
        "files": [shell_url(name) for name in shell_files()],
        "pages": {
            language: url_for("door_shell.kept_page", version=version, language=language)
            for language in LANGUAGES
        },
    }
    script = (_static() / WORKER).read_text(encoding="utf-8")
    source = f"const SHELL = {current_app.json.dumps(shell)};\n{script}"
    response = Response(source, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/door"
    return response


@bp.get("/door/manifest.webmanifest")
def manifest() -> Response:
    """Say how the scanner looks on a home screen."""
    name = current_settings().event.name
    body = {
        "id": "/door",
        "name": f"{_('Door')} · {name}",
        "short_name": _("Door"),
        "start_url": "/door",
        "scope": "/door",
        "display": "standalone",
        "background_color": "#000000",
        "theme_color": "#000000",
        "icons": [
            {
                "src": url_for("static", filename=f"icons/{file}"),
                "sizes": "192x192" if "192" in file else "512x512",
                "type": "image/png",
                "purpose": purpose,
            }
            for file, purpose in MANIFEST_ICONS.items()
        ],
    }
    response = Response(current_app.json.dumps(body), mimetype="application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.app_template_global()
def shell_url(filename: str, version: str | None = None) -> str:
    """Return the address of a file of the shell."""
    version = version or shell_version()
    return url_for("door_shell.file", version=version, filename=filename)


def allow_scanner(response: Response) -> Response:
    """Let a page of the door use the camera and WebAssembly; no other page may."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


def render_page(language: str, version: str, **about_caller: object) -> str:
    """Render the scanner in a language; without `about_caller` it is the same for everybody."""
    with force_locale(language):
        return render_template(
            "door/scanner.html",
            language=language,
            words=door_words(),
            version=version,
            modules=[
                name for name in shell_files() if name.startswith("js/door/") and name not in APART
            ],
            **about_caller,
        )


def shell_version() -> str:
    """Return a short hash of everything a phone keeps: the files, and the page's own words."""
    known = current_app.extensions
    if current_app.debug or VERSION not in known:
        known[VERSION] = _version()
    version: str = known[VERSION]
    return version


def shell_files() -> list[str]:
    """Return the names of all files, below the static folder."""
    root = _static()
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*")]
    names = [path.relative_to(root).as_posix() for path in found if path.suffix in KINDS]
    return sorted({*names, *SINGLES} - {WORKER})


def _version() -> str:
    digest = hashlib.sha256()
    for name in [*shell_files(), WORKER]:
        digest.update(name.encode() + b"\0" + (_static() / name).read_bytes())
    for language in LANGUAGES:
        digest.update(render_page(language, "-").encode())
    return digest.hexdigest()[:12]


def _current(version: str) -> str:
    """Return the version when it is today's: files of another one are gone."""
    if version != shell_version():
        raise NotFound
    return version


def _static() -> Path:
    return Path(current_app.static_folder or "")


@cache
def _packed(path: Path, version: str) -> bytes:
    """Pack a file once; `version` is part of what is remembered."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)
