"""Puts the mail catcher together and runs it."""

from __future__ import annotations

from flask import Flask

from sandbox.mailbox.certificate import make_certificate
from sandbox.mailbox.control import mailbox_control
from sandbox.mailbox.faults import SWITCHES
from sandbox.mailbox.pages import mail_pages
from sandbox.mailbox.settings import Settings
from sandbox.mailbox.smtp import MailServer
from sandbox.mailbox.store import MailStore
from sandbox.serving import bind, log_requests, say, serve_until_stopped
from sandbox.switches import Switchboard


def run(settings: Settings) -> None:
    """Serve until SIGTERM; prints both addresses once they answer."""
    store, faults = MailStore(settings.keep), Switchboard(SWITCHES)
    tls, certificate = (None, "")
    if settings.starttls != "off":
        tls, certificate = make_certificate(settings.host)
    mail_server = MailServer(settings, store, faults, tls)
    mail_server.start()
    app = Flask(__name__, static_folder=None)
    server = bind(app, settings.host, settings.http_port)
    log_requests(app)
    app.register_blueprint(mail_pages(store))
    app.register_blueprint(mailbox_control(store, faults, mail_server, certificate))
    page = f"http://{settings.host}:{server.port}"
    say(f"Mail catcher ready at {page}, SMTP on {settings.host}:{mail_server.port}")
    serve_until_stopped(server)
    mail_server.stop()
