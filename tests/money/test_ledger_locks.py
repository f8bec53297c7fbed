"""The ledger's locks: whoever posts waits for nobody while he holds one, so no circle can close.

The one thing he waits for is the row of `ledger_state`, which he takes first (ADR 19).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from app.extensions import db
from app.models import LedgerMark, LedgerPosting, Order
from app.services.money import postings
from app.services.running.transaction import transaction
from tests.harness.interleaving import at_once, overlap
from tests.money.books import post, wrongs
from tests.money.world import World

DEADLOCK = 1213
ROUNDS = 8


def test_an_order_that_somebody_changes_is_posted_later_and_holds_up_no_other(
    mariadb_world: World,
) -> None:
    busy, idle = _sold(mariadb_world, 2)

    _, taken = overlap(
        mariadb_world.app,
        lambda: _change(busy),
        lambda: _post_once(mariadb_world),
        after="FOR UPDATE",
    )

    assert taken == 1
    assert _posted(mariadb_world) == {idle}
    post(mariadb_world)
    assert _posted(mariadb_world) == {busy, idle}
    assert mariadb_world.count(LedgerMark) == 0


def test_who_leaves_a_mark_and_then_wants_the_order_meets_no_deadlock(
    mariadb_world: World,
) -> None:
    order_ids = _sold(mariadb_world, 3)

    with _deadlocks(mariadb_world) as found:
        outcomes = overlap(
            mariadb_world.app,
            lambda: _mark_then_lock(order_ids),
            lambda: _post_once(mariadb_world),
            after="INSERT INTO ledger_marks",
        )

    assert found == []
    assert outcomes == (None, 3)


def test_who_waits_for_the_ledger_holds_nothing(mariadb_world: World) -> None:
    order_ids = _sold(mariadb_world, 2)

    outcomes = overlap(
        mariadb_world.app,
        lambda: _hold_ledger_and_take_all(order_ids),
        lambda: _post_once(mariadb_world),
        after="ledger_state",
    )

    assert outcomes == (None, 2)


def test_many_who_post_and_change_meet_no_deadlock(mariadb_world: World) -> None:
    order_ids = _sold(mariadb_world, 6)

    def change_in_turn() -> None:
        with mariadb_world.app.app_context():
            for _ in range(ROUNDS):
                _mark_then_lock(order_ids)

    def post_in_turn() -> None:
        with mariadb_world.app.app_context():
            for _ in range(ROUNDS):
                _post_once(mariadb_world, limit=4)

    with _deadlocks(mariadb_world) as found:
        outcomes = at_once([post_in_turn, post_in_turn, change_in_turn])

    assert found == []
    assert outcomes == [None, None, None]
    post(mariadb_world)
    assert _posted(mariadb_world) == set(order_ids)
    assert wrongs(mariadb_world.app) == []


def _sold(world: World, count: int) -> list[int]:
    """Give away so many orders of one seat, each with a mark of its own."""
    ticket = world.add_ticket(price=0)
    order_ids = [world.place(ticket).order_id for _ in range(count)]
    with world.working():
        for order_id in order_ids:
            postings.mark(db.session(), order_id)
    return order_ids


def _change(order_id: int) -> None:
    with transaction() as session:
        session.get_one(Order, order_id, with_for_update=True)
        postings.mark(session, order_id)


def _mark_then_lock(order_ids: list[int]) -> None:
    """Mark each order, and then change them, as a page of Xendit's transactions does."""
    with transaction() as session:
        for order_id in order_ids:
            postings.mark(session, order_id)
        for order_id in order_ids:
            session.get_one(Order, order_id, with_for_update=True)


def _hold_ledger_and_take_all(order_ids: list[int]) -> None:
    """Hold the ledger; then take every order and mark at once, or fail where somebody has one."""
    with transaction() as session:
        postings.lock_state(session)
        mine = sa.select(Order.id).where(Order.id.in_(order_ids))
        assert len(session.execute(mine.with_for_update(nowait=True)).all()) == len(order_ids)
        session.execute(sa.select(LedgerMark.id).with_for_update(nowait=True)).all()


def _post_once(world: World, limit: int = postings.BATCH) -> int:
    return postings.post_marked(now=world.now(), zone=world.settings.event.timezone, limit=limit)


def _posted(world: World) -> set[int]:
    with world.app.app_context():
        return set(db.session.scalars(sa.select(LedgerPosting.order_id)))


@contextmanager
def _deadlocks(world: World) -> Iterator[list[str]]:
    """Give a list that gets the statement of every deadlock of this application's engine."""
    found: list[str] = []

    def note(context: sa.engine.ExceptionContext) -> None:
        if context.original_exception.args[:1] == (DEADLOCK,):
            found.append(context.statement or "")

    with world.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "handle_error", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "handle_error", note)
