"""Sending messages: stopped at once, and never twice to one person, whatever breaks."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import Message, MessageRecipient, RecipientStatus
from app.services.office import message_sending
from app.services.office.message_letter import Recipient
from app.services.running.transaction import transaction
from tests.office.post_office import PostOffice, press, send_to_all, send_to_all_with_sample_first
from tests.pages.html import Page


def test_a_message_stops_at_once_and_goes_on_where_it_stopped(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_sending, "BATCH", 2)
    for number in range(5):
        post.buy(f"tamu{number}@example.com", post.seated)
    client, address = send_to_all(post, post.seated)
    post.work(steps=1)

    assert press(client, address, "stop").status == 303
    post.work()
    assert len(post.got()) == 2
    assert "2 of 5" in Page(client.get(address)).root.text

    assert press(client, address, "go-on").status == 303
    post.work()
    assert post.got() == [f"tamu{number}@example.com" for number in range(5)]


def test_between_two_letters_of_a_batch_it_stops_too(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        post.buy(f"tamu{number}@example.com", post.seated)
    client, address = send_to_all(post, post.seated)
    take = message_sending._take

    def stop_after_first(message_id: int, now: datetime) -> Recipient | None:
        if post.got():
            press(client, address, "stop") if "Stop" in client.get(address).text else None
        return take(message_id, now)

    monkeypatch.setattr(message_sending, "_take", stop_after_first)
    post.work()

    assert len(post.got()) == 1


def test_who_was_refused_is_named_and_tried_again_only_when_asked(post: PostOffice) -> None:
    post.mailbox.answers["gone"] = "550 5.1.1 no such mailbox"
    post.buy("gone@example.com", post.seated)
    post.buy("here@example.com", post.seated)
    client, address = send_to_all(post, post.seated)
    post.work()

    page = Page(client.get(address))
    assert "gone@example.com" in page.root.text
    assert "no such mailbox" in page.root.text
    assert post.got() == ["here@example.com"]

    del post.mailbox.answers["gone"]
    assert press(client, address, "retry").status == 303
    post.work()
    assert post.got() == ["gone@example.com", "here@example.com"]


def test_a_lost_answer_never_makes_a_second_letter(post: PostOffice) -> None:
    post.mailbox.answers["data"] = "hang up"
    post.buy("sari@example.com", post.seated)
    client, address = send_to_all_with_sample_first(post)
    post.work()
    del post.mailbox.answers["data"]
    post.work()

    assert post.got() == []
    assert post.states() == {"sari@example.com": RecipientStatus.UNSURE}
    assert "perhaps arrived" in Page(client.get(address)).root.text


def test_a_letter_that_was_not_taken_goes_out_later_and_once(post: PostOffice) -> None:
    post.mailbox.answers["data"] = "451 4.3.2 try again later"
    post.buy("sari@example.com", post.seated)
    send_to_all_with_sample_first(post)
    post.work(steps=1)
    assert post.states() == {"sari@example.com": RecipientStatus.WAITING}

    del post.mailbox.answers["data"]
    post.work()
    post.work()

    assert post.got() == ["sari@example.com"]


def test_whom_a_worker_had_when_it_died_is_not_written_to_again(post: PostOffice) -> None:
    for name in ("first", "second"):
        post.buy(f"{name}@example.com", post.seated)
    send_to_all(post, post.seated)
    with post.working():
        message_id = db.session.scalars(sa.select(Message.id)).one()
        taken = message_sending._take(message_id, datetime(2027, 1, 1, tzinfo=UTC))
        assert taken and taken.email == "first@example.com"
    with post.working(), transaction() as session:
        long_ago = datetime.now(UTC) - 2 * message_sending.LOST_AFTER
        session.execute(sa.update(MessageRecipient).values(taken_at=long_ago))
    post.work()

    assert post.got() == ["second@example.com"]
    assert post.states()["first@example.com"] is RecipientStatus.UNSURE
