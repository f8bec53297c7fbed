"""What is lost or goes on when a phone or its owner's sessions are ended."""

from datetime import UTC, datetime

import pytest

from app.models import Role
from app.services.door import devices
from app.services.office import staffing
from app.services.running.audit import Actor
from tests.door.calls import REPORT
from tests.door.world import DoorWorld
from tests.pages.html import Page
from tests.staff.door_forms import pair, scan, the_device
from tests.staff.office import PASSWORD, Office, send


def cut_off_path(office: Office, queued: object) -> str:
    """Pair a phone that reports so many scans; return where it is cut off."""
    pairing = office.add_phone("Ayu")
    with office.working():
        report = {**REPORT, "queued": queued}
        devices.note_seen(pairing.device_id, now=datetime.now(UTC), report=report)
    return f"/staff/door/devices/{pairing.device_id}/cut-off"


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_phone_with_scans_is_cut_off_only_when_asked_twice(
    small_office: Office, language: str
) -> None:
    admin, path = small_office.log_in(Role.ADMIN, language), cut_off_path(small_office, 3)

    asked = send(admin, path, page="/staff/me")

    assert asked.status == 422
    words = {"en": "3 scans on this phone are not sent yet", "id": "3 pindaian di ponsel ini"}
    assert words[language] in asked.text
    assert the_device(small_office).cut_off_at is None
    again = admin.post(path, data=asked.fields)
    assert (again.status_code, again.headers["Location"]) == (303, "/staff/door/devices")
    assert the_device(small_office).cut_off_at is not None


@pytest.mark.parametrize("queued", [0, None, "many"])
def test_a_phone_without_scans_is_cut_off_at_once(small_office: Office, queued: object) -> None:
    admin, path = small_office.log_in(Role.ADMIN), cut_off_path(small_office, queued)

    assert send(admin, path, page="/staff/me").status == 303
    assert the_device(small_office).cut_off_at is not None


@pytest.mark.parametrize("ending", ["a new password", "logging out everywhere"])
def test_the_phone_of_somebody_whose_sessions_are_ended_is_cut_off(
    office: Office, ending: str
) -> None:
    own, other = office.log_in(Role.DOOR), office.browser()
    send(own, "/staff/door/this-phone", gate=office.add_gate())
    pair(other, office.add_phone("Budi").code)
    assert scan(own) == scan(other) == (200, "unknown_code")

    if ending == "a new password":
        with office.working():
            email = "door@tedxsenja.example"
            staffing.set_password(
                email, "another long password", by=Actor.command("tests"), now=datetime.now(UTC)
            )
    else:
        send(own, "/staff/me/log-out-everywhere", page="/staff/me")

    assert scan(own) == (401, "device_cut_off")
    assert scan(other) == (200, "unknown_code"), "a phone an admin has paired stays"


def test_changing_ones_own_password_keeps_the_phone_in_hand(small_office: Office) -> None:
    own = small_office.log_in(Role.DOOR)
    send(own, "/staff/door/this-phone", gate=small_office.add_gate())
    new = "another long password"
    fields = {"password": PASSWORD, "new_password": new, "again": new}

    assert send(own, "/staff/me", page="/staff/me", **fields).status == 303

    assert scan(own) == (200, "unknown_code")


def test_making_codes_anew_warns_of_phones_that_hold_scans(small_office: Office) -> None:
    """Who entered there may enter again with the new code, until the phone has sent its scans."""
    DoorWorld(small_office.app, now=datetime.now(UTC)).guest()
    cut_off_path(small_office, 2)
    run = small_office.app.test_cli_runner()
    run.invoke(args=["signing-keys", "revoke", "1", "--yes"])

    told = run.invoke(args=["signing-keys", "reissue", "1"])

    assert "warning: Ayu holds 2 scans" in told.stderr
    assert "1 orders have new e-tickets" in told.stdout


# --- objections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "id"])
def test_who_was_let_in_all_the_same_is_listed_and_can_be_taken_back(
    small_office: Office, language: str
) -> None:
    world = DoorWorld(small_office.app, now=datetime.now(UTC))
    guest, phone = world.guest(), world.phone("Ayu")
    world.gate("North", ticket_ids=[world.ticket("VIP")])
    text = "<b>HTTPS://EXAMPLE.COM/MENU</b>"
    phone.tell([phone.fact(guest.qr_text, gate="North"), phone.fact(text)])
    admin = small_office.log_in(Role.ADMIN, language)

    page = Page(admin.get("/staff/door/conflicts"))

    words = {
        "en": ("Wrong gate for this ticket", "No ticket of this event", "Nobody we know"),
        "id": ("Gerbang salah untuk tiket ini", "Bukan tiket acara ini", "Tidak dikenal"),
    }
    for each in (*words[language], guest.code, "Sari Dewi", text[:16]):
        assert each in page.text
    for scan_id in [field.attributes["value"] for field in page.all("input", name="scan_id")]:
        taken = send(
            admin,
            "/staff/door/conflicts/undo",
            page="/staff/door/conflicts",
            scan_id=scan_id,
        )
        assert taken.status == 303
    empty = {
        "en": "No phone let in anybody the server would have refused.",
        "id": "Tidak ada ponsel yang mempersilakan masuk orang yang akan ditolak server.",
    }
    assert empty[language] in Page(admin.get("/staff/door/conflicts")).text
    assert world.seat(guest).admitted_at is None
