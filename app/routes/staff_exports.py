"""Exports: ask for a file of figures, watch it being made, take it. Names are for admins only."""

from collections.abc import Iterator
from typing import TypeVar

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import Words
from app.gateways import current_settings
from app.models import ExportFormat, ExportKind, ExportStatus, Role
from app.routes.access import RoleNotAllowed, requires_role
from app.routes.language import current_language
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_finance import MONEY_ROLES, as_moment, read_days
from app.services.office import exports

Choice = TypeVar("Choice", ExportKind, ExportFormat)

bp = Blueprint("staff_exports", __name__, url_prefix="/staff/finance/exports")

LOOK_AGAIN = 2  # seconds
MIMETYPES = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
NAMES: dict[ExportKind, tuple[Words, Words]] = {
    ExportKind.ORDERS: (_l("Orders"), _l("a row for each order sold or taken back")),
    ExportKind.ITEMS: (_l("Order items"), _l("a row for each ticket of an order")),
    ExportKind.PAYMENTS: (_l("Payments"), _l("with fee, VAT, net and settlement")),
    ExportKind.REFUNDS: (_l("Refunds"), _l("what was sent back")),
    ExportKind.LEDGER: (_l("Ledger"), _l("every line, debit and credit")),
    ExportKind.ATTENDEES: (_l("Attendees"), _l("names of valid e-tickets, by the day of sale")),
}
FORMATS: dict[ExportFormat, Words] = {
    ExportFormat.XLSX: _l("Excel (XLSX)"),
    ExportFormat.CSV: _l("Text (CSV)"),
}
PROBLEMS: dict[str, Words] = {
    "kind": _l("Choose what to export."),
    "many": _l("Five files are being made already. Wait until one is done."),
}


@bp.get("")
@requires_role(*MONEY_ROLES)
def show_all() -> str:
    """List the files there are, and ask for another."""
    return _page()


@bp.post("")
@requires_role(*MONEY_ROLES)
def ask() -> ResponseReturnValue:
    """Have a file made, and lead to the page that shows how far it is.

    For names the password is asked for again when it was last given a while ago.
    """
    kind = _sent(ExportKind, "kind")
    if kind is None:
        return _page("kind"), 422
    if not kind.is_personal:
        return _ask(kind)
    if not _is_admin():
        raise RoleNotAllowed
    return requires_fresh_proof(_ask)(kind)


def _ask(kind: ExportKind) -> ResponseReturnValue:
    file_format = _sent(ExportFormat, "format") or ExportFormat.XLSX
    now = utcnow()
    first, last = read_days(now.astimezone(current_settings().event.timezone).date())
    language, by = current_language(), the_member().actor
    try:
        code = exports.ask(kind, file_format, first, last, locale=language, by=by, now=now)
    except exports.TooManyExports:
        return _page("many"), 409
    return redirect(url_for("staff_exports.show", code=code), code=303)


@bp.get("/<code>")
@requires_role(*MONEY_ROLES)
def show(code: str) -> ResponseReturnValue:
    """Show how far a file is; the browser asks again by itself while it is being made."""
    export = exports.get_export(code, is_admin=_is_admin())
    is_gone = export.status is ExportStatus.ERASED or export.expires_at <= utcnow()
    page = render_template("staff/finance/export.html", export=export, is_gone=is_gone, **_words())
    return page, {"Refresh": str(LOOK_AGAIN)} if export.is_moving and not is_gone else {}


@bp.get("/<code>/file")
@requires_role(*MONEY_ROLES)
def download(code: str) -> ResponseReturnValue:
    """Send the file, piece by piece; names, as they are asked for."""
    export = exports.get_export(code, is_admin=_is_admin())
    return requires_fresh_proof(_send)(code) if export.kind.is_personal else _send(code)


def _send(code: str) -> ResponseReturnValue:
    export = exports.open_file(code, is_admin=_is_admin(), by=the_member().actor, now=utcnow())
    pieces: Iterator[bytes] = stream_with_context(exports.read_file(export.id))
    response = Response(pieces, mimetype=MIMETYPES[export.format])
    name = f"{export.kind.value}-{export.since}-{export.until}.{export.format.value}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Content-Length"] = str(export.size)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(problem: str = "") -> str:
    now = utcnow()
    first, last = read_days(now.astimezone(current_settings().event.timezone).date())
    names = {kind: name for kind, name in NAMES.items() if _is_admin() or not kind.is_personal}
    return render_template(
        "staff/finance/exports.html",
        found=exports.list_exports(now=now, is_admin=_is_admin()),
        kinds=names,
        first=first,
        last=last,
        formats_as_choices=[(one.value, name) for one, name in FORMATS.items()],
        chosen=request.form.get("kind", ""),
        chosen_format=request.form.get("format", ExportFormat.XLSX.value),
        problem=PROBLEMS.get(problem),
        **_words(),
    )


def _words() -> dict[str, object]:
    return {
        "number": format_decimal,
        "names": NAMES,
        "formats": FORMATS,
        "day": as_moment,
        "now": utcnow(),
    }


def _is_admin() -> bool:
    return the_member().role is Role.ADMIN


def _sent(choices: type[Choice], field: str) -> Choice | None:
    wanted = request.form.get(field, "")
    return next((one for one in choices if one.value == wanted), None)
