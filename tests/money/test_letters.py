"""Letters about money: each is sent once, in the order's language, whatever breaks on the way."""

import pytest

from app.models import JobStatus, Mail, Order, Refund, RefundReason, RefundStatus
from app.services.money import late_money, letters, refunds
from app.services.money.letters import SEND_LETTER
from app.services.money.payments import CONFIRM
from app.services.running.transaction import transaction
from app.services.selling.ordering import EXPIRE_ORDER, OrderRequest, PlacedOrder, WantedItem
from sandbox.client import Json, Mailbox
from tests.money.killed import die_after_sending
from tests.money.world import SARI, World
from tests.rows import rows_of

SEND_REFUND = refunds.SEND_REFUND


def late_order(world: World, locale: str = "id", channel: str = "BCA") -> PlacedOrder:
    """Let an order be paid when somebody else has its only seat."""
    ticket = world.add_ticket(f"Reguler {locale}", amount=1)
    placed = world.place_request(OrderRequest(SARI, (WantedItem(ticket, 1),), locale))
    assert world.try_open_invoice(placed)
    invoice = world.invoice_id(placed)
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    world.place(ticket)
    world.standin.pay(invoice, channel, after_expiry=True)
    world.callback(placed)
    world.work(CONFIRM)
    return placed


def take_money_back(world: World, placed: PlacedOrder) -> Refund:
    with world.app.app_context():
        late_money.take_money_back(placed.order_id, now=world.now())
        (refund,) = rows_of(placed.order_id, Refund)
        return refund


def finish(world: World, refund: Refund) -> None:
    with world.app.app_context(), transaction() as session:
        locked = refunds.lock_refund(session, refund.id)
        refunds.finish(session, locked, RefundStatus.DONE_BY_HAND, by="tests", now=world.now())


def ask(world: World, placed: PlacedOrder, name: str, about: str = "") -> None:
    """Ask for a letter once more."""
    with world.app.app_context(), transaction() as session:
        letters.enqueue(session, placed.order_id, name, now=world.now(), about=about)


def sent(world: World, placed: PlacedOrder) -> list[tuple[str, str, str | None]]:
    with world.app.app_context():
        mails = rows_of(placed.order_id, Mail)
        return [(mail.name, mail.about, mail.refused_because) for mail in mails]


def only_mail(mailbox: Mailbox) -> Json:
    (mail,) = mailbox.mails(SARI.email)
    return mail


@pytest.mark.parametrize(
    ("locale", "subject", "deadline"),
    [
        ("id", "Silakan pilih: kursi Anda sudah habis", "Jika Anda belum"),
        ("en", "Please choose: your seats were gone", "If you choose"),
    ],
)
def test_whoever_paid_too_late_is_told_the_choices_the_deadline_and_the_link(
    mailing_world: World, mailbox: Mailbox, locale: str, subject: str, deadline: str
) -> None:
    placed = late_order(mailing_world, locale)
    mailing_world.add_ticket("Tribun", price=100_000)

    mailing_world.work(SEND_LETTER)

    mail = only_mail(mailbox)
    assert mail["subject"] == f"{subject} ({placed.code})"
    for body in (" ".join(mail["text"].split()), mail["html"]):
        assert "Tribun" in body
        assert "50.000" in body
        assert "150.000" in body
        assert deadline in body
        assert f"http://localhost/orders/{placed.token}" in body
    assert sent(mailing_world, placed) == [("seats_gone", "", None)]


def test_the_letter_asking_for_an_account_leads_to_the_protected_page(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = late_order(mailing_world, "en")
    mailing_world.work(SEND_LETTER)
    mailbox.clear()
    refund = take_money_back(mailing_world, placed)

    mailing_world.work(SEND_REFUND, SEND_LETTER)

    mail = only_mail(mailbox)
    page = f"http://localhost/orders/{placed.token}/bank-details?refund={refund.reference_id}"
    assert page in mail["text"]
    assert page in mail["html"]
    assert "Rp 150.000" in mail["subject"]
    assert "never tell anybody a PIN" in " ".join(mail["text"].split())
    client = mailing_world.app.test_client()
    assert client.get(page.removeprefix("http://localhost")).status_code == 200
    assert sent(mailing_world, placed)[1:] == [("bank_details", refund.reference_id, None)]


@pytest.mark.parametrize(
    ("way", "words"), [("BCA", "transfer to the bank account"), ("DANA", "the way you paid")]
)
def test_a_refund_that_is_done_says_how_much_how_and_how_long(
    mailing_world: World, mailbox: Mailbox, way: str, words: str
) -> None:
    placed = late_order(mailing_world, "en", channel=way)
    refund = take_money_back(mailing_world, placed)
    finish(mailing_world, refund)

    mailing_world.work(SEND_LETTER)

    mail = only_mail(mailbox)  # the choices are overtaken: no letter offers them any more
    assert "150.000" in mail["subject"]
    assert words in " ".join(mail["text"].split())
    assert refund.reference_id in mail["text"]
    assert "day" in mail["text"]
    assert sent(mailing_world, placed) == [("refund_sent", refund.reference_id, None)]


def test_an_account_that_is_known_already_is_not_asked_for(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = late_order(mailing_world)
    refund = take_money_back(mailing_world, placed)
    mailing_world.change(Refund, Refund.id == refund.id, account_number="1234567890")

    mailing_world.work(SEND_REFUND, SEND_LETTER)

    assert mailbox.mails() == []
    assert mailing_world.jobs(SEND_LETTER) == []


def test_a_letter_asked_for_twice_is_sent_once(mailing_world: World, mailbox: Mailbox) -> None:
    placed = late_order(mailing_world)
    ask(mailing_world, placed, letters.SEATS_GONE)

    mailing_world.work(SEND_LETTER)

    only_mail(mailbox)
    done = mailing_world.jobs(SEND_LETTER, JobStatus.DONE)
    assert [job.payload["name"] for job in done].count(letters.SEATS_GONE) == 2
    assert len(sent(mailing_world, placed)) == 1


def test_two_refunds_of_one_order_have_a_letter_each(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = late_order(mailing_world)
    first = take_money_back(mailing_world, placed)
    mailing_world.change(Refund, Refund.id == first.id, amount=100_000)
    with mailing_world.working(), transaction() as session:
        order = session.get_one(Order, placed.order_id)
        money = refunds.money_of(order)
        reason = RefundReason.OVERPAID
        second = refunds.open_refund(session, order, money, 5_000, reason, now=mailing_world.now())
        assert second is not None
        about = second.reference_id
    for reference in (first.reference_id, about, first.reference_id):
        ask(mailing_world, placed, letters.REFUND_SENT, reference)

    mailing_world.work(SEND_LETTER)

    mails = mailbox.mails(SARI.email)
    assert {mail["headers"]["Message-ID"] for mail in mails} == {
        f"<{placed.code}.refund_sent.{reference}@localhost>"
        for reference in (first.reference_id, about)
    }
    assert len(mails) == 2


def test_while_the_mail_server_is_down_the_letter_waits(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = late_order(mailing_world)
    mailbox.set_fault("down")
    mailing_world.work(SEND_LETTER)
    assert sent(mailing_world, placed) == []
    assert len(mailing_world.jobs(SEND_LETTER)) == 1

    mailbox.clear_faults()
    mailing_world.advance_ours(minutes=1)
    mailing_world.work(SEND_LETTER)

    only_mail(mailbox)
    assert sent(mailing_world, placed) == [("seats_gone", "", None)]


def test_a_refusal_for_good_is_recorded_and_loud(
    mailing_world: World, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    placed = late_order(mailing_world)
    mailbox.set_fault("recipient_refused", code=550)
    mailing_world.work(SEND_LETTER)
    assert sent(mailing_world, placed) == [("seats_gone", "", "SMTP 550")]
    assert [r.levelname for r in caplog.records if r.message == "mail refused"] == ["ERROR"]
    assert mailing_world.jobs(SEND_LETTER) == []


def test_a_worker_killed_after_sending_sends_the_same_message_again(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = late_order(mailing_world)
    die_after_sending(mailing_world, SEND_LETTER)
    mailing_world.advance_ours(minutes=3)
    mailing_world.work(SEND_LETTER)

    ids = [mail["headers"]["Message-ID"] for mail in mailbox.mails(SARI.email)]
    assert ids == [f"<{placed.code}.seats_gone@localhost>"] * 2
    assert sent(mailing_world, placed) == [("seats_gone", "", None)]


def test_a_letter_about_a_refund_of_another_order_is_never_sent(
    mailing_world: World, mailbox: Mailbox
) -> None:
    owed = late_order(mailing_world)
    refund = take_money_back(mailing_world, owed)
    other = mailing_world.place(mailing_world.add_ticket("Lain"))
    ask(mailing_world, other, letters.REFUND_SENT, refund.reference_id)

    mailing_world.work(SEND_LETTER)

    assert mailbox.mails() == []
    assert len(mailing_world.jobs(SEND_LETTER)) == 1  # loud, and tried again
