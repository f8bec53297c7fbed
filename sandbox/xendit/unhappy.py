"""What the switches do to a call: lost, late, broken and refused answers."""

from __future__ import annotations

import socket
import time
from typing import Any

from flask import Response, g, jsonify, make_response, request

from sandbox.switches import Switchboard
from sandbox.xendit.account import Account
from sandbox.xendit.rate_limit import Allowance
from sandbox.xendit.validation import ApiError

BAD_GATEWAY = """<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center></body></html>
"""
# "Webhook before the answer" waits this long for the receiver's answer.
EARLY_WEBHOOK_SECONDS = 10.0


class Overtaken(Exception):
    """The stand-in was reset while a call waited; the call must not touch the new state."""


def wait(account: Account, call: str) -> None:
    """Add the latency that is switched on."""
    latency = account.faults.take("latency", call=call)
    if latency:
        _sleep(account, latency["milliseconds"] / 1000)


def broken_edge(account: Account, call: str) -> Response | None:
    """Answer in the place of the API when its edge is broken, else None."""
    faults = account.faults
    if faults.take("html_502", call=call):
        return html_502()
    if faults.take("connection_dropped", call=call):
        return hang_up()
    return None


def raise_error(faults: Switchboard, call: str) -> None:
    """Raise the API's error that is switched on, if any."""
    refused = faults.take("rate_limited", call=call)
    if refused:
        g.allowance = Allowance(False, g.allowance.limit, 0, refused["reset_seconds"])
        raise over_the_limit()
    if faults.take("server_error", call=call):
        raise ApiError(500, "SERVER_ERROR", "Something unexpected happened")
    silent = faults.take("error_without_message", call=call)
    if silent:
        error = ApiError(silent["status"], silent["error_code"], "")
        del error.body["message"]
        raise error


def over_the_limit() -> ApiError:
    """Return the error of a call over the rate limit (its text is invented)."""
    return ApiError(429, "RATE_LIMIT_EXCEEDED", "Too many requests. Please try again later.")


def create(account: Account, body: dict[str, Any]) -> Response:
    """Create an invoice and answer, late, wrongly or never when a switch says so."""
    slow = account.faults.take("create_slow")
    if slow and not slow["commit_first"]:
        _sleep(account, slow["seconds"])
    invoice = account.create(body)
    answer = jsonify(account.answer(invoice))
    early = account.faults.take("webhook_before_answer")
    if early:
        deadline = time.monotonic() + EARLY_WEBHOOK_SECONDS
        for delivery in account.pay(invoice, early["channel"]):
            delivery.tried.wait(max(deadline - time.monotonic(), 0))
    if slow and slow["commit_first"]:
        _sleep(account, slow["seconds"])
    lost = account.faults.take("create_answer_lost")
    return lose(account, lost) if lost else answer


def html_502() -> Response:
    """Answer as the edge in front of the API does when it is in trouble."""
    response = make_response(BAD_GATEWAY, 502)
    response.headers["Content-Type"] = "text/html"
    return response


def hang_up() -> Response:
    """Close the connection, so that the caller gets no answer at all."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return make_response("", 499)


def lose(account: Account, lost: dict[str, Any]) -> Response:
    """Keep an answer back, in the way a switch says."""
    if lost["how"] == "502":
        return html_502()
    if lost["how"] == "timeout":
        account.faults.pause(lost["seconds"])
    return hang_up()


def _sleep(account: Account, seconds: float) -> None:
    resets = account.resets
    account.faults.pause(seconds)
    if account.resets != resets:
        raise Overtaken
