"""What the scanner's scripts say: texts in the reader's language, {values} put in by the script."""

from flask_babel import gettext as _


def door_words() -> dict[str, str]:
    """Return the texts by name; `say` in static/js/door/words.js reads them."""
    return _verdicts() | _view() | _camera() | _drawers() | _phone()


def _verdicts() -> dict[str, str]:
    return {
        "admitted": _("Welcome"),
        "admitted_out": _("Signed out"),
        "refused": _("Stop"),
        "unchecked": _("Try again"),
        "undone": _("Undone"),
        "unknown_code": _("This is none of our tickets"),
        "revoked": _("This ticket was withdrawn"),
        "order_cancelled": _("This order was cancelled"),
        "wrong_ticket": _("This ticket does not admit at this gate"),
        "outside_period": _("This ticket does not admit at this hour"),
        "wrong_lane": _("Lane {lane}: send the guest to the phone for lane {lane}"),
        "wrong_lane_phone": _("Lane {lane}: send the guest to {phones}"),
        "already_admitted": _("Already entered {where}, {when}"),
        "already_admitted_somewhere": _("Already entered, {when}"),
        "not_inside": _("Not recorded as inside"),
        "at_gate": _("at gate {gate}"),
        "needs_network": _("This code can only be checked online. Scan the QR code."),
        "not_prepared": _("No network, and no tickets on this phone"),
        "gate_gone": _("This phone's gate is not used any more. Tap its name and choose another."),
        "unreachable": _("No answer yet. Scan the same ticket again: it counts once."),
        "decided_here": _("Decided on this phone, sent when the network is back"),
    }


def _view() -> dict[str, str]:
    return {
        "aim": _("Hold the QR code in the frame"),
        "aim_out": _("Leaving: hold the QR code in the frame"),
        "checking": _("Checking…"),
        "seen_before": _("This code was read a moment ago"),
        "gate": _("Gate {gate}"),
        "no_gate": _("Any gate"),
        "gate_gone_bar": _("Choose a gate"),
        "gate_gone_option": _("Gate {gate}: not used any more"),
    }


def _camera() -> dict[str, str]:
    return {
        "camera_start": _("Start scanning"),
        "camera_retry": _("Try again"),
        "camera_ready": _("Ready?"),
        "camera_ready_help": _("The browser will ask for the camera. Allow it."),
        "camera_refused": _("The camera is not allowed"),
        "camera_refused_help": _(
            "Tap the icon beside the address, allow the camera, then try again. "
            "On an iPhone: Settings, Safari, Camera, Allow. Codes can also be typed."
        ),
        "camera_missing": _("No camera found"),
        "camera_missing_help": _("Connect one, use a scanner that types, or type the codes."),
        "camera_broken": _("The camera does not start"),
        "camera_broken_help": _("Another app may be using it. Close that one and try again."),
        "camera_lost": _("The camera stopped"),
        "camera_lost_help": _("It was unplugged, or another app took it."),
        "camera_insecure": _("The camera needs a secure address"),
        "camera_insecure_help": _("Open this page with https:// in front. Codes can be typed."),
        "camera_undecodable": _("This browser cannot read codes"),
        "camera_undecodable_help": _("Update it or use another one. Codes can be typed."),
    }


def _drawers() -> dict[str, str]:
    return {
        "typing_hint": _("Eight characters, printed under the QR code."),
        "typing_short": _("A code has eight characters."),
        "typing_wrong": _("One character is probably wrong. Compare them once more."),
        "typing_again": _("Still unlikely. Check again, or send it as it is."),
        "search_hint": _("At least three letters of a name, or an order code."),
        "search_nobody": _("Nobody found. Try another spelling."),
        "search_needs_network": _("Searching needs the network. Scanning goes on without."),
        "entered": _("Entered {where}, {when}"),
        "undo_needs_network": _("Undoing needs the network."),
        "undo_not_sent": _("Not sent yet. Undo it once the network is back."),
    }


def _phone() -> dict[str, str]:
    return {
        "online": _("Online"),
        "offline": _("Offline"),
        "waiting": _("{count} to send"),
        "seats": _("{count} of {total} tickets on this phone"),
        "seats_none": _("No tickets on this phone yet"),
        "data_age": _("Brought up to date at {when}"),
        "data_never": _("Never brought up to date"),
        "clock_right": _("The clock is right"),
        "clock_wrong": _("The clock is {minutes} min off: set it to automatic"),
        "battery": _("Battery {percent} %"),
        "storage_kept": _("The browser keeps the data"),
        "storage_loose": _("The browser may drop the data: install this page"),
        "nothing_waits": _("Every scan is on the server"),
        "some_wait": _("Scans here, not yet on the server: {count}"),
        "some_of_others": _(
            "Scans of another log-in on this phone: {count}. That one sends them, or you do."
        ),
        "take_over": _("Send them as yours? Only when the other log-in does not come back."),
        "some_held": _("Scans the server does not take: {count}. Tell the organiser."),
        "sign_out_unsent": _("{count} scans are not on the server yet. Forget them for ever?"),
        "sign_out": _("Forget tickets and scans, and end this phone's access?"),
        "signed_out": _("Everything here is gone"),
        "signed_out_help": _("This phone has forgotten tickets and scans, and may not scan."),
        "leaving": _("Everything here is gone"),
        "leaving_help": _(
            "The access to the door ends when this phone is online: leave the page open, "
            "or ask an admin to cut the phone off."
        ),
        "preparing": _("Loading: {count} of {total}"),
        "prepared": _("Ready for a door without a network"),
        "prepare_failed": _("That did not work. Try again where the network is good."),
        "lanes": _("Lanes {lanes}"),
        "cut_off": _("This phone was cut off"),
        "cut_off_help": _("Its data is gone. Ask the organiser to pair it again."),
        "logged_out": _("This phone is not known here"),
        "logged_out_help": _("Type a pairing code, or log in."),
    }
