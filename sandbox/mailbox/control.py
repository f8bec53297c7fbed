"""The mail catcher's control API for tests."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request

from sandbox.mailbox.smtp import MailServer
from sandbox.mailbox.store import MailStore
from sandbox.serving import control_blueprint
from sandbox.switches import Switchboard


def mailbox_control(
    store: MailStore, faults: Switchboard, mail_server: MailServer, certificate: str
) -> Blueprint:
    """Make the `/_control` blueprint; `certificate` is empty without STARTTLS."""
    control = control_blueprint("control", faults)

    @control.get("/mails")
    def mails() -> Response:
        found = store.newest_first(request.args.get("to"))
        return jsonify(mails=[mail.as_json() for mail in found])

    @control.delete("/mails")
    def clear() -> Response:
        store.clear()
        return jsonify(mails=[])

    @control.get("/certificate")
    def show_certificate() -> Response:
        response = make_response(certificate, 200 if certificate else 404)
        response.headers["Content-Type"] = "application/x-pem-file"
        return response

    @control.after_request
    def open_or_close(response: Response) -> Response:
        # The port itself is the switch: a client must see a refused connection.
        if request.path.startswith("/_control/faults") and request.method != "GET":
            if "down" in faults.on():
                mail_server.stop()
            else:
                mail_server.start()
        return response

    return control
