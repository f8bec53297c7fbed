"""Many scans at the same moment: one entry, one record, and the same rush without the guard."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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

CROWD = 50


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act(0)` … `act(count - 1)` at the same moment."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(timeout=20)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_fifty_scans_of_one_code_at_once_admit_one(world: DoorWorld) -> None:
    guest, phones = world.guest(), [world.phone(f"Phone {n}") for n in range(5)]

    verdicts = at_once(CROWD, lambda n: phones[n % 5].verdict(guest.qr_text))

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
        have_looked.wait(timeout=20)
        bare = sa.update(ETicket).where(ETicket.id == guest.e_ticket_id)
        session.execute(bare.values(admitted_at=world.now, admitted_gate="A", is_inside=True))
        return 1

    monkeypatch.setattr(checkin, "change_seat", careless)
    verdicts = at_once(scans, lambda _: phone.verdict(guest.qr_text))

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
            have_looked.wait(timeout=20)
        return change_seat(session, change, values)

    monkeypatch.setattr(checkin, "change_seat", after_all_have_looked)
    verdicts = at_once(scans, lambda _: phone.verdict(guest.qr_text))

    assert sorted(verdicts) == ["admitted", "already_admitted", "already_admitted"]
    assert world.violations() == []


def sending(phone: Caller, body: dict[str, Any]) -> Callable[[int], TestResponse]:
    return lambda _: phone.post("/api/check-ins", body)


def test_one_scan_sent_twenty_times_at_once_is_one_scan(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    for code in (guest.qr_text, guest.qr_text, "unknown"):  # admitted, refused, unknown
        body, before = phone.body(code), len(world.scans())

        answers = at_once(20, sending(phone, body))

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

    assert at_once(10, tell) == ["admitted"] * 10
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
        thread = threading.Thread(target=revoke_now)
        thread.start()
        thread.join(timeout=20)
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

    out = at_once(10, lambda _: phone.verdict(guest.qr_text, direction="out"))
    back = at_once(10, lambda _: phone.verdict(guest.qr_text))

    assert Counter(out) == {"admitted": 1, "not_inside": 9}
    assert Counter(back) == {"admitted": 1, "already_admitted": 9}
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

    assert set(at_once(16, act)) == {200}
    assert world.violations() == []
