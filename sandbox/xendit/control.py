"""The control API for tests and for `make run`: pay, expire, look, break things."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from sandbox.serving import control_blueprint, json_object
from sandbox.xendit.account import Account, NotPossible
from sandbox.xendit.invoices import DASHBOARD_SAMPLE, Invoice
from sandbox.xendit.validation import ApiError
from sandbox.xendit.withdrawals import KINDS, STATUSES, Withdrawal

# A callback asked for with "wait" is answered after this at the latest.
WAIT_SECONDS = 35.0


def stand_in_control(account: Account) -> Blueprint:
    """Make the stand-in's `/_control` blueprint."""
    control = control_blueprint("control", account.faults)
    _add_looking(control, account)
    _add_acting(control, account)
    _add_withdrawing(control, account)
    _add_callbacks(control, account)

    @control.errorhandler(NotPossible)
    def not_possible(error: NotPossible) -> tuple[Response, int]:
        return jsonify(error=str(error)), 409

    @control.errorhandler(ApiError)
    def refused(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body), 409

    return control


def _add_looking(control: Blueprint, account: Account) -> None:
    @control.get("/invoices")
    def invoices() -> Response:
        return jsonify(invoices=[_shown(account, each) for each in account.newest_first()])

    @control.get("/invoices/<invoice_id>")
    def invoice(invoice_id: str) -> Response:
        return jsonify(_shown(account, _known(account, invoice_id)))

    @control.get("/deliveries")
    def deliveries() -> Response:
        return jsonify(deliveries=[each.as_json() for each in list(account.courier.deliveries)])

    @control.get("/requests")
    def requests() -> Response:
        return jsonify(requests=list(account.requests))

    @control.get("/clock")
    def clock() -> Response:
        return jsonify(now=account.clock.now().isoformat())


def _add_acting(control: Blueprint, account: Account) -> None:
    @control.post("/invoices/<invoice_id>/pay")
    def pay(invoice_id: str) -> Response:
        invoice = _known(account, invoice_id)
        wanted = _only(json_object(), "channel", "amount", "after_expiry", "callback")
        if type(wanted.get("amount", 0)) not in (int, type(None)):
            abort(400, "amount must be whole rupiah")
        account.pay(
            invoice,
            wanted.get("channel") or invoice.channels[0],
            amount=wanted.get("amount"),
            after_expiry=bool(wanted.get("after_expiry", False)),
            callback=bool(wanted.get("callback", True)),
        )
        return jsonify(_shown(account, invoice))

    @control.post("/invoices/<invoice_id>/expire")
    def expire(invoice_id: str) -> Response:
        invoice = _known(account, invoice_id)
        account.expire(invoice)
        return jsonify(_shown(account, invoice))

    @control.post("/invoices/<invoice_id>/settle")
    def settle(invoice_id: str) -> Response:
        invoice = _known(account, invoice_id)
        account.settle(invoice)
        return jsonify(_shown(account, invoice))

    @control.post("/reset")
    def reset() -> Response:
        account.reset()
        return jsonify(reset=True)

    @control.post("/clock")
    def advance() -> Response:
        seconds = json_object().get("advance_seconds")
        if not isinstance(seconds, int | float) or seconds < 0:
            abort(400, "advance_seconds must be a number from 0")
        account.clock.advance(seconds)
        account.expire_due()
        return jsonify(now=account.clock.now().isoformat())


def _add_withdrawing(control: Blueprint, account: Account) -> None:
    @control.post("/withdrawals")
    def withdraw() -> Response:
        wanted = _only(json_object(), "kind", "amount", "fee", "vat", "status")
        kind, status = wanted.get("kind", KINDS[0]), _status(wanted.get("status", "SUCCESS"))
        amount, fee, vat = (wanted.get(name, 0) for name in ("amount", "fee", "vat"))
        if kind not in KINDS or not all(type(each) is int for each in (amount, fee, vat)):
            abort(400, f"kind is one of {', '.join(KINDS)}; amount, fee and vat are whole rupiah")
        now = account.clock.now()
        made = Withdrawal(kind, amount, fee, vat, status, now, now)
        account.withdrawals.append(made)
        return jsonify(made.as_json(account.settings))

    @control.post("/withdrawals/<withdrawal_id>")
    def change(withdrawal_id: str) -> Response:
        found = [made for made in account.withdrawals if withdrawal_id == f"txn_{made.id}"]
        if not found:
            abort(404, f"there is no withdrawal {withdrawal_id}")
        found[0].status = _status(_only(json_object(), "status").get("status"))
        found[0].updated = account.clock.now()
        return jsonify(found[0].as_json(account.settings))


def _status(wanted: object) -> str:
    if wanted not in STATUSES:
        abort(400, f"status is one of {', '.join(STATUSES)}")
    return str(wanted)


def _add_callbacks(control: Blueprint, account: Account) -> None:
    @control.post("/callback")
    def send_any() -> Response:
        return _send(account, json_object(), None)

    @control.post("/invoices/<invoice_id>/callback")
    def send_for(invoice_id: str) -> Response:
        return _send(account, json_object(), _known(account, invoice_id))


def _send(account: Account, wanted: dict[str, Any], invoice: Invoice | None) -> Response:
    """Send one callback, or it several times over, whatever the invoice's state."""
    _only(wanted, "status", "fields", "body", "sample", "token", "url", "copies", "retry", "wait")
    changes: dict[str, Any] = {k: wanted[k] for k in ("token", "url") if k in wanted}
    changes["retries"] = bool(wanted.get("retry", False))
    body = _body(account, wanted, invoice)
    copies = int(wanted.get("copies", 1))
    sent = [account.courier.make("invoice", body, **changes) for _ in range(copies)]
    account.courier.start(sent)
    if wanted.get("wait", True):
        for delivery in sent:
            delivery.tried.wait(WAIT_SECONDS)
    return jsonify(deliveries=[each.as_json() for each in sent])


def _body(account: Account, wanted: dict[str, Any], invoice: Invoice | None) -> dict[str, Any]:
    if "body" in wanted:
        body = wanted["body"]
        if not isinstance(body, dict):
            abort(400, "body must be an object")
    elif wanted.get("sample") or invoice is None:
        body = DASHBOARD_SAMPLE
    else:
        status = wanted.get("status", "PAID")
        if status not in ("PAID", "EXPIRED"):
            abort(400, "status is PAID or EXPIRED; anything else goes into fields")
        body = account.webhook(invoice, status)
    return {**body, **wanted.get("fields", {})}


def _shown(account: Account, invoice: Invoice) -> dict[str, Any]:
    """Write an invoice with what only the stand-in knows."""
    body = account.plain_answer(invoice)
    own = {"channels": list(invoice.channels), "failed_attempts": invoice.failed_attempts}
    request_id = {"payment_request_id": invoice.payment.request_id} if invoice.payment else {}
    return body | own | request_id


def _known(account: Account, invoice_id: str) -> Invoice:
    invoice = account.find(invoice_id)
    if invoice is None:
        abort(404, f"there is no invoice {invoice_id}")
    return invoice


def _only(wanted: dict[str, Any], *known: str) -> dict[str, Any]:
    """Refuse misspelt fields: a test must not pass because its wish was not understood."""
    strange = sorted(set(wanted) - set(known))
    if strange:
        abort(400, f"unknown: {', '.join(strange)}; known: {', '.join(known)}")
    return wanted
