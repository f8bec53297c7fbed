"""What holds for every page of staff, in both languages: no inline code, well built, private."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.models import Role
from app.services.door import devices
from tests.door.world import DoorWorld
from tests.pages.html import Page
from tests.pages.soundness import (
    check_names,
    check_nothing_inline,
    check_references,
    check_structure,
)
from tests.staff.office import DOOR, PAGES, Office, log_in, send


def every_page(office: Office, language: str) -> Iterator[tuple[str, Page]]:
    """Visit each page of staff and of pairing, some of them refused, empty and filled."""
    client, email = office.browser(language), office.hire(Role.ADMIN)
    yield "pair", Page(client.get("/door/pair"))
    yield "pair refused", send(client, "/door/pair", code="x")
    yield "log-in", Page(client.get("/staff/log-in"))
    yield "log-in refused", log_in(client, email, "wrong")
    log_in(client, email)
    for path in PAGES:
        yield f"{path} (empty)", Page(client.get(path))
    yield "gate refused", send(client, f"{DOOR}/gates/new", has_reentry="yes")
    gate = office.add_gate("A")
    office.add_phone("Boss", gate_id=gate, role="supervisor")
    phone = office.add_phone("Ayu", gate_id=gate, lanes="AB")
    for path in (*PAGES, f"{DOOR}/gates/{gate}", f"{DOOR}/devices/{phone.device_id}"):
        yield path, Page(client.get(path))
    path = f"{DOOR}/devices/{phone.device_id}/code"
    yield "code gone", Page(client.get(path))
    send(client, path)
    yield "code", Page(client.get(path))
    with office.working():
        devices.note_seen(phone.device_id, now=datetime.now(UTC), report={"queued": 3})
    yield (
        "cut off?",
        send(client, f"{DOOR}/devices/{phone.device_id}/cut-off", page="/staff/me"),
    )
    world = DoorWorld(office.app, now=datetime.now(UTC))
    caller = world.phone("Two")
    caller.tell([caller.fact("forged")])
    yield "objections", Page(client.get(f"{DOOR}/conflicts"))


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_well_built_and_private(small_office: Office, language: str) -> None:
    for path, page in every_page(small_office, language):
        assert page.status in (200, 422), path
        check_structure(path, page, language)
        check_references(path, page)
        check_nothing_inline(path, page)
        check_names(path, page)
        if path not in ("pair", "pair refused"):
            assert page.headers["Cache-Control"] == "no-store", path


def test_every_form_that_changes_something_is_protected_against_forgery(
    small_office: Office,
) -> None:
    for path, page in every_page(small_office, "en"):
        for form in page.all("form", method="post"):
            names = [e.attributes.get("name") for e in form.walk()]
            assert "csrf_token" in names, (path, form.attributes["action"])
    admin = small_office.browser()
    log_in(admin, "admin@tedxsenja.example")
    before = Page(admin.get(f"{DOOR}/devices")).text
    for path in ("lanes/spread", "devices/1/cut-off", "gates/1/retire", "gates/new"):
        assert admin.post(f"{DOOR}/{path}", data={"name": "x"}).status_code == 400, path
    assert Page(admin.get(f"{DOOR}/devices")).text == before


def test_a_log_in_form_that_waited_too_long_is_shown_again(small_office: Office) -> None:
    email = small_office.hire(Role.DOOR)
    page = Page(small_office.browser().post("/staff/log-in", data={"email": email}))
    assert page.status == 400
    assert page.fields["email"] == email
    assert "log in once more" in page.text


@pytest.mark.parametrize("language", ["id", "en"])
def test_nothing_typed_runs_as_html(small_office: Office, language: str) -> None:
    admin = small_office.browser(language)
    log_in(admin, small_office.hire(Role.ADMIN))
    evil = "<img src=x>'\""
    gate = small_office.add_gate(evil)
    small_office.add_phone(evil, gate_id=gate)
    for path in (*PAGES, f"{DOOR}/gates/{gate}", f"{DOOR}/devices/1"):
        assert not Page(admin.get(path)).all("img"), path
