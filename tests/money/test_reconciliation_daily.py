"""Reconciliation by itself: once a day, whatever number of workers, and days missed made up for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import worker
from app.extensions import db
from app.models import JobStatus, Order, ReconciledDay, Reconciliation
from app.services.money import daily_reconciliation
from app.services.money.budget import Meter, Share
from app.services.money.daily_reconciliation import RECONCILE, schedule
from app.services.running import jobs
from app.services.running.transaction import transaction, use_case
from tests.money.accounts import make_invoice
from tests.money.world import World

WIB = ZoneInfo("Asia/Jakarta")
SOLD = datetime(2026, 11, 20, 12, tzinfo=WIB)
FOUR = datetime(2026, 11, 23, 4, tzinfo=WIB)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def sell(world: World) -> None:
    """Have something to compare: an order of some days ago."""
    placed = world.place(world.add_ticket())
    world.change(Order, Order.id == placed.order_id, created_at=SOLD.astimezone(UTC))


def scheduled(world: World, now: datetime) -> bool:
    with world.app.app_context():
        return schedule(now=now.astimezone(UTC), zone=WIB)


def stretches(world: World) -> list[tuple[datetime, datetime]]:
    """Return what the open jobs cover, in the event's zone."""
    found = [job.payload for job in world.jobs(RECONCILE)]
    return [
        (datetime.fromisoformat(one["from"]), datetime.fromisoformat(one["until"])) for one in found
    ]


def wib(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=WIB)


def test_it_covers_two_days_of_the_events_zone_and_an_hour_more(each_world: World) -> None:
    sell(each_world)

    assert scheduled(each_world, FOUR)

    assert stretches(each_world) == [(wib(20, 23), wib(23))]


@pytest.mark.parametrize(("now", "is_due"), [(FOUR - SECOND, False), (FOUR, True)])
def test_the_day_begins_at_four_in_the_events_zone(
    world: World, now: datetime, is_due: bool
) -> None:
    """In UTC that is still the day before."""
    sell(world)

    assert scheduled(world, now) is is_due


def test_only_one_job_a_day_however_often_it_is_looked(each_world: World) -> None:
    sell(each_world)
    minutes = [FOUR + timedelta(minutes=n) for n in (0, 1, 2, 600, 1199)]

    assert [scheduled(each_world, now) for now in minutes] == [True] + 4 * [False]
    assert scheduled(each_world, FOUR + DAY)
    assert stretches(each_world)[1] == (wib(21, 23), wib(24))


@pytest.mark.parametrize("statements", [1, 2, 3, 4, 5])
def test_two_workers_at_the_same_second_make_one_job(mariadb_world: World, statements: int) -> None:
    sell(mariadb_world)

    done = mariadb_world.overlap(*[lambda: scheduled(mariadb_world, FOUR)] * 2, after=statements)

    assert set(done) == {True, False}
    assert len(stretches(mariadb_world)) == mariadb_world.count(ReconciledDay) == 1


@use_case
def schedule_reading_first(today: datetime) -> None:
    """Schedule as one would without a key: look for the day's job, and add one if there is none."""
    with transaction() as session:
        if session.scalar(sa.text("SELECT 1 FROM jobs WHERE kind = 'reconcile_day'")) is None:
            jobs.enqueue(session, RECONCILE, {}, now=today, due_at=today)


def test_without_the_key_they_would_make_two(mariadb_world: World) -> None:
    """The negative control."""
    looks = [lambda: schedule_reading_first(FOUR.astimezone(UTC))] * 2

    mariadb_world.overlap(*looks, after=1)

    assert len(mariadb_world.jobs(RECONCILE)) == 2


@pytest.mark.parametrize(
    ("later", "first"),
    [
        (DAY, wib(21, 23)),
        (2 * DAY, wib(22, 23)),
        (9 * DAY, wib(22, 23)),  # from where the last one ended
        (60 * DAY, wib(21, 23, month=12)),  # a month at most
    ],
)
def test_days_without_a_worker_are_made_up_for(
    world: World, later: timedelta, first: datetime
) -> None:
    sell(world)
    scheduled(world, FOUR)

    assert scheduled(world, FOUR + later)

    assert stretches(world)[1][0] == first
    assert stretches(world)[1][1] == (FOUR + later).replace(hour=0)


def test_while_nothing_was_sold_there_is_nothing_to_compare(world: World) -> None:
    assert not scheduled(world, FOUR)
    assert world.jobs(RECONCILE) == []


def test_day_and_job_are_had_together_or_not_at_all(
    each_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(each_world)

    def die(session: Session, *rest: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(daily_reconciliation, "_enqueue", die)
        with pytest.raises(KeyboardInterrupt):
            scheduled(each_world, FOUR)

    assert scheduled(each_world, FOUR)


# --- the job -------------------------------------------------------------------------------------


def start_job(world: World, until: timedelta = timedelta(hours=1)) -> None:
    """Put a job among the others that covers from two hours ago to some time from now."""
    with world.app.app_context(), transaction() as session:
        now = world.now()
        payload = {
            "from": (now - timedelta(hours=2)).isoformat(),
            "until": (now + until).isoformat(),
        }
        jobs.enqueue(session, RECONCILE, payload, now=now, due_at=now)


def kept(world: World) -> list[Reconciliation]:
    with world.app.app_context():
        return list(db.session.scalars(sa.select(Reconciliation).order_by(Reconciliation.from_at)))


def test_the_worker_heals_by_itself_what_every_webhook_missed(each_world: World) -> None:
    placed = each_world.order(each_world.add_ticket())
    each_world.standin.pay(each_world.invoice_id(placed))
    today = each_world.now().astimezone(WIB).replace(hour=0, minute=0)
    each_world.clock.advance(today + DAY + timedelta(hours=5) - each_world.now())

    with each_world.app.app_context():
        worker._schedule_the_day()
        worker._schedule_the_day()

    assert each_world.work(RECONCILE) == 1
    assert len(each_world.jobs(RECONCILE, JobStatus.DONE)) == 1
    assert each_world.standing(placed).order == "PAID"


def test_xendit_being_away_puts_the_job_off_until_it_is_done(world: World) -> None:
    world.clock.stop()
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.standin.set_fault("html_502", call="list", times=1)
    start_job(world)

    world.work(RECONCILE)
    assert kept(world) == []
    world.advance(seconds=5)
    world.work(RECONCILE)

    assert len(kept(world)) == 1
    assert world.standing(placed).order == "PAID"


def test_what_takes_more_calls_than_there_are_is_done_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Eight calls a minute are two for the background, and 350 invoices are four pages."""
    monkeypatch.setattr(daily_reconciliation, "SHORTEST", timedelta(minutes=5))
    for number in range(7):
        for each in range(50):
            make_invoice(world, f"shop-{number}-{each}")
        world.advance(minutes=15)
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.standin.set_fault("rate_limit", per_minute=8)
    with world.app.app_context():  # its answer tells how many there are
        world.gateway.metered(Meter(Share.WAITED_FOR, world.now)).list_invoices("any")
    start_job(world)

    for _ in range(40):
        world.advance(minutes=2)
        world.work(RECONCILE)

    runs = kept(world)
    assert world.jobs(RECONCILE) == []
    assert len(runs) > 1
    assert [one.until_at for one in runs[:-1]] == [one.from_at for one in runs[1:]], "no gaps"
    assert sum(one.invoices for one in runs) == 351
    assert world.standing(placed).order == "PAID"
    assert not [one for one in world.standin.requests() if one["status"] == 429]
    healed = [record for record in caplog.records if "healed" in record.message]
    assert len(healed) == 1, "said when it happened, in whichever part or attempt"
