"""Resending: the e-tickets once more, a few times a day, whoever presses where."""

from datetime import timedelta

import pytest

from app.errors import ResentEnough
from app.models import Mail
from app.services.money import cancelling
from app.services.running import jobs
from app.services.running.transaction import transaction, use_case
from app.services.selling import resending
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import PlacedOrder
from app.services.selling.resending import MOST, PAUSE, RESEND, WITHIN, TicketMail, look_at_mail
from sandbox.client import Mailbox
from tests.harness.interleaving import MOMENT, say_moment
from tests.money.world import World
from tests.rows import rows_of


def paid_order(world: World) -> PlacedOrder:
    """Place a free order: it is paid at once."""
    return world.place(world.add_ticket("Gratis", price=0), 2)


def ask(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        resending.resend_etickets(placed.order_id, now=world.now())


def look(world: World, placed: PlacedOrder) -> TicketMail:
    with world.app.app_context():
        return look_at_mail(placed.order_id, world.now())


def mails(world: World, placed: PlacedOrder) -> list[Mail]:
    with world.app.app_context():
        return rows_of(placed.order_id, Mail)


def test_the_mail_comes_once_more_and_says_so(mailing_world: World, mailbox: Mailbox) -> None:
    placed = paid_order(mailing_world)
    mailing_world.work(DELIVER)
    ask(mailing_world, placed)
    assert look(mailing_world, placed).is_coming
    mailing_world.work(RESEND)
    first, second = sorted(mailbox.mails(), key=lambda mail: "ulang" in mail["subject"])
    assert second["subject"].startswith("Kiriman ulang: e-tiket Anda untuk ")
    assert "sekali lagi" in second["text"]
    assert mailbox.attachment(second).startswith(b"%PDF-")
    sent = mails(mailing_world, placed)
    assert [mail.name for mail in sent] == ["etickets", "etickets_again"]
    assert sent[0].message_id != sent[1].message_id
    assert first["subject"] != second["subject"]
    now = look(mailing_world, placed)
    assert (now.is_coming, now.was_repeated, now.left) == (False, True, MOST - 1)


def test_it_is_sent_a_few_times_a_day_with_pauses(each_world: World) -> None:
    placed = paid_order(each_world)
    for _ in range(MOST):
        ask(each_world, placed)
        with pytest.raises(ResentEnough) as refusal:
            ask(each_world, placed)
        assert (refusal.value.retry_after or 0) > 0
        each_world.advance_ours(seconds=PAUSE.total_seconds() + 1)
    with pytest.raises(ResentEnough):
        ask(each_world, placed)
    assert look(each_world, placed).left == 0
    each_world.advance_ours(seconds=(WITHIN - (MOST - 1) * PAUSE).total_seconds())
    ask(each_world, placed)
    assert len(each_world.jobs(RESEND)) == MOST + 1


def test_another_order_has_a_count_of_its_own(each_world: World) -> None:
    first, second = (each_world.place(each_world.add_ticket(n, price=0)) for n in ("A", "B"))
    ask(each_world, first)
    ask(each_world, second)
    assert len(each_world.jobs(RESEND)) == 2


@pytest.mark.parametrize("moment", ["FOR UPDATE", "INSERT INTO jobs"])
def test_two_tabs_at_once_send_one_mail(mariadb_world: World, moment: str) -> None:
    placed = paid_order(mariadb_world)
    results = mariadb_world.overlap(*[lambda: ask(mariadb_world, placed)] * 2, after=moment)
    assert len(mariadb_world.jobs(RESEND)) == 1
    assert {type(result) for result in results} == {type(None), ResentEnough}


@use_case
def ask_without_lock(world: World, placed: PlacedOrder) -> None:
    """Count and write as one would without thinking of other tabs."""
    with transaction() as session:
        is_first = not resending._wishes(session, placed.order_id)
        say_moment(session)
        if is_first:
            payload = {"order_id": placed.order_id, "about": "x"}
            jobs.enqueue(session, RESEND, payload, now=world.now(), due_at=world.now())


def test_without_the_lock_two_tabs_send_two_mails(mariadb_world: World) -> None:
    placed = paid_order(mariadb_world)
    asks = [lambda: ask_without_lock(mariadb_world, placed)] * 2
    mariadb_world.overlap(*asks, after=MOMENT)
    assert len(mariadb_world.jobs(RESEND)) == 2


def test_an_order_that_is_not_paid_has_nothing_to_send(world: World) -> None:
    ask(world, world.place(world.add_ticket()))
    assert world.jobs(RESEND) == []


def test_an_order_cancelled_meanwhile_gets_no_mail(mailing_world: World) -> None:
    placed = paid_order(mailing_world)
    ask(mailing_world, placed)
    with mailing_world.app.app_context():
        cancelling.cancel_paid(placed.order_id, now=mailing_world.now(), by="test")
    mailing_world.work(RESEND)
    assert mails(mailing_world, placed) == []


def test_the_limits_leave_room_for_another_try() -> None:
    assert MOST * PAUSE < WITHIN
    assert timedelta(minutes=1) <= PAUSE
