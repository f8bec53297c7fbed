"""Xendit's API: the calls a merchant makes, with its headers, limits and errors."""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, jsonify, request

from sandbox.clock import iso
from sandbox.xendit import unhappy
from sandbox.xendit.account import Account
from sandbox.xendit.balance import read_balance
from sandbox.xendit.invoices import Invoice
from sandbox.xendit.listing import selected
from sandbox.xendit.refunds import Refunds
from sandbox.xendit.transactions import list_transactions, read_transaction
from sandbox.xendit.validation import ApiError

# The name of each call, as the switches' `call` setting knows it.
CALLS = {
    "api.create": "create",
    "api.read": "read",
    "api.list_invoices": "list",
    "api.expire": "expire",
    "api.create_refund": "refund",
    "api.transactions": "transactions",
    "api.transaction": "transactions",
    "api.balance": "balance",
}


def api_blueprint(account: Account, refunds: Refunds) -> Blueprint:
    """Make the API's blueprint."""
    api = Blueprint("api", __name__)
    _add_recording(api, account)
    _add_common_behaviour(api, account)
    _add_invoice_calls(api, account)
    _add_refund_calls(api, account, refunds)
    _add_callback_url_call(api, account)
    return api


def _add_recording(api: Blueprint, account: Account) -> None:
    @api.before_app_request
    def record() -> None:
        # Also calls to paths that do not exist; not the payer's page and not the control API.
        if not request.path.startswith(("/web/", "/_control/")):
            _record(account)

    @api.after_app_request
    def complete(response: Response) -> Response:
        if "entry" in g:
            g.entry["status"] = response.status_code
        return response


def _add_common_behaviour(api: Blueprint, account: Account) -> None:
    @api.before_request
    def admit() -> Response | None:
        call = CALLS.get(request.endpoint or "", "")
        unhappy.wait(account, call)
        broken = unhappy.broken_edge(account, call)
        if broken:
            return broken
        _check_key(account)
        _check_limit(account, call)
        unhappy.raise_error(account.faults, call)
        return None

    @api.after_request
    def finish(response: Response) -> Response:
        response.headers["Request-Id"] = str(10**18 + secrets.randbelow(9 * 10**18))
        response.headers["Cache-Control"] = "no-store"
        if "allowance" in g:
            response.headers.update(g.allowance.headers())
        if response.is_json:
            response.headers["Content-Type"] = "application/json; charset=utf-8"
        return response

    @api.errorhandler(unhappy.Overtaken)
    def give_up(_error: unhappy.Overtaken) -> Response:
        return unhappy.hang_up()

    @api.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body), error.status


def _add_invoice_calls(api: Blueprint, account: Account) -> None:
    @api.post("/v2/invoices", strict_slashes=False)
    @api.post("/v2/invoices/", strict_slashes=False)
    def create() -> Response:
        return unhappy.create(account, _json_body())

    @api.get("/v2/invoices/<invoice_id>")
    def read(invoice_id: str) -> Response:
        return jsonify(account.answer(_known(account, invoice_id)))

    @api.get("/v2/invoices", strict_slashes=False)
    @api.get("/v2/invoices/", strict_slashes=False)
    def list_invoices() -> Response:
        if account.faults.take("list_empty"):
            return jsonify([])
        found = selected(account.newest_first(), request.args)
        return jsonify([account.answer(invoice) for invoice in found])

    # werkzeug decodes %21 before routing, so both spellings arrive here.
    @api.post("/invoices/<invoice_id>/expire!")
    def expire(invoice_id: str) -> Response:
        invoice = _known(account, invoice_id)
        account.expire(invoice)
        return jsonify(account.answer(invoice))


def _add_refund_calls(api: Blueprint, account: Account, refunds: Refunds) -> None:
    @api.post("/refunds")
    def create_refund() -> Response:
        key = request.headers.get("idempotency-key")
        answer = jsonify(refunds.create(_json_body(), key))
        lost = account.faults.take("refund_answer_lost")
        return unhappy.lose(account, lost) if lost else answer

    @api.get("/refunds/<refund_id>")
    def read_refund(refund_id: str) -> Response:
        refund = refunds.find(refund_id)
        if refund is None:
            raise ApiError(404, "DATA_NOT_FOUND", "Refund was not found")
        return jsonify(refund.as_json())

    @api.get("/refunds")
    def list_refunds() -> Response:
        found = refunds.of_invoice(request.args.get("invoice_id"))
        return jsonify(data=[refund.as_json() for refund in found], has_more=False)

    @api.get("/balance")
    def balance() -> Response:
        return jsonify(read_balance(account, refunds, request.args))

    @api.get("/transactions")
    def transactions() -> Response:
        return jsonify(list_transactions(account, request.args))

    @api.get("/transactions/<transaction_id>")
    def transaction(transaction_id: str) -> Response:
        return jsonify(read_transaction(account, transaction_id))


def _add_callback_url_call(api: Blueprint, account: Account) -> None:
    @api.post("/callback_urls/invoice")
    def set_callback_url() -> Response:
        url = _json_body().get("url")
        # Xendit wants https and a public name; plain http is let pass for local receivers.
        if not isinstance(url, str) or not _is_http(url):
            message = "You have provided an invalid URL format"
            raise ApiError(400, "INVALID_URL_FORMAT", message, ["url must be a http(s) URL"])
        account.urls["invoice"] = url
        return jsonify(
            status="SUCCESSFUL",
            user_id=account.settings.user_id,
            url=url,
            environment="TEST",
            callback_token=account.settings.callback_token,
        )


def _record(account: Account) -> None:
    """Keep the call for the control API, without its key."""
    g.entry = {
        "at": iso(account.clock.now()),
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode(),
        "headers": {k: v for k, v in request.headers.items() if k != "Authorization"},
        "body": request.get_json(silent=True)
        if request.is_json
        else request.get_data(as_text=True),
        "status": None,
    }
    account.requests.append(g.entry)


def _check_key(account: Account) -> None:
    given = request.authorization
    if given is None or given.type != "basic":
        problem = {
            "field": ["api_key"],
            "location": "headers",
            "messages": ['"api_key" is required'],
        }
        message = "Invalid input data. Please check your request"
        raise ApiError(400, "API_VALIDATION_ERROR", message, [problem])
    key = (given.username or "").encode()
    if given.password or not hmac.compare_digest(key, account.settings.secret_key.encode()):
        raise ApiError(401, "INVALID_API_KEY", "API key is not authorized for this API service")


def _check_limit(account: Account, call: str) -> None:
    changed = account.faults.take("rate_limit")
    limit = changed["per_minute"] if changed else account.settings.rate_limit
    g.allowance = account.limiter.hit(call or request.path, limit, account.clock.now())
    if not g.allowance.passes:
        raise unhappy.over_the_limit()


def _json_body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        message = "The request body is not a valid JSON format."
        raise ApiError(400, "INVALID_JSON_FORMAT", message)
    return body


def _known(account: Account, invoice_id: str) -> Invoice:
    invoice = account.find(invoice_id)
    if invoice is None:
        message = f"Could not find invoice by id {invoice_id}"
        raise ApiError(404, "INVOICE_NOT_FOUND_ERROR", message)
    return invoice


def _is_http(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)
