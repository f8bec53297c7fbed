"""Gates and lanes: what staff set is what holds, and no stale tab undoes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.extensions import db
from app.models import DoorSettings, Gate, Role
from app.models.codes import LANES
from app.services.door import devices, gates
from tests.pages.html import Page
from tests.running.sales import add_ticket
from tests.staff.office import Office, send

NEW = "/staff/door/gates/new"
LANES_PAGE = "/staff/door/lanes"


def the_gate(office: Office) -> Gate:
    with office.working():
        [gate] = gates.list_gates(with_retired=True)
        return gate


def letters(office: Office) -> list[str]:
    with office.working():
        return [device.lanes for device in gates.look_at_lanes().scanners]


def is_lane_mode(office: Office) -> bool:
    with office.working():
        return gates.look_at_lanes().is_on


# --- gates --------------------------------------------------------------------------------------


def test_a_gate_is_added_as_typed_in_the_events_zone(office: Office) -> None:
    with office.working():
        tickets = [add_ticket(name, now=datetime.now(UTC)) for name in ("Reguler", "VIP")]
    typed: dict[str, Any] = {
        "name": "  North  gate ",
        "tickets": [tickets[1], 999, "x"],
        "has_exit": "yes",
    }
    times = {"opens_at": "2030-01-26T08:00", "closes_at": "2030-01-26T12:30"}
    answer = send(office.log_in(Role.ADMIN), NEW, **typed, **times, has_reentry="yes")
    assert (answer.status, answer.headers["Location"]) == (303, "/staff/door/gates")
    gate = the_gate(office)
    assert (gate.name, gate.ticket_ids) == ("North gate", [tickets[1]])
    assert gate.opens_at == datetime(2030, 1, 26, 1, 0, tzinfo=UTC)
    assert gate.closes_at == datetime(2030, 1, 26, 5, 30, tzinfo=UTC)
    assert (gate.has_exit, gate.has_reentry) == (True, True)


def test_the_form_shows_a_gate_as_it_is_and_keeps_it_when_sent_back(office: Office) -> None:
    opens_at = datetime(2030, 1, 26, 1, 0, tzinfo=UTC)
    gate_id = office.add_gate("A", opens_at=opens_at, has_exit=True)
    admin, before = office.log_in(Role.ADMIN), the_gate(office)
    page = Page(admin.get(f"/staff/door/gates/{gate_id}"))
    assert page.fields["opens_at"] == "2030-01-26T08:00"
    ticked = [e for e in page.all("input", type="checkbox") if "checked" in e.attributes]
    assert [e.attributes["name"] for e in ticked] == ["has_exit"]
    kept = {k: page.fields[k] for k in ("name", "opens_at", "closes_at", "version")}
    assert send(admin, f"/staff/door/gates/{gate_id}", **kept, has_exit="yes").status == 303
    assert gates.version_of(the_gate(office)) == gates.version_of(before)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 33}, "name"),
        ({"name": "Taken"}, "name"),
        ({"opens_at": "tomorrow"}, "opens_at"),
        ({"opens_at": "2030-01-26T12:00", "closes_at": "2030-01-26T12:00"}, "closes_at"),
        ({"has_reentry": "yes"}, "has_exit"),
    ],
)
def test_a_gate_that_cannot_be_comes_back_with_its_reason(
    small_office: Office, typed: dict[str, Any], field: str
) -> None:
    small_office.add_gate("Taken")
    page = send(small_office.log_in(Role.ADMIN), NEW, **({"name": "A"} | typed))
    assert page.status == 422
    assert page.by_id(f"{field}-error").text
    assert the_gate(small_office).name == "Taken", "nothing was added"


def test_two_gates_that_differ_in_case_are_two_gates(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    assert [send(admin, NEW, name=name).status for name in ("a", "A", "á", "a")] == [
        303,
        303,
        303,
        422,
    ]


def test_a_stale_tab_cannot_overwrite_a_gate(office: Office) -> None:
    path, admin = f"/staff/door/gates/{office.add_gate('A')}", office.log_in(Role.ADMIN)
    stale = Page(admin.get(path)).fields["version"]
    assert send(admin, path, name="North", version=stale).status == 303
    refused = send(admin, path, name="South", version=stale)
    assert refused.status == 409
    assert refused.fields["name"] == "North", "the page shows how it is now"
    assert the_gate(office).name == "North"


def test_a_gate_is_retired_once_no_phone_stands_there_and_reopened(office: Office) -> None:
    gate_id, admin = office.add_gate("A"), office.log_in(Role.ADMIN)
    path, phone = f"/staff/door/gates/{gate_id}", office.add_phone(gate_id=gate_id)
    refused = send(admin, f"{path}/retire", page=path)
    assert refused.status == 409
    assert "Move them to another one first" in refused.text
    with office.working():
        devices.cut_off(phone.device_id, by="tests", now=datetime.now(UTC))
    assert send(admin, f"{path}/retire", page=path).status == 303
    assert the_gate(office).retired_at
    assert admin.get(path).status_code == 404
    assert send(admin, NEW, name="A").status == 422, "scans name their gate for ever"
    send(admin, f"{path}/reopen", page="/staff/door/gates")
    assert the_gate(office).retired_at is None


def test_gates_that_are_not_there_are_not_found(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    for path in ("gates/9", "gates/9/retire", "gates/9/reopen"):
        send_to = f"/staff/door/{path}"
        assert send(admin, send_to, page=NEW, name="A", version="x").status == 404, path


# --- lanes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, 15))
def test_letters_are_shared_so_that_each_is_on_one_phone(count: int) -> None:
    shares = gates.share_lanes(count)
    assert len(shares) == count
    assert "".join(shares) == LANES
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_spreading_gives_every_scanner_in_use_its_letters(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    gone = office.add_phone("Gone", lanes="ABC")
    with office.working():
        devices.cut_off(gone.device_id, by="tests", now=datetime.now(UTC))
    for name in ("Ayu", "Budi", "Citra"):
        office.add_phone(name, lanes="A")
    office.add_phone("Boss", role="supervisor")
    page = Page(admin.get(LANES_PAGE))
    assert "No phone has B, C, D, E, F, G, H, I, J, K, L" in page.text
    assert "Several phones have A" in page.text
    send(admin, f"{LANES_PAGE}/spread", page=LANES_PAGE)
    assert letters(office) == ["ABCD", "EFGH", "IJKL"]
    page = Page(admin.get(LANES_PAGE))
    assert "No phone has" not in page.text
    assert "Several phones have" not in page.text


def test_several_supervisors_are_warned_of(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    small_office.add_phone("One", role="supervisor")
    assert "only the supervisor phone paired first helps" not in Page(admin.get(LANES_PAGE)).text
    small_office.add_phone("Two", role="supervisor")
    assert "only the supervisor phone paired first helps" in Page(admin.get(LANES_PAGE)).text


def test_lane_mode_is_switched_on_and_off(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    for expected in (True, False, True):
        fields = Page(admin.get(LANES_PAGE)).fields
        send(admin, LANES_PAGE, wanted=fields["wanted"], shown=fields["shown"])
        assert is_lane_mode(office) is expected


@pytest.mark.parametrize("was_on", [False, True])
def test_a_stale_tab_cannot_switch_lane_mode(office: Office, was_on: bool) -> None:
    admin = office.log_in(Role.ADMIN)
    if was_on:
        send(admin, LANES_PAGE, wanted="on", shown="off")
    stale = {"shown": "off" if was_on else "on", "wanted": "on" if was_on else "off"}
    refused = send(admin, LANES_PAGE, **stale)
    assert refused.status == 409
    assert "Somebody else switched this" in refused.text
    assert is_lane_mode(office) is was_on


def test_who_switched_is_kept(small_office: Office) -> None:

    send(small_office.log_in(Role.ADMIN), LANES_PAGE, wanted="on", shown="off")
    with small_office.working():
        settings = db.session.get_one(DoorSettings, 1)
        assert settings.changed_by == "admin@tedxsenja.example"
        assert datetime.now(UTC) - settings.changed_at < timedelta(minutes=1)
