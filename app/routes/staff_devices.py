"""Phones of the door: add, pair, move, cut off. For admins."""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.forms.door import DeviceForm
from app.gateways import current_settings
from app.integrations.qr import qr_data_uri
from app.models import Device, DeviceRole, Role
from app.models.codes import LANES
from app.routes.access import requires_role
from app.routes.htmx import render
from app.routes.staff import the_member
from app.routes.staff_forms import CHANGED_MEANWHILE
from app.services.door import devices, gates
from app.services.door.devices import Pairing
from app.services.running.phone_reports import read_queued

bp = Blueprint("staff_devices", __name__, url_prefix="/staff/door/devices")

# Where the one page that shows a code finds it again: the admin's own cookie.
CODE = "pairing_code"
ROLES = {DeviceRole.SCANNER: _l("Scanner"), DeviceRole.SUPERVISOR: _l("Supervisor")}


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the phones, those in use first."""
    return render_template("staff/door/devices.html", devices=devices.list_devices(), now=utcnow())


@bp.get("/new")
@requires_role(Role.ADMIN)
def new() -> ResponseReturnValue:
    """Ask for a new phone's name, gate and role."""
    return _form_page(DeviceForm())


@bp.post("/new")
@requires_role(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a phone and go on to the code that pairs it."""
    form = DeviceForm.sent(request.form)
    wish = form.parse(_gate_names())
    if wish is None:
        return _form_page(form, status=422)
    return _show_code(devices.add_device(wish, by=the_member().actor, now=utcnow()))


@bp.get("/<int:device_id>")
@requires_role(Role.ADMIN)
def show(device_id: int) -> ResponseReturnValue:
    """Show a phone to change."""
    device = _get_device(device_id)
    return _form_page(DeviceForm.of(device), device)


@bp.post("/<int:device_id>")
@requires_role(Role.ADMIN)
def change(device_id: int) -> ResponseReturnValue:
    """Rename a phone, move it, give it other lanes or another role."""
    form = DeviceForm.sent(request.form)
    wish = form.parse(_gate_names())
    if wish is None:
        return _form_page(form, _get_device(device_id), status=422)
    try:
        by, now = the_member().actor, utcnow()
        devices.change_device(device_id, wish, version=form.version, by=by, now=now)
    except devices.DeviceGone as error:
        raise NotFound from error
    except devices.DeviceChanged:
        device = _get_device(device_id)
        return _form_page(DeviceForm.of(device), device, CHANGED_MEANWHILE, 409)
    return redirect(url_for("staff_devices.show_all"), code=303)


@bp.post("/<int:device_id>/cut-off")
@requires_role(Role.ADMIN)
def cut_off(device_id: int) -> ResponseReturnValue:
    """Let a phone do nothing any more; asks once more when scans on it would be lost."""
    device = devices.find_device(device_id)
    queued = read_queued(device.report) if device and not device.cut_off_at else 0
    if queued and "lose_scans" not in request.form:
        return render_template(
            "staff/door/cut_off.html", device=device, queued=queued, now=utcnow()
        ), 422
    devices.cut_off(device_id, by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_devices.show_all"), code=303)


@bp.post("/<int:device_id>/code")
@requires_role(Role.ADMIN)
def renew_code(device_id: int) -> ResponseReturnValue:
    """Make another code for a phone that is not paired yet."""
    try:
        return _show_code(devices.renew_code(device_id, by=the_member().actor, now=utcnow()))
    except devices.DeviceGone as error:
        raise NotFound from error


@bp.get("/<int:device_id>/code")
@requires_role(Role.ADMIN)
def show_code(device_id: int) -> ResponseReturnValue:
    """Show the code that was just made, until the phone is paired or the code has run out."""
    device = _get_device(device_id)
    kept, code = session.get(CODE, [0, ""])
    is_waiting = kept == device_id and _is_waiting(device, utcnow())
    if not is_waiting:
        session.pop(CODE, None)
    address = f"{current_settings().public_url}{url_for('door_pairing.show')}"
    return render(
        "staff/door/code.html",
        "staff/door/_code.html",
        device=device,
        code=code if is_waiting else None,
        address=address,
        qr=qr_data_uri(f"{address}#{code}") if is_waiting else None,
    )


def _is_waiting(device: Device, now: datetime) -> bool:
    return bool(device.pairing_expires_at and device.pairing_expires_at > now)


def _show_code(pairing: Pairing) -> ResponseReturnValue:
    session[CODE] = [pairing.device_id, pairing.code]
    return redirect(url_for("staff_devices.show_code", device_id=pairing.device_id), code=303)


def _get_device(device_id: int) -> Device:
    device = devices.find_device(device_id)
    if device is None or device.cut_off_at is not None:
        raise NotFound
    return device


def _gate_names() -> dict[int, str]:
    return {gate.id: gate.name for gate in gates.list_gates()}


def _form_page(
    form: DeviceForm,
    device: Device | None = None,
    notice: Words | None = None,
    status: int = 200,
) -> tuple[str, int]:
    context: dict[str, Any] = {
        "form": form,
        "device": device,
        "now": utcnow(),
        "notice": notice,
        "gates": _gate_names(),
        "roles": ROLES,
        "letters": LANES,
        "here": request.path,
    }
    return render_template("staff/door/device.html", **context), status
