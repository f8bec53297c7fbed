"""The fair door in the office: what staff switch is what visitors meet, and no tab is stale."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import ActorKind, AuditEntry, Role
from app.services.waiting.look import watch
from tests.app_factory import running_app
from tests.office.catalogue_forms import fields, press, typed_time
from tests.pages.html import Page
from tests.pages.shop import shop_settings
from tests.pages.soundness import check_names, check_nothing_inline, check_references
from tests.staff.office import Office, send
from tests.waiting.hall import Hall, door_settings

PAGE = "/staff/fair-door"
NEW_LINE = f"{PAGE}/new-line"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A shop behind a fair door that is open."""
    settings = replace(shop_settings(tmp_path), fair_door=door_settings())
    with running_app(settings) as app:
        hall = Hall(app, settings)
        hall.move_on()
        yield hall


@pytest.fixture
def admin_office(hall: Hall) -> Office:
    """The office of that shop."""
    return Office(hall.app)


def where_a_visitor_goes(hall: Hall) -> str:
    """Return where a visitor who comes now is led: `/waiting`, or nowhere else."""
    with hall.working():
        watch().renew(datetime.now(UTC), hall.door)
    return hall.client.get("/checkout").location or ""


def test_the_line_is_switched_off_and_on_for_every_visitor(
    hall: Hall, admin_office: Office
) -> None:
    admin = admin_office.log_in(Role.ADMIN)
    hall.add_ticket()
    assert "by turn" in Page(admin.get(PAGE)).text
    assert where_a_visitor_goes(hall) == "/waiting"
    done = press(admin, f"{PAGE}/switch", PAGE, to="off", line="1")
    assert "within a second" in Page(admin.get(done.headers["Location"])).text
    assert where_a_visitor_goes(hall) == ""
    assert press(admin, f"{PAGE}/switch", PAGE, to="on", line="1").status == 303
    assert where_a_visitor_goes(hall) == "/waiting"


def test_a_stale_tab_switches_nothing(hall: Hall, admin_office: Office) -> None:
    admin = admin_office.log_in(Role.ADMIN)
    assert press(admin, f"{PAGE}/switch", PAGE, to="pause", line="1").status == 303
    again = press(admin, f"{PAGE}/switch", PAGE, to="pause", line="1")
    assert (again.status, "Somebody else" in again.text) == (409, True)
    stale = fields(Page(admin.get(PAGE)))
    assert send(admin, f"{PAGE}/pace", page=PAGE, line="1", was_pace="", pace="30").status == 303
    refused = admin.post(f"{PAGE}/pace", data=stale | {"pace": "90"})
    assert refused.status_code == 409
    assert hall.look().door.most_per_minute == 30
    assert press(admin, NEW_LINE, NEW_LINE, line="1").status == 303
    assert press(admin, f"{PAGE}/switch", PAGE, to="off", line="1").status == 409
    assert press(admin, NEW_LINE, NEW_LINE, line="1").status == 409
    assert hall.look().door.id == 2


def test_a_pace_that_cannot_be_comes_back_as_typed(hall: Hall, admin_office: Office) -> None:
    admin = admin_office.log_in(Role.ADMIN)
    for pace in ("0", "60.001", "fast"):
        page = send(admin, f"{PAGE}/pace", page=PAGE, line="1", pace=pace)
        assert (page.status, page.fields["pace"]) == (422, pace)
        assert page.by_id("pace-error").text
    assert hall.look().door.most_per_minute is None


def test_the_opening_is_set_until_it_has_opened(hall: Hall, admin_office: Office) -> None:
    admin = admin_office.log_in(Role.ADMIN)
    late = send(admin, f"{PAGE}/opening", page=PAGE, line="1", opens_at=typed_time(days=1))
    assert (late.status, "new line" in late.text) == (409, True)
    assert send(admin, NEW_LINE, line="1").status == 303
    wanted = typed_time(days=1)
    form = fields(Page(admin.get(PAGE)))
    assert admin.post(f"{PAGE}/opening", data=form | {"opens_at": wanted}).status_code == 303
    page = Page(admin.get(PAGE))
    assert page.fields["opens_at"] == wanted
    stale = admin.post(f"{PAGE}/opening", data=form | {"opens_at": typed_time(days=2)})
    assert stale.status_code == 409
    assert send(admin, f"{PAGE}/opening", page=PAGE, line="2", opens_at="x").status == 422


def test_what_was_switched_stands_in_the_log_with_who_did_it(
    hall: Hall, admin_office: Office
) -> None:
    admin = admin_office.log_in(Role.ADMIN)
    press(admin, f"{PAGE}/switch", PAGE, to="pause", line="1")
    press(admin, NEW_LINE, NEW_LINE, line="1")
    with admin_office.working():
        mine = AuditEntry.subject_kind == "fair_door"
        entries = db.session.scalars(sa.select(AuditEntry).where(mine).order_by(AuditEntry.id))
        told = [(entry.action, entry.actor_kind) for entry in entries]
    assert told == [
        ("fair_door.changed", ActorKind.STAFF),
        ("fair_door.begun_anew", ActorKind.STAFF),
    ]


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_page_is_well_built_in_every_state(
    hall: Hall, admin_office: Office, language: str
) -> None:
    admin = admin_office.log_in(Role.ADMIN, language)
    opens_at = datetime.now(UTC) + timedelta(hours=1)
    states: tuple[dict[str, Any], ...] = (
        {},
        {"is_paused": True},
        {"is_on": False},
        {"drawn_at": None, "opens_at": opens_at},
    )
    for state in states:
        hall.set_door(**state)
        for path in (PAGE, NEW_LINE):
            page = Page(admin.get(path))
            assert page.status == 200, state
            check_references(path, page)
            check_nothing_inline(path, page)
            check_names(path, page)


def test_without_a_fair_door_the_page_says_how_to_get_one(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    assert "FAIR_DOOR=true" in Page(admin.get(PAGE)).text
    for path in ("switch", "pace", "opening", "new-line"):
        typed = {"to": "off", "pace": "", "opens_at": typed_time()}
        assert press(admin, f"{PAGE}/{path}", "/staff/me", **typed).status == 404
