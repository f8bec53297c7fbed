"""What both doubles share: a threaded web server, request lines, fault routes, stopping."""

from __future__ import annotations

import ipaddress
import json
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from flask import Blueprint, Flask, Response, abort, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.switches import Switchboard, SwitchError


class _QuietHandler(WSGIRequestHandler):
    """Leave the request line to log_requests; one line a request is enough."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def bind(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Open the listening socket (port 0: any free one) without serving yet."""
    return make_server(host, port, app, threaded=True, request_handler=_QuietHandler)


def serve_until_stopped(server: BaseWSGIServer) -> None:
    """Serve in this thread until SIGTERM or SIGINT, then return."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the serving loop, which this very thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def log_requests(app: Flask) -> None:
    """Write one JSON line on standard output for every request."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def write(response: Response) -> Response:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": request.method,
            "path": request.full_path.rstrip("?"),
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
        }
        if "X-Request-ID" in request.headers:
            line["requestId"] = request.headers["X-Request-ID"]
        say(json.dumps(line))
        return response


def control_blueprint(name: str, faults: Switchboard) -> Blueprint:
    """Make the `/_control` blueprint: loopback callers only, JSON errors, the fault routes."""
    control = Blueprint(name, __name__, url_prefix="/_control")

    @control.before_request
    def only_loopback() -> None:
        if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:
            abort(403, "the control API answers this machine only")

    @control.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @control.errorhandler(SwitchError)
    def wrong_switch(error: SwitchError) -> tuple[Response, int]:
        return jsonify(error=str(error), known=error.known), 400

    @control.get("/faults")
    def show_faults() -> Response:
        return jsonify(on=faults.on(), switches=faults.table())

    @control.put("/faults")
    def set_faults() -> Response:
        wanted = json_object()
        off = [name for name, settings in wanted.items() if settings is False]
        on = {name: _settings(value) for name, value in wanted.items() if value is not False}
        faults.set_all(on)
        for name in off:
            faults.clear(name)
        return show_faults()

    @control.delete("/faults")
    @control.delete("/faults/<name>")
    def clear_faults(name: str | None = None) -> Response:
        faults.clear(name)
        return show_faults()

    return control


def json_object() -> dict[str, Any]:
    """Return the request's JSON object, {} for an empty body; 400 for anything else."""
    if not request.data:
        return {}
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "a JSON object is needed")
    return body


def _settings(value: object) -> Mapping[str, Any]:
    if value is True:
        return {}
    if not isinstance(value, dict):
        abort(400, "a switch takes true, false or an object of settings")
    return value
