"""Messages to attendees: write, look at, try, send, watch, stop. For admins."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.forms.message import BODY_LENGTH, SUBJECT_LENGTH, MessageForm
from app.gateways import current_settings
from app.integrations.mailer import Letter
from app.models import MessageStatus, RecipientStatus, Role
from app.routes.access import requires_role
from app.routes.htmx import render
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.services.office import message_reading, messages
from app.services.office.message_letter import Recipient, write_letter
from app.services.office.message_reading import MessageView

bp = Blueprint("staff_messages", __name__, url_prefix="/staff/messages")

CHANGED = _l("This message was changed or sent meanwhile. Look at it as it is now.")
NUMBER_CHANGED = _l("Meanwhile the number of people is another. Look at it, then send.")
STILL_COUNTING = _l("Whom it goes to is still being counted. Wait until that is done.")
TRY_FIRST = _l("Send it to yourself first, and read it there.")
# A mail brings its own styles, and is allowed nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
DONE: dict[str, Words] = {
    "tried": _l("It is on its way to you. Read it in your mailbox."),
    "sent": _l("It is being sent."),
    "stopped": _l("It was stopped. Nobody else gets it."),
    "resumed": _l("It is being sent again, to those who have not got it."),
}


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the messages, the newest first."""
    return render_template("staff/messages/list.html", views=message_reading.list_messages())


@bp.get("/new")
@requires_role(Role.ADMIN)
def ask_new() -> ResponseReturnValue:
    """Ask for a message."""
    return _form_page(MessageForm())


@bp.post("/new")
@requires_role(Role.ADMIN)
def write() -> ResponseReturnValue:
    """Keep a message as a draft."""
    form = _sent_form()
    if form.errors:
        return _form_page(form), 422
    by = the_member().actor
    message_id = messages.write(form.text, form.ticket_ids, by=by, now=utcnow())
    return redirect(url_for("staff_messages.show", message_id=message_id), code=303)


@bp.get("/<int:message_id>")
@requires_role(Role.ADMIN)
def show(message_id: int) -> ResponseReturnValue:
    """Show a draft as it would be sent, or how far a message is."""
    return _page(message_id)


@bp.get("/<int:message_id>/mail/<locale>")
@requires_role(Role.ADMIN)
def show_mail(message_id: int, locale: str) -> ResponseReturnValue:
    """Show the mail as a mail program would."""
    if locale not in ("id", "en"):
        raise NotFound
    answer = Response(_sample(_get_view(message_id), locale).html)
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    return answer


@bp.get("/<int:message_id>/edit")
@requires_role(Role.ADMIN)
def ask_edit(message_id: int) -> ResponseReturnValue:
    """Show a draft to be changed."""
    view = _get_draft(message_id)
    text = messages.text_of(view.message)
    form = MessageForm(**vars(text), ticket_ids=view.message.ticket_ids)
    return _form_page(form, view)


@bp.post("/<int:message_id>/edit")
@requires_role(Role.ADMIN)
def rewrite(message_id: int) -> ResponseReturnValue:
    """Change a draft."""
    view, form = _get_draft(message_id), _sent_form()
    if form.errors:
        return _form_page(form, view), 422
    try:
        shown, now = _number("shown"), utcnow()
        messages.rewrite(message_id, form.text, form.ticket_ids, shown=shown, now=now)
    except messages.StaleMessage:
        return _form_page(form, _get_draft(message_id), CHANGED), 409
    return redirect(url_for("staff_messages.show", message_id=message_id), code=303)


@bp.post("/<int:message_id>/try")
@requires_role(Role.ADMIN)
def try_out(message_id: int) -> ResponseReturnValue:
    """Mail a draft to its writer."""
    to, shown = the_member().email, _number("shown")
    return _try(
        message_id, "tried", lambda: messages.try_out(message_id, to, shown=shown, now=utcnow())
    )


@bp.get("/<int:message_id>/send")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def ask_send(message_id: int) -> ResponseReturnValue:
    """Say to how many people a draft goes, before it goes; not before all are counted."""
    view = _get_draft(message_id)
    if not view.is_listed:
        return _page(message_id, STILL_COUNTING), 409
    return _send_page(view)


@bp.post("/<int:message_id>/send")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def send(message_id: int) -> ResponseReturnValue:
    """Send a draft to so many people as the page had said."""
    view, shown, count = _get_view(message_id), _number("shown"), _number("count")
    try:
        messages.send(message_id, shown=shown, count=count, by=the_member().actor, now=utcnow())
    except messages.StaleMessage:
        now = _get_view(message_id)
        if now.message.status is not MessageStatus.DRAFT:
            return _page(message_id, CHANGED), 409
        if not now.is_listed:
            return _page(message_id, STILL_COUNTING), 409
        return _send_page(now, CHANGED if now.total == view.total else NUMBER_CHANGED), 409
    except messages.NotTried:
        return _page(message_id, TRY_FIRST), 409
    return redirect(url_for("staff_messages.show", message_id=message_id, done="sent"), code=303)


@bp.post("/<int:message_id>/stop")
@requires_role(Role.ADMIN)
def stop(message_id: int) -> ResponseReturnValue:
    """Send no further letter."""
    by = the_member().actor
    return _try(message_id, "stopped", lambda: messages.stop(message_id, by=by, now=utcnow()))


@bp.post("/<int:message_id>/go-on")
@requires_role(Role.ADMIN)
def go_on(message_id: int) -> ResponseReturnValue:
    """Go on with a message that was stopped."""
    by = the_member().actor
    return _try(message_id, "resumed", lambda: messages.go_on(message_id, by=by, now=utcnow()))


@bp.post("/<int:message_id>/retry")
@requires_role(Role.ADMIN)
def retry(message_id: int) -> ResponseReturnValue:
    """Try those again it did not reach, or perhaps not."""
    wanted, by = request.form.get("status", ""), the_member().actor
    if wanted not in {status.value for status in messages.FAILED}:
        raise NotFound
    status = RecipientStatus(wanted)
    return _try(
        message_id,
        "resumed",
        lambda: messages.retry_failed(message_id, status, by=by, now=utcnow()),
    )


def _try(message_id: int, done: str, change: Callable[[], None]) -> ResponseReturnValue:
    """Do something with a message, or show it as it is now, and why nothing was done."""
    _get_view(message_id)
    try:
        change()
    except messages.StaleMessage:
        return _page(message_id, CHANGED), 409
    return redirect(url_for("staff_messages.show", message_id=message_id, done=done), code=303)


def _get_view(message_id: int) -> MessageView:
    view = message_reading.find_message(message_id)
    if view is None:
        raise NotFound
    return view


def _get_draft(message_id: int) -> MessageView:
    view = _get_view(message_id)
    if view.message.status is not MessageStatus.DRAFT:
        raise NotFound
    return view


def _number(name: str) -> int:
    return request.form.get(name, -1, type=int)


def _sent_form() -> MessageForm:
    return MessageForm.sent(request.form, dict(message_reading.list_tickets()))


def _sample(view: MessageView, locale: str) -> Letter:
    name = the_member().name or the_member().email
    reader = Recipient(0, the_member().email, name, locale, "TXCONTOH00", "contoh-sample")
    return write_letter(view.message.id, reader, messages.text_of(view.message), current_settings())


def _page(message_id: int, problem: Words | None = None) -> str:
    view = _get_view(message_id)
    is_draft = view.message.status is MessageStatus.DRAFT
    locales = ["id", "en"] if view.message.body_en else ["id"]
    return render(
        "staff/messages/message.html",
        "staff/messages/_listing.html" if is_draft else "staff/messages/_progress.html",
        view=view,
        message=view.message,
        counts={status.value: number for status, number in view.counts.items()},
        letters={locale: _sample(view, locale) for locale in locales} if is_draft else {},
        failed=[] if is_draft else message_reading.list_failed(message_id),
        problem=problem,
        done=DONE.get(request.args.get("done", "")),
        here=url_for("staff_messages.show", message_id=message_id),
    )


def _send_page(view: MessageView, problem: Words | None = None) -> str:
    return render_template(
        "staff/messages/send.html",
        view=view,
        message=view.message,
        problem=problem,
        here=url_for("staff_messages.ask_send", message_id=view.message.id),
    )


def _form_page(
    form: MessageForm, view: MessageView | None = None, problem: Words | None = None
) -> str:
    return render_template(
        "staff/messages/form.html",
        form=form,
        message=view.message if view else None,
        tickets=message_reading.list_tickets(),
        problem=problem,
        subject_length=SUBJECT_LENGTH,
        body_length=BODY_LENGTH,
        here=url_for("staff_messages.ask_edit", message_id=view.message.id)
        if view
        else url_for("staff_messages.ask_new"),
    )
