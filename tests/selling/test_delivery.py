"""Delivery: a paid order's e-tickets reach the buyer once, whatever breaks on the way."""

import icalendar
import pytest
import sqlalchemy as sa

from app.extensions import db
from app.gateways import Gateways
from app.integrations.mailer import MailDelayed
from app.integrations.pdf import TicketDocument, TicketRenderer, TicketRenderingFailed
from app.models import JobStatus, Mail
from app.services.money import cancelling
from app.services.selling import delivery
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import Buyer, OrderRequest, PlacedOrder, WantedItem
from sandbox.client import Mailbox
from tests.integrations.pdf_reading import close_pdfs, open_pdf, text_of
from tests.money.killed import die_after_sending
from tests.money.world import SARI, World
from tests.rows import rows_of


def paid_order(world: World, locale: str = "id", buyer: Buyer = SARI) -> PlacedOrder:
    """Place a free order: it is paid at once."""
    ticket = world.add_ticket(f"Gratis {locale}", price=0)
    lines = (WantedItem(ticket, 2, ("Ayu Lestari", "Budi Santoso")),)
    return world.place_request(OrderRequest(buyer, lines, locale))


def mails(world: World, placed: PlacedOrder) -> list[Mail]:
    with world.app.app_context():
        return rows_of(placed.order_id, Mail)


class BrokenRenderer(TicketRenderer):
    """A renderer whose fonts are gone."""

    def render(self, document: TicketDocument) -> bytes:
        raise TicketRenderingFailed("no fonts")


def deliver(world: World, placed: PlacedOrder, renderer: TicketRenderer | None = None) -> None:
    gateways: Gateways = world.app.extensions["gateways"]
    with world.app.app_context():
        delivery.deliver_etickets(
            placed.order_id,
            now=world.now(),
            renderer=renderer or gateways.renderer,
            mailer=gateways.mailer,
            settings=world.settings,
        )


def test_the_mail_and_its_pdf_speak_the_language_of_the_order(
    mailing_world: World, mailbox: Mailbox
) -> None:
    said = {}
    for locale in ("id", "en"):
        placed = paid_order(mailing_world, locale)
        mailing_world.work(DELIVER)
        mail = mailbox.mails(SARI.email)[0]
        pdf = mailbox.attachment(mail)
        said[locale] = (mail["subject"], " ".join(text_of(page) for page in open_pdf(pdf)))

        (kept,) = mails(mailing_world, placed)
        assert kept.attachments[0] == f"e-tickets-{placed.code}.pdf ({len(pdf)} bytes)"
        assert kept.subject == mail["subject"]
        assert "Ayu Lestari" in said[locale][1]
        assert "Budi Santoso" in said[locale][1]

    close_pdfs()
    assert said["id"][0] != said["en"][0]
    assert "Januari 2030" in said["id"][1]
    assert "January" in said["en"][1]


def test_the_mail_brings_the_event_for_the_calendar(mailing_world: World, mailbox: Mailbox) -> None:
    paid_order(mailing_world)
    mailing_world.work(DELIVER)

    (mail,) = mailbox.mails(SARI.email)
    assert [file["content_type"] for file in mail["attachments"]] == [
        "application/pdf",
        "text/calendar",
    ]
    (entry,) = icalendar.Calendar.from_ical(mailbox.attachment(mail, 1)).events
    event = mailing_world.settings.event
    assert (entry["summary"], entry["location"]) == (event.name, event.venue)
    assert entry.start == event.starts_at


def test_an_order_cancelled_by_staff_meanwhile_gets_no_e_tickets(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = paid_order(mailing_world)
    with mailing_world.app.app_context():
        cancelling.cancel_paid(placed.order_id, by="staff@example.com", now=mailing_world.now())

    mailing_world.work(DELIVER)

    assert mailbox.mails() == []
    assert mails(mailing_world, placed) == []


def test_while_the_mail_server_is_down_the_mail_waits_and_then_goes_once(
    mailing_world: World, mailbox: Mailbox
) -> None:
    mailbox.set_fault("down")
    placed = paid_order(mailing_world)
    mailing_world.work(DELIVER)
    assert mails(mailing_world, placed) == []
    assert len(mailing_world.jobs(DELIVER)) == 1

    mailbox.clear_faults()
    mailing_world.advance_ours(minutes=1)
    mailing_world.work(DELIVER)
    deliver(mailing_world, placed)  # a second job for the same order has nothing to do

    assert len(mailbox.mails(SARI.email)) == len(mails(mailing_world, placed)) == 1
    assert len(mailing_world.jobs(DELIVER, JobStatus.DONE)) == 1


def test_an_address_refused_for_good_is_recorded_and_not_tried_again(
    mailing_world: World, mailbox: Mailbox
) -> None:
    mailbox.set_fault("recipient_refused", code=550)
    placed = paid_order(mailing_world)

    mailing_world.work(DELIVER)
    mailbox.clear_faults()
    mailing_world.advance_ours(hours=1)
    mailing_world.work(DELIVER)

    (kept,) = mails(mailing_world, placed)
    assert kept.refused_because == "SMTP 550"
    assert mailbox.mails() == []


def test_an_address_refused_for_now_is_tried_again(mailing_world: World, mailbox: Mailbox) -> None:
    mailbox.set_fault("recipient_refused", code=451, times=1)
    placed = paid_order(mailing_world)

    mailing_world.work(DELIVER)
    assert mails(mailing_world, placed) == []
    mailing_world.advance_ours(minutes=1)
    mailing_world.work(DELIVER)

    assert [kept.refused_because for kept in mails(mailing_world, placed)] == [None]
    assert len(mailbox.mails(SARI.email)) == 1


def test_without_a_pdf_the_mail_goes_with_the_link_and_says_so(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = paid_order(mailing_world)

    deliver(mailing_world, placed, renderer=BrokenRenderer())

    (mail,) = mailbox.mails(SARI.email)
    (kept,) = mails(mailing_world, placed)
    assert [file["filename"] for file in mail["attachments"]] == ["event.ics"]
    assert len(kept.attachments) == 1
    assert f"http://localhost/orders/{placed.token}" in mail["text"]


def test_a_worker_killed_between_sending_and_recording_sends_the_same_message_again(
    mailing_world: World, mailbox: Mailbox
) -> None:
    placed = paid_order(mailing_world)
    die_after_sending(mailing_world, DELIVER)
    assert mails(mailing_world, placed) == []
    assert mailing_world.work(DELIVER) == 0  # still the dead worker's, until its lease ends
    mailing_world.advance_ours(minutes=3)
    mailing_world.work(DELIVER)

    first, second = mailbox.mails(SARI.email)
    assert first["message_id"] == second["message_id"] == mails(mailing_world, placed)[0].message_id
    assert placed.code in first["message_id"]


def test_an_answer_lost_after_the_mail_was_taken_is_a_delay(
    mailing_world: World, mailbox: Mailbox
) -> None:
    mailbox.set_fault("connection_dropped", stage="answer", times=1)
    placed = paid_order(mailing_world)

    with pytest.raises(MailDelayed):
        deliver(mailing_world, placed)
    deliver(mailing_world, placed)

    assert len({mail["message_id"] for mail in mailbox.mails(SARI.email)}) == 1
    assert len(mails(mailing_world, placed)) == 1


def test_an_address_in_another_script_gets_its_mail(mailing_world: World, mailbox: Mailbox) -> None:
    buyer = Buyer("Jürgen", "juergen@bücher.example", "+6281234567890")
    placed = paid_order(mailing_world, buyer=buyer)

    mailing_world.work(DELIVER)

    assert [kept.refused_because for kept in mails(mailing_world, placed)] == [None]
    assert len(mailbox.mails()) == 1


def test_a_delivery_takes_few_statements(mailing_world: World) -> None:
    placed, statements = paid_order(mailing_world), []
    with mailing_world.app.app_context():
        engine = db.engine

    def count(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    sa.event.listen(engine, "before_cursor_execute", count)
    deliver(mailing_world, placed)
    sa.event.remove(engine, "before_cursor_execute", count)

    told = [each for each in statements if not each.startswith(("BEGIN", "PRAGMA"))]
    assert len(told) == 5, "the order, its seats, its items; whether it was mailed, that it is now"
