"""A post office for tests: attendees, their mailbox, and a worker that is under control."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app import worker
from app.extensions import db
from app.models import MessageRecipient, RecipientStatus, Role
from app.services.office import message_listing, messages
from app.services.running import jobs
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.integrations.smtp import HOST, Mailbox, serving
from tests.pages.html import Page
from tests.running.sales import add_ticket
from tests.staff.office import Office, send

PATH = "/staff/messages"
KINDS = (message_listing.LIST_MESSAGE, messages.SEND_MESSAGE, messages.TRY_MESSAGE)
TEXT = {"subject": "Pintu pindah", "body": "Pintu masuk pindah.\n\nLihat https://example.com/peta"}


@dataclass
class PostOffice(Office):
    """An office whose mails arrive in `mailbox`, and two tickets that cost nothing."""

    mailbox: Mailbox
    seated: int = 0
    standing: int = 0

    def buy(self, email: str, ticket_id: int, locale: str = "id") -> int:
        """Order a seat, which is paid at once, and return the order's id."""
        buyer = Buyer("Sari Dewi", email, "+6281234567890")
        wish = OrderRequest(buyer, (WantedItem(ticket_id, 1),), locale=locale)
        settings = self.app.extensions["settings"]
        with self.working():
            return place_order(wish, now=datetime.now(UTC), settings=settings).order_id

    def work(self, steps: int = 20) -> None:
        """Do what a worker does with messages, until nothing is left or so many steps were made."""
        with self.app.app_context():
            for _step in range(steps):
                job = jobs.claim(datetime(2100, 1, 1, tzinfo=UTC), KINDS)
                if job is None:
                    return
                worker._do(job)
                db.session.remove()

    def got(self) -> list[str]:
        """Return who has got how many letters: an address for each."""
        return sorted(address for one in self.mailbox.envelopes for address in one.rcpt_tos)

    def letters(self) -> list[EmailMessage]:
        """Return the letters that arrived."""
        return [
            message_from_bytes(cast(bytes, one.content), policy=policy.default)
            for one in self.mailbox.envelopes
        ]

    def states(self) -> dict[str, RecipientStatus]:
        """Return how each letter stands, by address."""
        with self.working():
            rows = db.session.execute(sa.select(MessageRecipient.address, MessageRecipient.status))
            return {row.address: row.status for row in rows}


@pytest.fixture
def post(tmp_path: Path) -> Iterator[PostOffice]:
    """The post office on SQLite, with nobody who holds a ticket yet."""
    mailbox = Mailbox()
    with serving(mailbox) as port:
        settings = make_settings(fresh_sqlite(tmp_path))
        mail = replace(settings.mail, server=HOST, port=port)
        with running_app(replace(settings, mail=mail)) as app:
            office = PostOffice(app, mailbox)
            with office.working():
                now = datetime.now(UTC)
                office.seated = add_ticket("Duduk", now=now, amount=100, price=0)
                office.standing = add_ticket("Berdiri", now=now, amount=100, price=0)
            yield office


def write(client: FlaskClient, *tickets: int, **changes: str) -> str:
    """Write a draft and return its address."""
    fields: dict[str, object] = {**TEXT, **changes, "ticket": list(tickets)}
    page = send(client, f"{PATH}/new", None, **fields)
    assert page.status == 303, page.root.text
    return str(page.headers["Location"])


def press(client: FlaskClient, address: str, what: str, **changes: object) -> Page:
    """Send one of the forms of a message's page as the page shows it."""
    page = Page(client.get(f"{address}/send" if what == "send" else address))
    [form] = [one for one in page.all("form") if one.attributes["action"].endswith(f"/{what}")]
    inputs = [one.attributes for one in form.walk() if one.tag == "input"]
    fields = {one["name"]: one["value"] for one in inputs}
    return Page(client.post(f"{address}/{what}", data=fields | changes))


def try_it(post: PostOffice, client: FlaskClient, address: str) -> None:
    """Have a draft's sample sent and read, as must be before it can go to all."""
    assert press(client, address, "try").status == 303
    post.work()
    post.mailbox.envelopes.clear()


def send_to_all(post: PostOffice, *tickets: int, **changes: str) -> tuple[FlaskClient, str]:
    """Write, try and begin to send a message; return the browser and the message's address."""
    client = post.log_in(Role.ADMIN)
    address = write(client, *tickets, **changes)
    try_it(post, client, address)
    assert press(client, address, "send").status == 303
    return client, address


def send_to_all_with_sample_first(post: PostOffice) -> tuple[FlaskClient, str]:
    """Begin to send where the sample still arrives, though answers get lost after it."""
    broken = post.mailbox.answers.pop("data")
    begun = send_to_all(post, post.seated)
    post.mailbox.answers["data"] = broken
    return begun


def press_again(client: FlaskClient, address: str, *, shown: int = 1, count: int = 2) -> int:
    """Send the form of an old tab once more, and return what the answer is."""
    form = Page(client.get(f"{PATH}/new")).fields
    old = {"csrf_token": form["csrf_token"], "shown": shown, "count": count}
    return client.post(f"{address}/send", data=old).status_code
