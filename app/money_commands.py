"""Commands for finance: refunds, cases, orders. Each refusal says what to do next."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from app.clock import utcnow
from app.command_actor import command_actor
from app.errors import Busy, CaseClosed, OrderNotCancellable
from app.formatting import rupiah, short_datetime
from app.forms.fields import FieldProblem, parse_email
from app.gateways import current_gateways, current_settings
from app.integrations.xendit import XenditError
from app.models import OrderStatus, Refund, RefundStatus, RefundWay
from app.routes import order_words
from app.services.money import cancelling, deciding
from app.services.money.deciding import Decision, NotPossible
from app.services.office import money_desk, order_story

refunds = AppGroup("refunds", help="Money that goes back.")
cases = AppGroup("cases", help="Money that needs a decision.")
orders = AppGroup("orders", help="Single orders.")


class EmailAddress(click.ParamType[str]):
    """The e-mail address of whoever decides; it is kept with the decision."""

    name = "email"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return parse_email(value)
        except FieldProblem:
            self.fail(f"{value} is not an e-mail address", param, ctx)


by_option = click.option("--by", required=True, type=EmailAddress(), help="Who decides.")


# --- refunds ------------------------------------------------------------------------------------


@refunds.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that are done, too.")
def list_refunds(is_all: bool) -> None:
    """List what is due, sent or failed."""
    found = money_desk.list_refunds(include_finished=is_all)
    rows = [
        (one.reference_id, one.status.value, one.way.value, rupiah(one.amount), _next_step(one))
        for one in found
    ]
    _print_table(("REFERENCE", "STATUS", "WAY", "AMOUNT", "NEXT"), rows, empty="no refund is open")


@refunds.command("show")
@click.argument("reference")
def show_refund(reference: str) -> None:
    """Show one refund, with the bank account while somebody is to transfer."""
    refund = _get_refund(reference)
    order = refund.order
    facts = [
        ("Order", f"{order.code} ({order.status.value})"),
        ("Buyer", f"{order.user.full_name} <{order.user.email}>"),
        ("Amount", rupiah(refund.amount)),
        ("Reason", refund.reason.value),
        ("Paid by", f"{refund.channel or 'unknown'}, invoice {refund.invoice_id}"),
        ("Way", refund.way.value),
        ("Status", refund.status.value),
        ("Refused because", refund.failure_code),
        ("Xendit's id", refund.xendit_refund_id),
        ("Bank", refund.bank_name),
        ("Account", refund.account_number),
        ("Holder", refund.account_holder),
        ("Due since", _time(refund.created_at)),
        ("Done", _time(refund.finished_at)),
        ("Done by", refund.finished_by),
        ("Note", refund.note),
        ("Next", _next_step(refund)),
    ]
    _print_facts(facts)


@refunds.command("done")
@click.argument("reference")
@by_option
@click.option("--note", required=True, help="Such as the bank's transfer number.")
def mark_done(reference: str, by: str, note: str) -> None:
    """Note that the money was transferred by hand; erases the bank account, tells the buyer."""
    refund = _get_refund(reference)
    with _refusals():
        deciding.mark_refund_done(refund.id, by=by, note=note, now=utcnow())
    click.echo(f"{reference}: done by {by}; the buyer is told, the bank account is erased")


@refunds.command("retry")
@click.argument("reference")
def retry(reference: str) -> None:
    """Try once more through Xendit; a worker does it within seconds."""
    refund = _get_refund(reference)
    with _refusals():
        deciding.retry_refund(refund.id, by=command_actor(), now=utcnow())
    click.echo(f"{reference}: is sent to Xendit again; see `refunds show {reference}`")


# --- cases --------------------------------------------------------------------------------------


@cases.command("list")
def list_cases() -> None:
    """List the cases nobody has decided yet."""
    rows = [
        (
            str(case.id),
            case.kind.value,
            case.status.value,
            case.order.code,
            rupiah(case.amount),
            _time(case.opened_at) or "",
            _time(case.deadline_at) or "–",
        )
        for case in money_desk.list_open_cases()
    ]
    head = ("ID", "KIND", "STATUS", "ORDER", "AMOUNT", "OPENED", "REFUND AT")
    _print_table(head, rows, empty="no case is open")


@cases.command("decide")
@click.argument("case_id", type=int, metavar="ID")
@click.option("--accept", "decision", flag_value=Decision.ACCEPT.value, help="Take it as it is.")
@click.option("--refund", "decision", flag_value=Decision.REFUND.value, help="Send it back.")
@by_option
def decide(case_id: int, decision: str | None, by: str) -> None:
    """Decide a case: --accept or --refund."""
    if decision is None:
        raise click.UsageError("say --accept or --refund")
    with _refusals():
        gateway = current_gateways().xendit
        deciding.decide_case(case_id, Decision(decision), by=by, now=utcnow(), gateway=gateway)
    click.echo(f"case {case_id}: {decision} by {by}")


# --- orders -------------------------------------------------------------------------------------


@orders.command("cancel")
@click.argument("code")
@by_option
def cancel(code: str, by: str) -> None:
    """Cancel an order: a paid one is refunded, an unpaid one closed at Xendit first."""
    story = _get_story(code)
    order_id = money_desk.find_order_id(code) or 0
    with _refusals():
        if story.order.status is OrderStatus.PAID:
            cancelling.cancel_paid(order_id, by=by, now=utcnow())
            click.echo(f"{code}: cancelled, e-tickets revoked, money goes back; see `refunds list`")
            return
        gateway = current_gateways().xendit
        is_done = cancelling.cancel_unpaid(order_id, now=utcnow(), gateway=gateway)
    status = _get_story(code).order.status
    if is_done or status is not OrderStatus.PENDING:
        click.echo(f"{code}: now {status.value}")
    else:
        click.echo(
            f"{code}: not yet; the worker goes on, see `cases list` and `orders show {code}`"
        )


@orders.command("show")
@click.argument("code")
def show_order(code: str) -> None:
    """Show an order's whole story in one time line."""
    story = _get_story(code)
    order, buyer, money = story.order, story.order.user, story.money
    facts = [
        ("Order", f"{order.code} {order.status.value}"),
        ("Payment", order.payment.status.value),
        ("Buyer", f"{buyer.full_name} <{buyer.email}>"),
        ("Total", rupiah(order.total)),
        ("Paid", rupiah(money.received) if money.received else "nothing yet"),
        ("Back", rupiah(money.sent_back + money.going_back)),
    ]
    _print_facts(facts)
    click.echo()
    with force_locale("en"):
        for happening in story.happenings:
            id_ = f"  [{happening.request_id}]" if happening.request_id else ""
            click.echo(f"{_time(happening.at)}  {order_words.tell(happening)}{id_}")


# --- shared -------------------------------------------------------------------------------------


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn a refusal into one sentence and exit code 1."""
    try:
        yield
    except NotPossible as error:
        raise click.ClickException(str(error)) from error
    except CaseClosed as error:
        raise click.ClickException("this was decided before: see `orders show CODE`") from error
    except OrderNotCancellable as error:
        raise click.ClickException("it has ended already: see `orders show CODE`") from error
    except XenditError as error:
        why = f"Xendit could not be asked ({error}): nothing was decided, try again in a minute"
        raise click.ClickException(why) from error
    except Busy as error:
        raise click.ClickException("the database is busy: nothing was kept, try again") from error


def _get_refund(reference: str) -> Refund:
    refund = money_desk.find_refund(reference)
    if refund is None:
        raise click.ClickException(f"there is no refund {reference}: see `refunds list --all`")
    return refund


def _get_story(code: str) -> order_story.OrderStory:
    story = order_story.tell_order(code)
    if story is None:
        raise click.ClickException(f"there is no order {code}: the buyer's mail has its code")
    return story


def _next_step(refund: Refund) -> str:
    if refund.is_finished:
        return "nothing"
    if refund.status is RefundStatus.SENT:
        return "nothing: Xendit has it"
    if refund.way is RefundWay.XENDIT:
        is_due = refund.status is RefundStatus.DUE
        return "nothing: sent by itself" if is_due else "look at Xendit's dashboard; done or retry"
    return "wait for the bank account" if refund.needs_bank_details else "transfer; then done"


def _time(when: datetime | None) -> str | None:
    return short_datetime(when, current_settings().event.timezone) if when else None


def _print_facts(facts: Sequence[tuple[str, str | None]]) -> None:
    shown = [(name, value) for name, value in facts if value]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    if not rows:
        click.echo(empty)
        return
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
