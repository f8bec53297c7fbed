"""What tests of selling and of money share is in `tests/money/fixtures.py`."""

import pytest

from app.services.running.group_commit import GroupCommit
from app.services.selling import order_counter, ordering
from tests.money.fixtures import (
    each_world,
    mail_process,
    mailbox,
    mailing_world,
    mariadb_world,
    shared_mariadb_url,
    standin,
    standin_process,
    world,
)

__all__ = [
    "a_process_each",
    "each_world",
    "mail_process",
    "mailbox",
    "mailing_world",
    "mariadb_world",
    "shared_mariadb_url",
    "standin",
    "standin_process",
    "world",
]


@pytest.fixture
def a_process_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Place every order at a counter of its own, as many web processes do."""
    monkeypatch.setattr(ordering, "counter_of", lambda engine: GroupCommit(order_counter._serve))
