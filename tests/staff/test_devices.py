"""Phones of the door: who scans, what is changed, and cutting off from the next call on."""

from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.exceptions import UnsupportedMediaType

from app.models import DeviceRole, Role
from app.routes.access import find_door_caller
from app.services.door import devices, gates
from app.services.door.devices import DeviceWish
from tests.pages.html import Page
from tests.staff.door_forms import pair, scan, the_device, typed
from tests.staff.office import Office, send

NOW = datetime(2027, 1, 23, 2, tzinfo=UTC)
FOREIGN = {"Origin": "https://evil.example"}


# --- who scans ----------------------------------------------------------------------------------


def test_a_phone_that_was_cut_off_is_told_so_at_its_next_call(office: Office) -> None:
    admin, phone, pairing = office.log_in(Role.ADMIN), office.browser(), office.add_phone()
    pair(phone, pairing.code)
    path = f"/staff/door/devices/{pairing.device_id}"
    assert send(admin, f"{path}/cut-off", page=path).status == 303
    assert scan(phone) == (401, "device_cut_off")
    assert phone.get_cookie("door_device") is None, "it has nothing left to show"
    assert scan(phone) == (401, "door_login_required")
    assert admin.get(path).status_code == 404
    assert "Ayu" in Page(admin.get("/staff/door/devices")).all("section")[0].text


def test_a_cut_off_phone_cannot_be_paired_with_its_old_code(office: Office) -> None:
    pairing = office.add_phone()
    with office.working():
        devices.cut_off(pairing.device_id, by="tests", now=datetime.now(UTC))
    assert pair(office.browser(), pairing.code).status == 422


@pytest.mark.parametrize(
    ("role", "status"), [(Role.DOOR, 200), (Role.ADMIN, 200), (Role.FINANCE, 403)]
)
def test_staff_of_the_door_scan_without_pairing(
    small_office: Office, role: Role, status: int
) -> None:
    assert scan(small_office.log_in(role))[0] == status


def test_another_site_cannot_make_a_browser_scan(small_office: Office) -> None:
    phone = small_office.browser()
    pair(phone, small_office.add_phone().code)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, FOREIGN):
        assert scan(phone, **headers) == (403, "cross_site_request")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}):
        assert scan(phone, **headers)[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_what_any_form_could_send_is_not_taken_from_a_browser(
    small_office: Office, kind: str | None
) -> None:
    """Whatever the view behind it reads: a form crosses sites without asking, JSON does not."""
    with small_office.working():
        token = devices.adopt(DeviceWish("Ayu", DeviceRole.SCANNER, None, ""), by="x", now=NOW)
    cookie = {"Cookie": f"door_device={token}"}
    with (
        small_office.app.test_request_context(
            "/api/anything", method="POST", headers=cookie, data="{}", content_type=kind
        ),
        pytest.raises(UnsupportedMediaType),
    ):
        find_door_caller()
    with small_office.app.test_request_context("/api/anything", headers=cookie):
        assert find_door_caller().name == "Ayu", "reading needs no JSON"


def test_what_staff_hold_in_their_hands_becomes_a_phone_in_their_name(office: Office) -> None:
    gate, phone = office.add_gate("North"), office.log_in(Role.DOOR)
    assert send(phone, "/staff/door/this-phone", gate=99).status == 422
    assert send(phone, "/staff/door/this-phone", gate=gate).headers["Location"] == "/door"
    device = the_device(office)
    assert (device.name, device.created_by) == ("door", "door@tedxsenja.example")
    send(phone, "/staff/log-out", page="/staff/me")
    assert scan(phone) == (200, "unknown_code"), "it stays a phone of the door"
    assert (
        send(phone, "/staff/door/this-phone", page="/door/pair", gate=gate)
        .headers["Location"]
        .startswith("/staff/log-in")
    )


def test_lanes_count_for_scanners_in_lane_mode_only(small_office: Office) -> None:
    with small_office.working():
        tokens = {
            role: devices.adopt(DeviceWish(role.value, role, None, "AB"), by="x", now=NOW)
            for role in DeviceRole
        }
        told = []
        for is_on in (False, True):
            gates.switch_lane_mode(is_on, shown=False, by="x", now=NOW)
            callers = [devices.find_caller(tokens[role], now=NOW) for role in DeviceRole]
            told.append([caller and caller.lanes for caller in callers])
    assert told == [[None, None], ["AB", None]]


def test_last_seen_is_written_at_most_every_ten_seconds(small_office: Office) -> None:
    with small_office.working():
        token = devices.adopt(DeviceWish("Ayu", DeviceRole.SCANNER, None, ""), by="x", now=NOW)
    for seconds, seen in ((5, 0), (11, 11), (20, 11), (22, 22)):
        with small_office.working():
            devices.find_caller(token, now=NOW + timedelta(seconds=seconds))
        assert the_device(small_office).last_seen_at == NOW + timedelta(seconds=seen)


# --- changing -----------------------------------------------------------------------------------


def test_a_phone_is_renamed_moved_and_given_other_lanes(office: Office) -> None:
    admin, pairing, north = office.log_in(Role.ADMIN), office.add_phone(), office.add_gate("North")
    path = f"/staff/door/devices/{pairing.device_id}"
    fields = Page(admin.get(path)).fields
    changed = typed(north, name="Budi", role="supervisor", lanes=["L", "C", "x"])
    assert send(admin, path, **changed, version=fields["version"]).status == 303
    device = the_device(office)
    assert (device.name, device.gate_id, device.lanes) == ("Budi", north, "CL")
    assert device.role is DeviceRole.SUPERVISOR


def test_a_stale_tab_cannot_undo_what_somebody_else_changed(office: Office) -> None:
    admin, gate = office.log_in(Role.ADMIN), office.add_gate()
    path = f"/staff/door/devices/{office.add_phone(gate_id=gate).device_id}"
    stale = Page(admin.get(path)).fields["version"]
    send(admin, path, **typed(gate, name="Budi"), version=stale)
    refused = send(admin, path, **typed(gate, name="Citra"), version=stale)
    assert refused.status == 409
    assert "Somebody else changed this" in refused.text
    assert the_device(office).name == "Budi"
    assert refused.fields["name"] == "Budi"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"gate": 99}, "gate"),
        ({"role": "king"}, "role"),
    ],
)
def test_what_cannot_be_used_comes_back_marked(
    small_office: Office, change: dict[str, object], field: str
) -> None:
    admin, gate = small_office.log_in(Role.ADMIN), small_office.add_gate()
    page = send(admin, "/staff/door/devices/new", **typed(gate, **change))
    assert page.status == 422
    assert page.by_id(field).attributes["aria-invalid"] == "true"
