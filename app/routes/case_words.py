"""What the inbox says about what waits: its name, what to do next, and how old it is."""

from datetime import date, datetime

from flask_babel import format_date, format_timedelta
from flask_babel import lazy_gettext as _l

from app.errors import Words
from app.models import Source, Verdict
from app.services.office.inbox import Entry

SOURCES: dict[Source, Words] = {
    Source.CASE: _l("Money"),
    Source.REFUND: _l("Refund"),
    Source.MAIL: _l("Mail"),
    Source.DIFFERENCE: _l("Difference"),
    Source.SETTLEMENT: _l("Money at Xendit"),
    Source.BALANCE: _l("Balance at Xendit"),
    Source.JOB: _l("Work given up"),
}
VERDICTS: dict[str, Words] = {
    Verdict.NOT_HERE.value: _l("Xendit has an invoice that we do not know"),
    Verdict.NOT_THERE.value: _l("Paid here, unknown to Xendit"),
    Verdict.AMOUNT_DIFFERS.value: _l("Another amount than Xendit's"),
    Verdict.TWO_PAID.value: _l("Two paid invoices for one order"),
}
TITLES: dict[tuple[Source, str], Words] = {
    (Source.CASE, "seats_gone"): _l("Paid, but the seats are gone"),
    (Source.CASE, "underpaid"): _l("Paid too little"),
    (Source.CASE, "overpaid"): _l("Paid too much"),
    (Source.CASE, "double_payment"): _l("Paid twice"),
    (Source.REFUND, "failed"): _l("Refund refused"),
    (Source.REFUND, "unanswered"): _l("Refund without an answer"),
    (Source.REFUND, "no_account"): _l("Refund: bank account missing"),
    (Source.REFUND, "transfer"): _l("Refund to transfer"),
    (Source.REFUND, "unsent"): _l("Refund not sent yet"),
    **{(Source.DIFFERENCE, verdict): words for verdict, words in VERDICTS.items()},
    (Source.SETTLEMENT, "overdue"): _l("Not settled after a month"),
    (Source.BALANCE, "differs"): _l("Xendit's balance is not the ledger's"),
}
NEXT: dict[tuple[Source, str], Words] = {
    (Source.CASE, "seats_gone"): _l(
        "The buyer was asked by mail and chooses: other seats, waiting, or the money back. "
        "Without a choice the money goes back by itself. You need only act when they write to you."
    ),
    (Source.CASE, "underpaid"): _l("Take the order as paid all the same, or send the money back."),
    (Source.CASE, "overpaid"): _l("The tickets are sent. Send the rest back, or keep it."),
    (Source.CASE, "double_payment"): _l("Send the second payment back."),
    (Source.REFUND, "failed"): _l(
        "Xendit refused it. Look at its dashboard, then try again, or transfer it from the bank."
    ),
    (Source.REFUND, "unanswered"): _l(
        "Xendit has had it for days. Look at its dashboard, or write to Xendit's support."
    ),
    (Source.REFUND, "no_account"): _l(
        "The buyer was asked by mail where the money should go. "
        "Write or phone, and point to that mail."
    ),
    (Source.REFUND, "transfer"): _l(
        "Transfer it from the bank, then note the transfer's number. The buyer is told."
    ),
    (Source.REFUND, "unsent"): _l("It should have gone out by itself. Is the worker running?"),
    (Source.DIFFERENCE, "not_here"): _l(
        "Look for it in Xendit's dashboard: another system's invoice, or an order that was lost."
    ),
    (Source.DIFFERENCE, "not_there"): _l(
        "Look for the payment in Xendit's dashboard. Is the right account connected?"
    ),
    (Source.DIFFERENCE, "amount_differs"): _l(
        "Compare the order with the invoice in Xendit's dashboard, then write down why."
    ),
    (Source.DIFFERENCE, "two_paid"): _l(
        "One of the two has to go back. Look at the order, then write down what was done."
    ),
    (Source.SETTLEMENT, "overdue"): _l(
        "Xendit has not put this payment into the balance for 31 days. Ask Xendit's support about "
        "the transaction below, and write down the answer. It is still read a few times a day, "
        "and leaves this list by itself once it is settled."
    ),
    (Source.BALANCE, "differs"): _l(
        "Find out what the dashboard's list of the balance has and this ledger lacks, and enter it "
        "by hand. This leaves the list by itself when the next comparison agrees."
    ),
}
NEXT_ANY: dict[Source, Words] = {
    Source.MAIL: _l(
        "The address does not take mail. Phone the buyer, correct the address; "
        "the e-tickets are then sent there."
    ),
    Source.JOB: _l("It failed for three days. Mend the cause, then try again."),
}
LETTERS: dict[str, Words] = {
    "etickets": _l("e-tickets"),
    "etickets_again": _l("e-tickets, once more"),
    "payment_reminder": _l("reminder to pay"),
    "order_expired": _l("order expired"),
    "seats_gone": _l("seats gone"),
    "bank_details": _l("asking for a bank account"),
    "refund_sent": _l("refund sent"),
}
JOBS: dict[str, Words] = {
    "open_invoice": _l("open an invoice"),
    "close_invoice": _l("close an invoice"),
    "expire_order": _l("end an unpaid order"),
    "confirm_payment": _l("read a payment"),
    "read_back": _l("read a payment"),
    "deliver_etickets": _l("mail e-tickets"),
    "resend_etickets": _l("mail e-tickets"),
    "send_letter": _l("mail a letter"),
    "send_invitation": _l("mail an invitation"),
    "list_message": _l("count whom a message goes to"),
    "send_message": _l("send a message"),
    "send_refund": _l("send a refund"),
    "confirm_refund": _l("read a refund"),
    "follow_refund": _l("read a refund"),
    "reconcile_day": _l("compare with Xendit"),
    "read_transactions": _l("read fees and payouts"),
    "read_balance": _l("read the balance"),
}
DONE: dict[str, Words] = {
    "taken": _l("It is yours now."),
    "handed": _l("It was handed over."),
    "given": _l("Nobody looks after it now."),
    "noted": _l("The note was kept."),
    "closed": _l("It is closed. Your words stay in the log of changes."),
    "retried": _l("It is tried again now."),
}


def title(entry: Entry) -> str:
    """Return what an entry is, in a few words."""
    if entry.source is Source.MAIL:
        return str(_l("Mail refused: %(letter)s", letter=LETTERS.get(entry.kind, entry.kind)))
    if entry.source is Source.JOB:
        return str(_l("Given up: %(work)s", work=JOBS.get(entry.kind, entry.kind)))
    return str(TITLES.get((entry.source, entry.kind), entry.kind))


def next_step(entry: Entry) -> Words:
    """Return what to do about an entry."""
    return NEXT.get((entry.source, entry.kind)) or NEXT_ANY.get(entry.source, "")


def day_name(day: date) -> str:
    """Return a day as a person says it: `23 November 2026`."""
    return str(format_date(day, "d MMMM y"))


def age(since: datetime, now: datetime) -> str:
    """Return for how long something has waited: `3 days`."""
    return str(format_timedelta(now - since, granularity="minute"))
