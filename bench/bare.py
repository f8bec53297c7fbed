"""The limit of the server: a Flask route that returns fixed bytes, and nothing else.

Run under the service's own gunicorn settings: `gunicorn bench.bare:app`. What each address returns
is a file of the folder BARE_FOLDER; a POST has its JSON body parsed first, and a request with
If-None-Match is told 304.
"""

import os
from pathlib import Path

from flask import Flask, Response, request

app = Flask(__name__, static_folder=None)
BODIES = {
    file.stem: file.read_bytes() for file in Path(os.environ.get("BARE_FOLDER", ".")).glob("*.bare")
}


@app.get("/healthz")
def alive() -> Response:
    """Tell that the process answers."""
    return Response("ok", mimetype="text/plain")


@app.route("/<name>", methods=["GET", "POST"])
def same(name: str) -> Response:
    """Return the bytes of the file `name`."""
    if "If-None-Match" in request.headers:
        return Response(status=304)
    if request.method == "POST":
        request.get_json()
        return Response(BODIES[name], 202, mimetype="application/json")
    return Response(BODIES[name], mimetype="text/html")
