"""What the audit log says to a person: actions, fields and values in words.

Whoever records a new action or field adds its words here; a test reads the code and insists.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import Words
from app.formatting import rupiah, short_datetime
from app.gateways import current_settings
from app.models import AuditEntry

ACTIONS: dict[str, Words] = {
    "staff.added": _l("made an account"),
    "staff.invited": _l("invited somebody"),
    "staff.invitation_taken_back": _l("took an invitation back"),
    "staff.joined": _l("accepted an invitation"),
    "staff.role_changed": _l("changed a role"),
    "staff.deactivated": _l("deactivated an account"),
    "staff.reactivated": _l("reactivated an account"),
    "staff.logged_out": _l("logged an account out everywhere"),
    "staff.password_changed": _l("changed a password"),
    "staff.second_factor_set": _l("set up a second factor"),
    "staff.second_factor_removed": _l("removed their second factor"),
    "staff.second_factor_reset": _l("took a second factor away"),
    "staff.recovery_codes_made": _l("made new recovery codes"),
    "staff.recovery_code_used": _l("logged in with a recovery code"),
    "api_key.added": _l("made an API key"),
    "signing_key.rotated": _l("began to sign with a new key"),
    "signing_key.revoked": _l("made a signing key worthless"),
    "signing_key.reissued": _l("gave seats of a key new codes"),
    "ticket.added": _l("added a ticket"),
    "ticket.changed": _l("changed a ticket"),
    "ticket.moved": _l("moved a ticket in the list"),
    "ticket.retired": _l("took a ticket off sale for good"),
    "ticket.reopened": _l("put a ticket back on sale"),
    "quota.added": _l("added a shared quota"),
    "quota.changed": _l("changed a shared quota"),
    "voucher.added": _l("made a voucher"),
    "voucher.batch_added": _l("made vouchers"),
    "voucher.changed": _l("changed a voucher"),
    "voucher.retired": _l("took a voucher out of use"),
    "voucher.reopened": _l("put a voucher back into use"),
    "order.cancelled": _l("cancelled an order"),
    "order.cancelling_asked": _l("asked to cancel an unpaid order"),
    "order.resent": _l("sent an order's e-tickets again"),
    "order.buyer_corrected": _l("corrected an order's buyer"),
    "order.names_corrected": _l("corrected names on seats"),
    "order.seats_changed": _l("changed seats to another type"),
    "order.refunded": _l("sent money of an order back"),
    "order.given": _l("gave free tickets"),
    "fair_door.changed": _l("changed the fair door"),
    "fair_door.begun_anew": _l("began a new line"),
    "case.decided": _l("decided a case"),
    "refund.done_by_hand": _l("noted a refund as transferred"),
    "refund.retried": _l("tried a refund again"),
    "inbox.handed_over": _l("gave a case to somebody"),
    "inbox.given_back": _l("gave a case back"),
    "inbox.noted": _l("wrote a note on a case"),
    "inbox.closed": _l("closed a case by a word"),
    "inbox.retried": _l("had work that was given up tried again"),
    "export.asked": _l("asked for an export"),
    "export.taken": _l("took an export"),
    "day.closed": _l("closed a day"),
    "balance.corrected": _l("entered a movement of the balance"),
    "message.sent": _l("sent a message to attendees"),
    "message.stopped": _l("stopped a message"),
    "message.resumed": _l("went on with a message"),
    "message.retried": _l("sent a message again to whom it had not reached"),
    "gate.added": _l("added a gate"),
    "gate.changed": _l("changed a gate"),
    "gate.retired": _l("took a gate out of use"),
    "gate.reopened": _l("reopened a gate"),
    "lanes.switched": _l("switched lane mode"),
    "lanes.spread": _l("spread the lanes over the phones"),
    "device.added": _l("added a phone"),
    "device.code_renewed": _l("made another code for a phone"),
    "device.changed": _l("changed a phone"),
    "device.cut_off": _l("cut a phone off"),
    "check_in.undone": _l("took an entry back"),
}
FIELDS: dict[str, Words] = {
    "amount": _l("Quota"),
    "admit_from": _l("Entry from"),
    "admit_until": _l("Entry until"),
    "closes_at": _l("Closes"),
    "case": _l("Case"),
    "corrected": _l("Corrected"),
    "day": _l("Day"),
    "decision": _l("Decision"),
    "count": _l("How many"),
    "description": _l("Description"),
    "differences": _l("Differences"),
    "effect": _l("Effect"),
    "format": _l("File"),
    "gate": _l("Gate"),
    "has_exit": _l("Counts who leaves"),
    "has_new_codes": _l("New codes"),
    "has_reentry": _l("Lets in again"),
    "invited_by": _l("Invited by"),
    "is_on": _l("Switched on"),
    "is_paused": _l("Resting"),
    "most_per_minute": _l("Most a minute"),
    "is_lane_mode": _l("Lane mode"),
    "is_hidden": _l("Hidden"),
    "kind": _l("Kind"),
    "lanes": _l("Lanes"),
    "max_per_order": _l("Most per order"),
    "max_seats": _l("Good for"),
    "min_per_order": _l("Least per order"),
    "name": _l("Name"),
    "note": _l("Note"),
    "opens_at": _l("Opens"),
    "looked_after_by": _l("Who looks after it"),
    "recipients": _l("People"),
    "owner": _l("Owner"),
    "position": _l("Place in the list"),
    "price": _l("Price"),
    "quota": _l("Shared quota"),
    "refunded": _l("Sent back"),
    "retired": _l("Out of use"),
    "role": _l("Role"),
    "scopes": _l("May"),
    "seat_numbers": _l("Seats by number"),
    "seats": _l("Seats"),
    "state": _l("State"),
    "ticket": _l("Ticket"),
    "since": _l("From"),
    "tickets": _l("Tickets"),
    "until": _l("Until and including"),
    "total": _l("Total"),
    "valid_from": _l("On sale from"),
    "type": _l("Type"),
    "valid_until": _l("On sale until"),
    "value": _l("Value"),
}
# Values that are words of ours, as the pages call them.
VALUES: dict[str, Words] = {
    "door": _l("Door"),
    "finance": _l("Finance"),
    "admin": _l("Admin"),
    "scanner": _l("Scanner"),
    "supervisor": _l("Supervisor"),
    "seats_gone": _l("seats gone"),
    "underpaid": _l("paid too little"),
    "overpaid": _l("paid too much"),
    "double_payment": _l("paid twice"),
    "accept": _l("taken as it is"),
    "refund": _l("sent back"),
    "percent": _l("percent off"),
    "amount_off": _l("rupiah off"),
    "fixed_price": _l("fixed price"),
    "active": _l("active"),
    "retired": _l("retired"),
    "revoked": _l("revoked"),
    "full_name": _l("name"),
    "email": _l("e-mail"),
    "no_hp": _l("phone"),
    "charged": _l("charged by Xendit"),
    "charge_returned": _l("charge given back"),
    "withdrawn": _l("paid out to your bank"),
    "topped_up": _l("put into the balance"),
}
MONEY = ("price", "refunded", "total")
SUBJECTS: dict[str, Words] = {
    "staff": _l("Account"),
    "invitation": _l("Invitation"),
    "api_key": _l("API key"),
    "signing_key": _l("Signing key"),
    "ticket": _l("Ticket"),
    "quota": _l("Shared quota"),
    "voucher": _l("Voucher"),
    "order": _l("Order"),
    "case": _l("Case"),
    "export": _l("Export"),
    "refund": _l("Refund"),
    "inbox": _l("Case"),
    "message": _l("Message"),
    "fair_door": _l("Fair door, line"),
    "day": _l("Day"),
    "balance": _l("Balance at Xendit, entry"),
    "gate": _l("Gate"),
    "lanes": _l("Lanes"),
    "device": _l("Phone"),
    "check_in": _l("Scan"),
}


def name_action(action: str) -> Words:
    """Return what was done, in words; an action without words as it is stored."""
    return ACTIONS.get(action, action)


def name_subject(entry: AuditEntry) -> str:
    """Return what an entry is about: `Phone Ayu`, `Order TX7K2M9QPA`."""
    kind = SUBJECTS.get(entry.subject_kind, entry.subject_kind)
    return f"{kind} {entry.subject_name or entry.subject_key}"


def tell_changes(entry: AuditEntry) -> Iterator[str]:
    """Yield a line for each change: `Price: Rp 150.000 → Rp 175.000`."""
    for field, (before, after) in entry.changes.items():
        name = FIELDS.get(field, field)
        if before is None:
            yield f"{name}: {_say(field, after)}"
        else:
            yield f"{name}: {_say(field, before)} → {_say(field, after)}"


def _say(field: str, value: Any) -> str:
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int):
        return rupiah(value) if field in MONEY else str(value)
    if isinstance(value, list):
        return ", ".join(_say(field, one) for one in value)
    if field.endswith(("_at", "_from", "_until")):
        return short_datetime(datetime.fromisoformat(value), current_settings().event.timezone)
    return str(VALUES.get(value, value))


SAID_BY: dict[str, Callable[..., object]] = {
    "name_action": name_action,
    "name_subject": name_subject,
    "tell_changes": tell_changes,
}
