"""Messages to attendees: everybody who holds a ticket gets one, written with care."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import AuditEntry, ETicket, Role
from app.services.office import message_listing
from app.services.running.transaction import transaction
from tests.harness.statements import listening
from tests.office.post_office import (
    PATH,
    TEXT,
    PostOffice,
    press,
    press_again,
    send_to_all,
    try_it,
    write,
)
from tests.pages.html import Page
from tests.staff.office import send


def test_a_message_is_written_looked_at_tried_and_sent(post: PostOffice) -> None:
    for number in range(3):
        post.buy(f"tamu{number}@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    draft = Page(client.get(address))

    assert "It would go to 3 people." in draft.root.text
    assert not draft.all("a", href=f"{address}/send")
    assert "Pintu masuk pindah." in client.get(f"{address}/mail/id").text

    assert press(client, address, "try").status == 303
    post.work()
    assert post.got() == ["admin@tedxsenja.example"]
    assert "It goes to 3 people, once each." in Page(client.get(f"{address}/send")).root.text

    assert press(client, address, "send").status == 303
    assert "0 of 3" in Page(client.get(address)).root.text
    post.work()

    assert post.got()[1:] == [f"tamu{number}@example.com" for number in range(3)]
    end = Page(client.get(address)).root.text
    assert "3 of 3" in end
    assert "Sent" in end
    letter = post.letters()[1]
    assert letter["Subject"] == "Pintu pindah"
    assert letter["Reply-To"] == "halo@tedxsenja.example"
    with post.working():
        entry = db.session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "message.sent")
        ).one()
        assert entry.changes == {"recipients": [None, 3]}


def test_one_person_gets_one_letter_in_the_language_of_the_latest_order(post: PostOffice) -> None:
    post.buy("sari@example.com", post.seated, "id")
    post.buy("Sari@Example.com", post.standing, "en")
    english = {"subject_en": "The gate has moved", "body_en": "It is at the back now."}

    send_to_all(post, post.seated, post.standing, **english)
    post.work()

    assert [letter["Subject"] for letter in post.letters()] == ["The gate has moved"]


def test_without_an_english_text_everybody_gets_the_indonesian(post: PostOffice) -> None:
    post.buy("sari@example.com", post.seated, "en")

    send_to_all(post, post.seated)
    post.work()

    assert [letter["Subject"] for letter in post.letters()] == ["Pintu pindah"]


def test_only_who_holds_a_chosen_ticket_now_is_written_to(post: PostOffice) -> None:
    post.buy("holds@example.com", post.seated)
    post.buy("other@example.com", post.standing)
    revoked = post.buy("revoked@example.com", post.seated)
    with post.working(), transaction() as session:
        mine = sa.update(ETicket).where(ETicket.order_id == revoked)
        session.execute(mine.values(revoked_at=datetime.now(UTC)))

    send_to_all(post, post.seated)
    post.buy("later@example.com", post.seated)
    post.work()

    assert post.got() == ["holds@example.com"]


def test_an_old_list_is_not_sent_to_another_number_than_was_shown(
    post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_listing, "FRESH", timedelta())
    post.buy("sari@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    try_it(post, client, address)
    post.buy("late@example.com", post.seated)

    refused = press(client, address, "send")

    assert refused.status == 409
    assert "It goes to 2 people" in refused.root.text
    post.work()
    assert post.got() == []
    assert press(client, address, "send").status == 303
    assert press_again(client, address) == 409, "sent already"
    post.work()
    assert len(post.got()) == 2


def test_a_changed_draft_is_tried_again_before_it_is_sent(post: PostOffice) -> None:
    post.buy("sari@example.com", post.seated)
    client = post.log_in(Role.ADMIN)
    address = write(client, post.seated)
    press(client, address, "try")
    post.work()

    changed = {**TEXT, "body": "Lain", "ticket": [post.seated]}
    assert send(client, f"{address}/edit", None, shown=1, **changed).status == 303
    assert press_again(client, address, shown=2, count=1) == 409
    stale = send(client, f"{address}/edit", None, shown=1, **changed | {"body": "Zu spät"})

    assert stale.status == 409
    assert "Zu spät" in stale.source
    assert "It would go to 1 person." in Page(client.get(address)).root.text


def test_what_is_typed_can_only_ever_be_text_and_links(post: PostOffice) -> None:
    post.buy("sari@example.com", post.seated)
    body = "<script>alert(1)</script>\n\nhttps://example.com/a?b=1&c=2 javascript:alert(1)"

    send_to_all(post, post.seated, subject="Halo\r\nBcc: all@example.com", body=body)
    post.work()

    [letter] = post.letters()
    assert letter["Subject"] == "Halo Bcc: all@example.com"
    assert letter["Bcc"] is None
    html = letter.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    assert "<script" not in shown
    assert 'href="https://example.com/a?b=1&amp;c=2"' in shown
    assert 'href="javascript' not in shown


MISTAKES: tuple[tuple[dict[str, object], str], ...] = (
    ({"ticket": []}, "ticket"),
    ({"ticket": ["999"]}, "ticket"),
    ({"subject": " "}, "subject"),
    ({"body": ""}, "body"),
    ({"subject": "x" * 151}, "subject"),
    ({"body": "x" * 5001}, "body"),
    ({"subject_en": "Only the subject"}, "body_en"),
)


def test_a_mistake_is_marked_and_nothing_typed_is_lost(post: PostOffice) -> None:
    client = post.log_in(Role.ADMIN)
    for changes, field in MISTAKES:
        fields: dict[str, object] = {**TEXT, "ticket": [post.seated], **changes}
        page = send(client, f"{PATH}/new", None, **fields)

        assert page.status == 422, changes
        assert page.all("p", id=f"{field}-error"), changes
        assert str(changes.get("body", TEXT["body"]))[:100] in page.source


def test_pages_take_few_statements_however_many_are_written_to(post: PostOffice) -> None:
    for number in range(15):
        post.buy(f"tamu{number}@example.com", post.seated)
    client, address = send_to_all(post, post.seated)
    with post.working():
        engine = db.engine
    for path in (PATH, f"{PATH}/new", address):
        with listening(engine) as spoken:
            assert client.get(path).status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"
