"""Workers that ask for the turn at one moment: one of them gets it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.models import Inspection
from app.services.running import inspections
from app.services.running.transaction import affected, reading, transaction
from tests.harness.interleaving import overlap

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_one_of_two_takes_the_very_first_turn(mariadb_app: Flask, statements: int) -> None:
    outcomes = overlap(mariadb_app, *[lambda: inspections._take_turn(NOW)] * 2, after=statements)

    assert outcomes.count(True) == 1
    [other] = [each for each in outcomes if each is not True]
    assert other is False or isinstance(other, IntegrityError)


def test_one_of_two_takes_the_next_turn(mariadb_app: Flask) -> None:
    with mariadb_app.app_context():
        inspections.inspect_if_due(NOW)

    outcomes = overlap(mariadb_app, *[lambda: inspections._take_turn(LATER)] * 2, after=1)

    assert outcomes == (True, False)


def test_who_looks_before_writing_may_share_it(mariadb_app: Flask) -> None:
    """The negative control."""

    def take_carelessly() -> bool:
        with reading() as session:
            is_free = session.scalars(sa.select(Inspection.next_at)).one() <= LATER
        with transaction() as session:
            affected(session, sa.update(Inspection).values(next_at=LATER + inspections.LEASE))
        return is_free

    with mariadb_app.app_context():
        inspections.inspect_if_due(NOW)

    assert overlap(mariadb_app, take_carelessly, take_carelessly, after=1) == (True, True)
