"""What tests of selling and of money share is in `tests/money/fixtures.py`."""

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
