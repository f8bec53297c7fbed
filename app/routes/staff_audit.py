"""Who changed what, and when: the audit log, newest first. For admins."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from app.gateways import current_settings
from app.models import ActorKind, Role
from app.routes.access import requires_role
from app.routes.audit_words import SAID_BY, name_action
from app.services.office import audit
from app.services.office.audit import AuditFilter

bp = Blueprint("staff_audit", __name__, url_prefix="/staff/audit")

FIELDS = ("person", "action", "subject", "since", "until")
LONGEST = 254
ACTORS = {
    ActorKind.STAFF: _l("staff"),
    ActorKind.PARTNER: _l("API key"),
    ActorKind.DEVICE: _l("phone"),
    ActorKind.COMMAND: _l("command line"),
}


@bp.get("")
@requires_role(Role.ADMIN)
def show() -> str:
    """Show a page of the log, narrowed by what the address asks for."""
    typed = {name: request.args.get(name, "").strip()[:LONGEST] for name in FIELDS}
    wanted = _read_filter(typed, current_settings().event.timezone)
    page = audit.list_entries(wanted, before_id=request.args.get("before", type=int))
    kept = {name: value for name, value in typed.items() if value}
    actions = [(action, name_action(action)) for action in audit.list_actions()]
    return render_template(
        "staff/audit.html",
        page=page,
        typed=typed,
        actions=sorted(actions, key=lambda one: str(one[1])),
        actors=ACTORS,
        older=_address(kept | {"before": str(page.older)}) if page.older else None,
        is_narrowed=bool(kept),
        **SAID_BY,
    )


def _read_filter(typed: Mapping[str, str], zone: ZoneInfo) -> AuditFilter:
    """Return what is wanted, by whole days of the event's zone; what is no day is left out."""
    until = _midnight(typed["until"], zone, days=1)
    return AuditFilter(
        person=typed["person"],
        action=typed["action"],
        subject=typed["subject"],
        since=_midnight(typed["since"], zone),
        until=until,
    )


def _address(fields: Mapping[str, str]) -> str:
    return f"{url_for('staff_audit.show')}?{urlencode(fields)}"


def _midnight(day: str, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    try:
        wanted = date.fromisoformat(day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return datetime.combine(wanted, time(), zone).astimezone(UTC)
