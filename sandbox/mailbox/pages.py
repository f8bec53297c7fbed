"""The pages: mails newest first, one mail, its HTML and its attachments."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, url_for

from sandbox.mailbox.store import Mail, MailStore

# These open in the browser; anything else is shut in a sandbox, as mails are untrusted.
HARMLESS = ("application/pdf", "image/png", "image/jpeg", "image/gif", "text/plain")


def mail_pages(store: MailStore) -> Blueprint:
    """Make the pages' blueprint."""
    pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")

    @pages.get("/")
    def index() -> str:
        return render_template("index.html", mails=store.newest_first())

    @pages.get("/mails/<mail_id>")
    def mail(mail_id: str) -> str:
        return render_template("mail.html", mail=_known(store, mail_id))

    @pages.get("/mails/<mail_id>/html")
    def html(mail_id: str) -> Response:
        mail = _known(store, mail_id)
        response = make_response(_with_inline_pictures(mail))
        response.headers["Content-Security-Policy"] = (
            "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src * data:"
        )
        return response

    @pages.get("/mails/<mail_id>/raw")
    def raw(mail_id: str) -> Response:
        response = make_response(_known(store, mail_id).raw)
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        return response

    @pages.get("/mails/<mail_id>/attachments/<int:number>")
    def attachment(mail_id: str, number: int) -> Response:
        attachments = _known(store, mail_id).attachments
        if number >= len(attachments):
            abort(404)
        file = attachments[number]
        response = make_response(file.content)
        response.headers["Content-Type"] = file.content_type
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.set("Content-Disposition", "inline", filename=file.filename)
        if file.content_type not in HARMLESS:
            response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response

    return pages


def _known(store: MailStore, mail_id: str) -> Mail:
    mail = store.find(mail_id)
    if mail is None:
        abort(404)
    return mail


def _with_inline_pictures(mail: Mail) -> str:
    """Return the HTML with its `cid:` pictures pointing at the attachments."""
    html = mail.html or ""
    for number, file in enumerate(mail.attachments):
        if file.content_id:
            address = url_for("pages.attachment", mail_id=mail.id, number=number)
            html = html.replace(f"cid:{file.content_id}", address)
    return html
