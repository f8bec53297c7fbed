"""Whom a message goes to: listed in steps, each person once, as they hold tickets when it goes."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import ETicket, Message, MessageRecipient, RecipientStatus, Role
from app.services.office import message_listing, messages
from app.services.office.messages import MessageText
from app.services.running.audit import Actor
from app.services.running.transaction import transaction
from tests.office.post_office import PATH, TEXT, PostOffice, press, send_to_all, try_it, write
from tests.pages.html import Page
from tests.running.sales import add_ticket, order
from tests.staff.office import send

HTMX = {"HX-Request": "true"}


def revoke(post: PostOffice, order_id: int) -> None:
    """Take an order's e-tickets away, as cancelling does."""
    with post.working(), transaction() as session:
        mine = sa.update(ETicket).where(ETicket.order_id == order_id)
        session.execute(mine.values(revoked_at=datetime.now(UTC)))


def listed(post: PostOffice) -> list[tuple[str, int]]:
    """Return who is on the list, and about which order."""
    with post.working():
        row = MessageRecipient
        rows = db.session.execute(sa.select(row.address, row.order_id).order_by(row.address))
        return [(address, order_id) for address, order_id in rows]


def text_of(client: FlaskClient, address: str) -> str:
    return Page(client.get(address)).root.text


def test_many_are_counted_by_a_worker_in_steps_and_the_page_tells_how_far_it_is(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_listing, "STEP", 2)
    orders = [post.buy(f"tamu{number}@example.com", post.seated) for number in range(4)]
    again = post.buy("Tamu0@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)

    assert "Counting whom it goes to: 40 %, 2 people so far." in text_of(client, address)
    part = Page(client.get(address, headers=HTMX)).by_id("listing")
    assert part.attributes["hx-get"].endswith("?poll=1")
    assert "being counted" in text_of(client, PATH)
    assert client.get(f"{address}/send").status_code == 409

    post.work()

    assert "It would go to 4 people." in text_of(client, address)
    assert "hx-get" not in Page(client.get(address, headers=HTMX)).by_id("listing").attributes
    expected = [f"tamu{number}@example.com" for number in range(4)]
    assert listed(post) == list(zip(expected, [again, *orders[1:]], strict=True))


def test_a_list_is_made_in_as_many_transactions_as_it_has_steps(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_listing, "STEP", 1)
    for number in range(3):
        post.buy(f"tamu{number}@example.com", post.seated)
    write(post.log_in(Role.ADMIN), post.seated)
    with post.working():
        message_id = db.session.scalars(sa.select(Message.id)).one()

    sizes = [len(listed(post))]
    with post.app.app_context():
        while not message_listing._go_on(message_id, datetime.now(UTC)):
            db.session.remove()
            sizes.append(len(listed(post)))

    assert sizes == [1, 2, 3], "after each step all of it is kept"


def test_a_list_is_made_in_one_way_on_every_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_listing, "STEP", 1)
    now = datetime.now(UTC)
    with app.app_context():
        ticket_id = add_ticket("Gratis", now=now, price=0)
        settings = app.extensions["settings"]
        placed = [order(ticket_id, 2, now=now, settings=settings) for _time in range(2)]
        text = MessageText("Halo", "Halo")
        message_id = messages.write(text, [ticket_id], by=Actor.command("tests"), now=now)
        message_listing.finish(message_id, clock=lambda: now)

        [person] = db.session.scalars(sa.select(MessageRecipient))
        assert person.order_id == placed[-1].order_id, "one person, about the latest order"
        assert db.session.get_one(Message, message_id).listed_at == now


def test_other_tickets_are_counted_anew_and_another_text_is_not(post: PostOffice) -> None:
    post.buy("seated@example.com", post.seated)
    post.buy("standing@example.com", post.standing)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    before = listed(post)
    post.buy("later@example.com", post.seated)

    for shown, (ticket, body) in enumerate([(post.seated, "B"), (post.standing, "B")], start=1):
        fields = {**TEXT, "body": body, "ticket": [ticket]}
        assert send(client, f"{address}/edit", None, shown=shown, **fields).status == 303
        names = [name for name, _order in listed(post)]
        is_same = ticket == post.seated
        assert (listed(post) == before) is is_same
        assert names == (["seated@example.com"] if is_same else ["standing@example.com"])


def test_it_goes_to_those_who_were_counted_and_shown(post: PostOffice) -> None:
    post.buy("sari@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    try_it(post, client, address)
    post.buy("later@example.com", post.seated)

    assert press(client, address, "send").status == 303
    post.work()

    assert post.got() == ["sari@example.com"]


def test_where_many_have_bought_since_an_old_list_is_made_anew_before_it_is_sent(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.buy("tamu0@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    try_it(post, client, address)
    monkeypatch.setattr(message_listing, "STEP", 2)
    monkeypatch.setattr(message_listing, "FRESH", timedelta())
    for number in range(1, 5):
        post.buy(f"tamu{number}@example.com", post.seated)

    refused = press(client, address, "send")

    assert refused.status == 409
    assert "still being counted" in refused.root.text
    post.work()
    assert post.got() == [], "nobody was asked about this number yet"
    assert press(client, address, "send").status == 303
    post.work()
    assert post.got() == [f"tamu{number}@example.com" for number in range(5)]


def test_who_holds_no_ticket_any_more_is_not_written_to(post: PostOffice) -> None:
    gone = post.buy("gone@example.com", post.seated)
    older = post.buy("stays@example.com", post.seated)
    newer = post.buy("Stays@example.com", post.seated)
    client, address = send_to_all(post, post.seated)
    for order_id in (gone, newer):
        revoke(post, order_id)

    post.work()

    assert post.got() == ["Stays@example.com"]
    assert post.states()["gone@example.com"] is RecipientStatus.GONE
    shown = text_of(client, address)
    assert "2 of 2" in shown
    assert "No ticket any more1" in shown
    with post.working():
        token = db.session.scalar(sa.text("SELECT token FROM orders WHERE id = :id"), {"id": older})
    assert str(token) in post.letters()[0].as_string(), "about the order that is still good"
