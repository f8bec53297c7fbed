"""Reminders and news of expiry: at the right moment, once, and never what is not true any more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from app.models import MoneyCase, Order, Payment
from app.services.money import cancelling, extending, letters
from app.services.money.letters import SEND_LETTER
from app.services.money.payments import CONFIRM
from app.services.selling.ordering import EXPIRE_ORDER, OrderRequest, PlacedOrder, WantedItem
from sandbox.client import Mailbox
from tests.money.killed import die_after_sending
from tests.money.test_letters import ask, only_mail, sent
from tests.money.world import SARI, World

# The hold is 30 minutes, the invoice ends 90 seconds before it: so the reminder goes after 18:30,
# and two minutes before that are as long as a slow machine takes.
BEFORE, DUE, TOO_LATE = 16.5, 18.6, 23.6

Change = Callable[[World, PlacedOrder], None]


def order(world: World, locale: str = "en") -> PlacedOrder:
    """Place an order for two seats and open its invoice."""
    ticket = world.add_ticket(f"Reguler {locale}", amount=2)
    placed = world.place_request(OrderRequest(SARI, (WantedItem(ticket, 2),), locale))
    assert world.try_open_invoice(placed)
    return placed


def extend(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        assert extending.extend_hold(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )


def cancel(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        assert cancelling.cancel_unpaid(placed.order_id, now=world.now(), gateway=world.gateway)


def pay(world: World, placed: PlacedOrder) -> None:
    world.standin.pay(world.invoice_id(placed), "BCA")
    world.callback(placed)
    world.work(CONFIRM)


def pay_too_little(world: World, placed: PlacedOrder) -> None:
    world.standin.pay(world.invoice_id(placed), "BCA", amount=1_000)
    world.callback(placed)
    world.work(CONFIRM)
    assert world.count(MoneyCase) == 1


def expire(world: World, placed: PlacedOrder) -> None:
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    assert world.standing(placed).order == "EXPIRED"


@pytest.mark.parametrize(
    ("locale", "subject", "button"),
    [
        ("id", "Kursi Anda menunggu sampai pukul", "Bayar Rp\N{NO-BREAK SPACE}300.000"),
        ("en", "Your seats wait until", "Pay Rp\N{NO-BREAK SPACE}300.000"),
    ],
)
def test_an_unpaid_buyer_is_reminded_once_before_the_hold_ends(
    mailing_world: World, mailbox: Mailbox, locale: str, subject: str, button: str
) -> None:
    placed = order(mailing_world, locale)
    mailing_world.advance(minutes=BEFORE)
    mailing_world.work(SEND_LETTER)
    assert mailbox.mails() == []

    mailing_world.advance(minutes=DUE - BEFORE)
    mailing_world.work(SEND_LETTER)
    ask(mailing_world, placed, letters.REMINDER)
    mailing_world.work(SEND_LETTER)

    mail = only_mail(mailbox)
    assert mail["subject"].startswith(subject)
    assert button in unescape(mail["html"])
    for body in (mail["text"], mail["html"]):
        assert f"2 × Reguler {locale}" in body
        assert f"http://localhost/orders/{placed.token}" in body
    assert sent(mailing_world, placed) == [("payment_reminder", "", None)]


def test_the_time_named_is_when_the_invoice_ends(mailing_world: World, mailbox: Mailbox) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=DUE)
    mailing_world.work(SEND_LETTER)

    ends_at = mailing_world.payment(placed).invoice_expires_at
    assert ends_at
    local = ends_at.astimezone(mailing_world.settings.event.timezone)
    assert f"{local:%H:%M}" in only_mail(mailbox)["subject"]


def test_more_time_moves_the_reminder(mailing_world: World, mailbox: Mailbox) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=15)
    extend(mailing_world, placed)

    mailing_world.advance(minutes=BEFORE)
    mailing_world.work(SEND_LETTER)
    assert mailbox.mails() == []

    mailing_world.advance(minutes=DUE - BEFORE)
    mailing_world.work(SEND_LETTER)
    only_mail(mailbox)
    assert sent(mailing_world, placed) == [("payment_reminder", "", None)]


@pytest.mark.parametrize("happens", [pay, cancel, expire, pay_too_little])
def test_nobody_is_reminded_of_what_is_settled(
    mailing_world: World, mailbox: Mailbox, happens: Change
) -> None:
    placed = order(mailing_world)
    happens(mailing_world, placed)
    mailing_world.advance(minutes=DUE)

    mailing_world.work(SEND_LETTER)

    assert letters.REMINDER not in [name for name, _, _ in sent(mailing_world, placed)]
    assert mailing_world.jobs(SEND_LETTER) == []


def test_a_buyer_on_the_way_to_cancelling_is_not_reminded(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=DUE)
    now = mailing_world.now()
    mailing_world.change(Order, Order.id == placed.order_id, cancel_requested_at=now)

    mailing_world.work(SEND_LETTER)

    assert mailbox.mails() == []


def test_a_worker_that_comes_too_late_alarms_nobody(mailing_world: World, mailbox: Mailbox) -> None:
    order(mailing_world)
    mailing_world.advance(minutes=TOO_LATE)

    mailing_world.work(SEND_LETTER)

    assert mailbox.mails() == []
    assert mailing_world.jobs(SEND_LETTER) == []


def test_whoever_just_came_back_from_paying_is_left_in_peace(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=DUE)
    now = mailing_world.now()
    mailing_world.change(Payment, Payment.order_id == placed.order_id, hinted_at=now)
    mailing_world.work(SEND_LETTER)
    assert mailbox.mails() == []

    mailing_world.advance(minutes=2.1)  # and yet no money came
    mailing_world.work(SEND_LETTER)
    only_mail(mailbox)


def test_a_short_hold_has_no_reminder(mailing_world: World) -> None:
    mailing_world.settings = replace(mailing_world.settings, order_hold=timedelta(minutes=19))
    order(mailing_world)
    assert mailing_world.jobs(SEND_LETTER) == []


def test_a_worker_killed_after_reminding_sends_the_same_message_again(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=DUE)
    die_after_sending(mailing_world, SEND_LETTER)
    mailing_world.advance_ours(minutes=2.1)  # the lease ends, and there is still time to pay
    mailing_world.work(SEND_LETTER)

    ids = [mail["headers"]["Message-ID"] for mail in mailbox.mails(SARI.email)]
    assert ids == [f"<{placed.code}.payment_reminder@localhost>"] * 2
    assert sent(mailing_world, placed) == [("payment_reminder", "", None)]


def test_paying_between_two_tries_silences_the_second(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = order(mailing_world)
    mailing_world.advance(minutes=DUE)
    mailbox.set_fault("down")
    mailing_world.work(SEND_LETTER)
    assert len(mailing_world.jobs(SEND_LETTER)) == 1
    mailbox.clear_faults()
    pay(mailing_world, placed)

    mailing_world.advance_ours(minutes=1)
    mailing_world.work(SEND_LETTER)

    assert mailbox.mails() == []


@pytest.mark.parametrize(
    ("locale", "subject", "nothing"),
    [
        ("id", "Kursi Anda sudah dilepas", "Tidak ada uang yang ditarik."),
        ("en", "Your seats were given back", "Nothing was charged."),
    ],
)
def test_whoever_let_the_time_run_out_is_told_once_that_nothing_was_charged(
    mailing_world: World, mailbox: Mailbox, locale: str, subject: str, nothing: str
) -> None:
    placed = order(mailing_world, locale)
    expire(mailing_world, placed)

    mailing_world.work(SEND_LETTER)
    ask(mailing_world, placed, letters.EXPIRED)
    mailing_world.work(SEND_LETTER)

    mail = only_mail(mailbox)
    assert mail["subject"] == f"{subject} ({placed.code})"
    for body in (" ".join(mail["text"].split()), mail["html"]):
        assert nothing in body
        assert f"http://localhost/orders/{placed.token}" in body
    assert sent(mailing_world, placed) == [("order_expired", "", None)]


def test_a_buyer_who_cancelled_gets_no_news(mailing_world: World, mailbox: Mailbox) -> None:
    placed = order(mailing_world)
    cancel(mailing_world, placed)
    ask(mailing_world, placed, letters.EXPIRED)
    mailing_world.advance(hours=1)
    mailing_world.work(EXPIRE_ORDER, SEND_LETTER)
    assert mailbox.mails() == []


def test_late_money_that_had_its_seats_again_makes_the_news_untrue(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = order(mailing_world)
    expire(mailing_world, placed)
    mailing_world.standin.pay(mailing_world.invoice_id(placed), "BCA", after_expiry=True)
    mailing_world.callback(placed)
    mailing_world.work(CONFIRM)
    assert mailing_world.standing(placed).order == "PAID"

    mailing_world.work(SEND_LETTER)

    assert mailbox.mails() == []


def test_news_older_than_a_day_is_no_news(mailing_world: World, mailbox: Mailbox) -> None:
    placed = order(mailing_world)
    expire(mailing_world, placed)
    mailing_world.advance_ours(days=1)
    mailing_world.work(SEND_LETTER)
    assert mailbox.mails() == []
