"""Many scans at the same moment: one entry, one record, and the same rush without the guard."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import ETicket
from app.services.door import checkin
from app.services.door.checkin import change_seat
from app.services.running.transaction import transaction
from tests.door.world import Caller, DoorWorld, new_id
from tests.harness.interleaving import at_once, overlap
from tests.harness.waiting import PATIENCE

CROWD = 4


def together(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act(0)` … `act(count - 1)` at the same moment."""
    return at_once([partial(act, number) for number in range(count)])


@pytest.mark.parametrize("moment", ["FROM e_tickets", "UPDATE e_tickets", "INSERT INTO check_ins"])
def test_of_two_scans_that_meet_one_admits(mariadb_world: DoorWorld, moment: str) -> None:
    world = mariadb_world
    guest, phones = world.guest(), [world.phone(f"Phone {n}") for n in range(2)]

    scans = [partial(phone.verdict, guest.qr_text) for phone in phones]
    verdicts = overlap(world.app, *scans, after=moment)

    assert Counter(verdicts) == {"admitted": 1, "already_admitted": 1}
    assert len(world.scans(guest)) == 2
    assert world.violations() == []


def test_many_scans_of_one_code_at_once_admit_one(world: DoorWorld) -> None:
    guest, phones = world.guest(), [world.phone(f"Phone {n}") for n in range(CROWD)]

    verdicts = together(CROWD, lambda n: phones[n].verdict(guest.qr_text))

    assert Counter(verdicts) == {"admitted": 1, "already_admitted": CROWD - 1}
    assert len(world.scans(guest)) == CROWD
    assert world.violations() == []


def test_without_the_condition_a_rush_admits_many(
    mariadb_world: DoorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, scans = mariadb_world, 3
    guest, phone = world.guest(), world.phone()
    have_looked = threading.Barrier(scans)

    def careless(session: Session, change: sa.Update, values: dict[str, Any]) -> int:
        """Change the seat that was read, whatever became of it, once all have read it."""
        have_looked.wait(PATIENCE)
        bare = sa.update(ETicket).where(ETicket.id == guest.e_ticket_id)
        session.execute(bare.values(admitted_at=world.now, admitted_gate="A", is_inside=True))
        return 1

    monkeypatch.setattr(checkin, "change_seat", careless)
    verdicts = together(scans, lambda _: phone.verdict(guest.qr_text))

    assert verdicts == ["admitted"] * scans
    assert world.violations() != []


def test_the_same_condition_decides_when_all_have_read_before_any_writes(
    mariadb_world: DoorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, scans = mariadb_world, 3
    guest, phone = world.guest(), world.phone()
    have_looked = threading.Barrier(scans)
    looks = threading.local()

    def after_all_have_looked(session: Session, change: sa.Update, values: dict[str, Any]) -> int:
        if not getattr(looks, "first", False):
            looks.first = True
            have_looked.wait(PATIENCE)
        return change_seat(session, change, values)

    monkeypatch.setattr(checkin, "change_seat", after_all_have_looked)
    verdicts = together(scans, lambda _: phone.verdict(guest.qr_text))

    assert sorted(verdicts) == ["admitted", "already_admitted", "already_admitted"]
    assert world.violations() == []


def sending(phone: Caller, body: dict[str, Any]) -> Callable[[int], TestResponse]:
    return lambda _: phone.post("/api/check-ins", body)


def test_one_scan_sent_many_times_at_once_is_one_scan(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    for code in (guest.qr_text, guest.qr_text, "unknown"):  # admitted, refused, unknown
        body, before = phone.body(code), len(world.scans())

        answers = together(CROWD, sending(phone, body))

        assert {answer.status_code for answer in answers} == {200}
        told = [{**answer.json, "requestId": ""} for answer in answers if answer.json]
        assert [each for each in told if each != told[0]] == []
        assert len(world.scans()) == before + 1
    assert world.violations() == []


def test_one_scan_told_at_once_as_it_happens_and_as_a_fact_is_one_scan(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text)
    scan = {key: fact[key] for key in ("scanId", "scannedAt", "gate", "direction")}

    def tell(number: int) -> str:
        if number % 2:
            return str(phone.tell([fact])[0]["result"])
        return str(phone.scan(guest.qr_text, **scan)["result"])

    assert together(CROWD, tell) == ["admitted"] * CROWD
    assert len(world.scans()) == 1
    assert world.violations() == []


def test_a_revocation_that_comes_between_look_and_entry_wins(
    mariadb_world: DoorWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = mariadb_world
    guest, phone = world.guest(), world.phone()
    revoke = sa.update(ETicket).where(ETicket.id == guest.e_ticket_id)

    def revoked_meanwhile(session: Session, change: sa.Update, values: dict[str, Any]) -> int:
        monkeypatch.setattr(checkin, "change_seat", change_seat)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(revoke_now).result(PATIENCE)
        return change_seat(session, change, values)

    def revoke_now() -> None:
        with world.app.app_context(), transaction() as session:
            session.execute(revoke.values(revoked_at=world.now))

    monkeypatch.setattr(checkin, "change_seat", revoked_meanwhile)

    assert phone.verdict(guest.qr_text) == "revoked"
    assert world.seat(guest).admitted_at is None


def test_who_is_inside_goes_out_once_and_comes_back_once(mariadb_world: DoorWorld) -> None:
    world = mariadb_world
    world.gate("A", has_reentry=True, has_exit=True)
    guest, phone = world.guest(), world.phone()
    phone.scan(guest.qr_text)

    out = together(CROWD, lambda _: phone.verdict(guest.qr_text, direction="out"))
    back = together(CROWD, lambda _: phone.verdict(guest.qr_text))

    assert Counter(out) == {"admitted": 1, "not_inside": CROWD - 1}
    assert Counter(back) == {"admitted": 1, "already_admitted": CROWD - 1}
    assert world.violations() == []


def test_everything_about_one_seat_at_once_ends_in_one_story(mariadb_world: DoorWorld) -> None:
    world = mariadb_world
    world.gate("A", has_reentry=True, has_exit=True)
    guest, phone = world.guest(), world.phone()
    first = phone.scan(guest.qr_text)["scanId"]

    def act(number: int) -> int:
        match number % 4:
            case 0:
                return phone.undo(first).status_code
            case 1:
                phone.tell([phone.fact(guest.code), phone.fact(guest.qr_text, direction="out")])
            case 2:
                phone.scan(guest.qr_text, direction="out")
            case _:
                phone.scan(guest.qr_text, scanId=new_id())
        return 200

    assert set(together(CROWD, act)) == {200}
    assert world.violations() == []
