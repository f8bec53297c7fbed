"""Puts the stand-in together and runs it."""

from __future__ import annotations

import threading
from dataclasses import replace

from flask import Flask

from sandbox.serving import bind, log_requests, say, serve_until_stopped
from sandbox.xendit.account import Account
from sandbox.xendit.api import api_blueprint
from sandbox.xendit.control import stand_in_control
from sandbox.xendit.hosted_page import hosted_page
from sandbox.xendit.refunds import Refunds
from sandbox.xendit.settings import Settings

TICK_SECONDS = 0.05


def run(settings: Settings) -> None:
    """Serve until SIGTERM; prints the address once it is ready to answer."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    server = bind(app, settings.host, settings.port)
    own_url = f"http://{settings.host}:{server.port}"
    account = Account(replace(settings, public_url=settings.public_url or own_url))
    refunds = Refunds(account)
    log_requests(app)
    app.register_blueprint(api_blueprint(account, refunds))
    app.register_blueprint(hosted_page(account))
    app.register_blueprint(stand_in_control(account))
    stopping = threading.Event()
    ticker = threading.Thread(target=_tick, args=(account, refunds, stopping), daemon=True)
    ticker.start()
    say(f"Xendit stand-in ready at {own_url}")
    serve_until_stopped(server)
    stopping.set()
    ticker.join()


def _tick(account: Account, refunds: Refunds, stopping: threading.Event) -> None:
    """Do what time alone brings about: expiry, the ends of refunds, webhook retries."""
    while not stopping.wait(TICK_SECONDS):
        account.expire_due()
        refunds.end_due()
        account.courier.tick()
