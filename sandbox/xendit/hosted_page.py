"""The page invoice_url points at: the payer picks a channel and pays, fails or comes late.

Plain forms and redirects; no JavaScript.
"""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import qrcode
import qrcode.image.svg
from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from sandbox.xendit.account import Account, NotPossible
from sandbox.xendit.channels import CHANNELS, GROUPS, Channel
from sandbox.xendit.hosted_texts import TEXTS, rupiah, time_left
from sandbox.xendit.invoices import Invoice

WIB = timezone(timedelta(hours=7), "WIB")


def hosted_page(account: Account) -> Blueprint:
    """Make the blueprint of `/web/<invoice id>`."""
    page = Blueprint("hosted", __name__, url_prefix="/web", static_folder="static")
    _add_pages(page, account)
    _add_actions(page, account)

    @page.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    return page


def _add_pages(page: Blueprint, account: Account) -> None:
    @page.get("/<invoice_id>")
    def show(invoice_id: str) -> str | Response:
        invoice = account.find(invoice_id)
        if invoice is None:
            return _page("gone.html", TEXTS["id"], status=404)
        context = _context(account, invoice)
        if invoice.status == "EXPIRED":
            return _page("expired.html", **context)
        if invoice.status != "PENDING":
            return _page("paid.html", **context)
        chosen = request.args.get("channel", "")
        if chosen not in invoice.channels:
            return _page("choose.html", groups=_groups(invoice), **context)
        return _page("channel.html", **context, **_instructions(account, invoice, chosen))


def _add_actions(page: Blueprint, account: Account) -> None:
    @page.post("/<invoice_id>/choose")
    def choose(invoice_id: str) -> AnyResponse:
        invoice = _known(account, invoice_id)
        return _to_channel(invoice, _channel(invoice).code)

    @page.post("/<invoice_id>/pay")
    def pay(invoice_id: str) -> AnyResponse:
        invoice = _known(account, invoice_id)
        late = request.form.get("after_expiry") == "yes"
        account.pay(invoice, _channel(invoice).code, after_expiry=late)
        here = url_for("hosted.show", invoice_id=invoice.id)
        return redirect(invoice.sent.get("success_redirect_url") or here, 303)

    @page.post("/<invoice_id>/fail")
    def fail(invoice_id: str) -> AnyResponse:
        invoice = _known(account, invoice_id)
        with account.lock:
            invoice.failed_attempts += 1
        return _to_channel(invoice, _channel(invoice).code, failed="yes")

    @page.errorhandler(NotPossible)
    def refuse(error: NotPossible) -> Response:
        return _page("wrong.html", TEXTS["id"], status=409, reason=str(error))


def _page(template: str, t: dict[str, str], status: int = 200, **context: Any) -> Response:
    return make_response(render_template(template, t=t, rupiah=rupiah, **context), status)


def _context(account: Account, invoice: Invoice) -> dict[str, Any]:
    texts = TEXTS[invoice.locale]
    seconds = int((invoice.expiry_date - account.clock.now()).total_seconds())
    return {
        "t": texts,
        "invoice": invoice,
        "locale": invoice.locale,
        "merchant": account.settings.merchant_name,
        "expires": invoice.expiry_date.astimezone(WIB).strftime("%H.%M WIB"),
        "seconds_left": max(seconds, 0),
        "time_left": time_left(seconds, texts),
        "failed": "failed" in request.args,
        "channels": CHANNELS,
    }


def _groups(invoice: Invoice) -> list[tuple[str, list[Channel]]]:
    """Return the channels by group; those whose limits exclude the amount are left out."""
    usable = [CHANNELS[c] for c in invoice.channels if CHANNELS[c].takes(invoice.amount)]
    grouped = [(group, [c for c in usable if c.group == group]) for group in GROUPS]
    return [(group, channels) for group, channels in grouped if channels]


def _instructions(account: Account, invoice: Invoice, code: str) -> dict[str, Any]:
    channel = CHANNELS[code]
    with account.lock:
        number = invoice.choose(channel)
    known = channel.group if channel.group in ("va", "qr", "ewallet", "retail") else "other"
    qr = _qr(invoice) if channel.group == "qr" else None
    return {"channel": channel, "number": number, "how": f"how_{known}", "qr": qr}


def _qr(invoice: Invoice) -> Markup:
    """Draw a code that says what it is; no payment app will take it."""
    code = qrcode.QRCode(border=2, image_factory=qrcode.image.svg.SvgPathImage)
    code.add_data(f"LOCAL STAND-IN {invoice.id}")
    svg = code.make_image().to_string(encoding="unicode")
    return Markup(svg)  # noqa: S704 - made here, of hex digits only


def _to_channel(invoice: Invoice, code: str, failed: str | None = None) -> AnyResponse:
    here = url_for("hosted.show", invoice_id=invoice.id, channel=code, failed=failed)
    return redirect(here, 303)


def _channel(invoice: Invoice) -> Channel:
    code = request.form.get("channel", "")
    if code not in invoice.channels:
        raise NotPossible(f"{code or 'no channel'} is not offered by this invoice")
    return CHANNELS[code]


def _known(account: Account, invoice_id: str) -> Invoice:
    invoice = account.find(invoice_id)
    if invoice is None:
        abort(404)
    return invoice
