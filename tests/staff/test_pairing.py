"""Pairing phones: a code pairs one of them, once, soon."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Attempt, Device, DeviceRole, Role
from app.services.door import devices
from app.services.door.devices import CODE_LENGTH, CODE_VALID, MOST_GUESSES, NotPaired
from app.services.running.attempts import Limit
from app.services.running.tokens import hash_token
from tests.harness.interleaving import overlap
from tests.pages.html import Page
from tests.staff.door_forms import pair, scan, the_device, typed
from tests.staff.office import Office, send

NOW = datetime(2027, 1, 23, 2, tzinfo=UTC)
FOREIGN = {"Origin": "https://evil.example"}


def test_an_admin_adds_a_phone_and_its_code_pairs_it(office: Office) -> None:
    gate, admin, phone = office.add_gate("A"), office.log_in(Role.ADMIN), office.browser()
    added = send(admin, "/staff/door/devices/new", **typed(gate))
    page = Page(admin.get(added.headers["Location"]))
    code = page.by_id("pairing").walk()
    code_text = next(e.text for e in code if e.tag == "code")
    assert re.fullmatch(r"[2-9A-Z]{3}-[2-9A-Z]{3}-[2-9A-Z]{3}", code_text)
    assert scan(phone) == (401, "door_login_required")
    answer = pair(phone, f" {code_text.lower().replace('-', ' ')}")
    assert (answer.status, answer.headers["Location"]) == (303, "/door")
    cookie = answer.headers["Set-Cookie"]
    assert "door_device=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert scan(phone) == (200, "unknown_code")
    device = the_device(office)
    assert (device.name, device.role, device.gate_id) == ("Ayu", DeviceRole.SCANNER, gate)
    assert device.lanes == "AB"
    assert "may scan" in Page(admin.get(added.headers["Location"])).text


def test_a_code_works_once_and_not_after_ten_minutes(office: Office) -> None:
    first, late = office.add_phone("Ayu"), office.add_phone("Budi")
    assert pair(office.browser(), first.code).status == 303
    refused = pair(office.browser(), first.code)
    assert refused.status == 422
    assert "Ask an admin for a new one" in refused.text
    with office.working():
        soon = datetime.now(UTC) + CODE_VALID + timedelta(seconds=1)
        with pytest.raises(NotPaired):
            devices.pair(late.code, address="192.0.2.1", now=soon)


def test_a_new_code_ends_the_one_before_and_a_paired_phone_gets_none(office: Office) -> None:
    admin, old = office.log_in(Role.ADMIN), office.add_phone("Ayu")
    path = f"/staff/door/devices/{old.device_id}/code"
    assert Page(admin.get(path)).text.count("has run out") == 1, "another admin's code is not shown"
    again = send(admin, path)
    code = next(e.text for e in Page(admin.get(path)).by_id("pairing").walk() if e.tag == "code")
    assert again.status == 303
    assert pair(office.browser(), old.code).status == 422
    assert pair(office.browser(), code).status == 303
    assert send(admin, path, page="/staff/me").status == 404


def test_the_code_is_in_no_address_and_only_its_hash_is_kept(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    added = send(admin, "/staff/door/devices/new", **typed(small_office.add_gate()))
    page = Page(admin.get(added.headers["Location"]))
    code = next(e.text for e in page.by_id("pairing").walk() if e.tag == "code")
    addresses = [e.attributes.get(name, "") for e in page.elements for name in ("href", "hx-get")]
    assert not [address for address in addresses if code in address]
    with small_office.working():
        stored = json.dumps(
            [
                [str(value) for value in row]
                for row in db.session.execute(sa.select(Device.__table__)).all()
            ]
        )
    assert code not in stored
    assert 30**CODE_LENGTH > 2**40


def test_codes_and_tokens_reach_no_log(
    small_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    phone, code = small_office.browser(), small_office.add_phone().code
    with caplog.at_level(logging.DEBUG):
        pair(phone, "222-222-222")
        pair(phone, code)
        scan(phone)
    cookie = phone.get_cookie("door_device")
    assert cookie is not None
    lines = json.dumps([vars(record) for record in caplog.records], default=str)
    assert "/door/pair" in lines
    for secret in (code, code.replace("-", ""), "222-222-222", cookie.value):
        assert secret not in lines


def test_a_guest_who_guesses_on_the_venues_wifi_stops_nobody_soon(small_office: Office) -> None:
    guesser, code = small_office.browser(), small_office.add_phone().code
    for _ in range(20):
        assert pair(guesser, "222-222-222").status == 422

    assert pair(small_office.browser(), code).status == 303


def test_guessing_codes_ends_and_pairing_well_costs_nothing(office: Office) -> None:
    now, subject = datetime.now(UTC), Limit("pairing", "127.0.0.1", 0, CODE_VALID).subject
    with office.working():
        db.session.add_all(
            Attempt(subject=subject, created_at=now) for _ in range(MOST_GUESSES - 1)
        )
    assert pair(office.browser(), "222-222-222").status == 422
    code = office.add_phone().code
    refused = pair(office.browser(), code)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    with office.working():
        devices.pair(code, address="192.0.2.1", now=datetime.now(UTC))


def race(app: Flask, *, after: str) -> list[object]:
    """Let one phone pair while another one with the same code is held; return what came of both."""
    code = Office(app).add_phone().code
    now = datetime.now(UTC)
    phones = [partial(devices.pair, code, address=f"192.0.2.{n}", now=now) for n in (1, 2)]
    return list(overlap(app, *phones, after=after))


@pytest.mark.parametrize("moment", ["INSERT INTO attempts", "FROM attempts", "UPDATE devices"])
def test_of_two_phones_with_one_code_one_wins(mariadb_app: Flask, moment: str) -> None:
    assert {type(each) for each in race(mariadb_app, after=moment)} == {str, NotPaired}


def test_looking_first_and_writing_then_both_would_win(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without the condition in the UPDATE the code works for all."""

    def look_first(code: str, now: datetime) -> str:
        wanted = sa.select(Device.id).where(Device.pairing_hash == hash_token(code))
        device_id = db.session.scalar(wanted)
        db.session.rollback()
        if device_id is None:
            raise NotPaired
        change = sa.update(Device).where(Device.id == device_id).values(pairing_hash=None)
        db.session.execute(change)
        db.session.commit()
        return "token"

    monkeypatch.setattr(devices, "_exchange", look_first)
    assert race(mariadb_app, after="FROM devices") == ["token", "token"]
