"""Workers that ask for the turn at one moment: one of them gets it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Inspection
from app.services.running import inspections
from app.services.running.transaction import affected, reading, transaction

NOW = datetime(2027, 1, 1, tzinfo=UTC)
WORKERS = 6
ROUNDS = 5


def turns_taken(app: Flask, take: Callable[[datetime], bool], now: datetime) -> int:
    """Have all workers ask at once; return how many got the turn."""
    barrier = Barrier(WORKERS)

    def ask(_number: int) -> bool:
        with app.app_context():
            db.session.execute(sa.text("SELECT 1"))
            db.session.rollback()
            barrier.wait(20)
            try:
                return take(now)
            except sa.exc.IntegrityError:
                return False

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(ask, range(WORKERS)))


def test_one_of_many_gets_the_turn_each_time(mariadb_app: Flask) -> None:
    for number in range(ROUNDS):
        now = NOW + number * inspections.LEASE
        assert turns_taken(mariadb_app, inspections._take_turn, now) == 1


def test_who_looks_before_writing_may_share_it(mariadb_app: Flask) -> None:
    barrier = Barrier(WORKERS)

    def take_carelessly(now: datetime) -> bool:
        with reading() as session:
            is_free = session.scalars(sa.select(Inspection.next_at)).one() <= now
        barrier.wait(20)
        with transaction() as session:
            affected(session, sa.update(Inspection).values(next_at=now + inspections.LEASE))
        return is_free

    with mariadb_app.app_context():
        inspections.inspect_if_due(NOW)
    later = NOW + timedelta(hours=1)

    assert turns_taken(mariadb_app, take_carelessly, later) == WORKERS
