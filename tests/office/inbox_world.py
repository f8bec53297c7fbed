"""An inbox for tests: of everything that can wait for a person there is some."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.models import (
    Mail,
    Refund,
    RefundStatus,
    RefundWay,
    Source,
    Transaction,
)
from app.services.office import inbox
from app.services.office.demo.making import plan_demo, write_demo
from app.services.office.inbox import Entry
from app.services.running.transaction import transaction
from tests.office.money_history import History
from tests.pages.html import Page
from tests.staff.office import Office, send

NOW = datetime.now(UTC)
PATH = "/staff/cases"


@pytest.fixture
def busy(office: Office) -> Office:
    """An office with a made-up sale: of everything that can wait there is some."""
    with office.working():
        sell(office)
    return office


@pytest.fixture
def small(small_office: Office) -> Office:
    """The same on SQLite only."""
    with small_office.working():
        sell(small_office)
    return small_office


def sell(office: Office) -> None:
    """Make sure that each source has something; which of a refund's states, chance would say."""
    settings = office.app.extensions["settings"]
    demo = plan_demo(60, seed=3, is_added=False, now=NOW, settings=settings)
    assert sum(write_demo(demo)) == 60
    with transaction() as session:
        by_hand = session.scalars(sa.select(Refund).where(Refund.way == RefundWay.BY_HAND)).all()
        for refund in by_hand[:2]:
            refund.status, refund.finished_at, refund.created_at = RefundStatus.DUE, None, NOW
        by_hand[0].account_number = "1234567890"
        newest = sa.select(sa.func.max(Mail.id)).scalar_subquery()
        refused = session.scalars(sa.select(Mail).where(Mail.id == newest)).one()
        refused.refused_because = "550 no such mailbox"
        forgotten = session.scalars(sa.select(Transaction).limit(1)).one()
        forgotten.settled_at, forgotten.created_at = None, NOW - timedelta(days=40)
    History(office.app, NOW - timedelta(days=1)).read_balance(-2_500, -2_500)


def all_entries() -> list[Entry]:
    """Return everything that waits, page after page."""
    page = inbox.list_waiting(now=NOW)
    entries = list(page.entries)
    while page.rest:
        page = inbox.list_waiting(now=NOW, beyond=page.rest)
        entries += page.entries
    return entries


def first(source: Source) -> Entry:
    """Return the oldest entry of a source."""
    return next(entry for entry in all_entries() if entry.source is source)


def address(entry: Entry) -> str:
    return f"{PATH}/{entry.source.value}/{entry.key}"


def act(client: FlaskClient, entry: Entry, what: str, **fields: object) -> Page:
    """Send one of the forms of an entry's page, as the page shows it."""
    where = address(entry)
    return send(client, f"{where}/{what}", page=where, **{"shown": entry.version} | fields)
