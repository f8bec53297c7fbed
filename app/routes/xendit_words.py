"""What happened at Xendit, in words: invoices, deliveries of the webhook, readings, money."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.errors import Words
from app.formatting import rupiah

Facts = Mapping[str, Any]


def invoice_made(facts: Facts) -> Words:
    """Say that an invoice was made."""
    return _("Invoice %(invoice)s made at Xendit", **facts)


def invoice_replaced(facts: Facts) -> Words:
    """Say that an invoice gave way to one that ends later."""
    return _("More time asked for: invoice %(invoice)s replaced", **facts)


def invoice_ends(facts: Facts) -> Words:
    """Say that an invoice ends, or ended, by itself."""
    return _("Invoice %(invoice)s ends", **facts)


def callback(facts: Facts) -> Words:
    """Say what a delivery to the webhook was about, and how often it came."""
    words = _("Webhook %(status)s about %(about)s", status=facts["status"], about=facts["about"])
    if facts["deliveries"] == 1:
        return words
    return words + ngettext(", %(num)d time", ", %(num)d times", facts["deliveries"])


def money_came(facts: Facts) -> Words:
    """Say how much was paid, and through what."""
    return _(
        "%(amount)s paid by %(channel)s, invoice %(invoice)s",
        amount=rupiah(facts["amount"] or 0),
        channel=facts["channel"] or _("an unknown channel"),
        invoice=facts["invoice"],
    )


def reading_asked(_facts: Facts) -> Words:
    """Say that somebody came back from paying."""
    return _("A look at the invoice was asked for")


def reading(facts: Facts) -> Words:
    """Say what Xendit said of an invoice; the state is Xendit's own word."""
    return _("Invoice %(invoice)s read at Xendit: %(status)s", **facts)


def reading_failed(facts: Facts) -> Words:
    """Say why Xendit could not be asked."""
    return _("Xendit could not be asked about the invoice: %(why)s", **facts)


def read_last(_facts: Facts) -> Words:
    """Say that the invoice was read, and nothing was new."""
    return _("Invoice last read at Xendit")
