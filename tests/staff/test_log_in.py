"""Logging in and out: what begins a session, and what ends it."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.security import check_password_hash

from app.extensions import db
from app.models import Role, Staff, StaffSession
from app.services.office import passwords
from tests.staff.office import PASSWORD, Office, log_in, send

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
Travel = Callable[[timedelta], None]


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Travel:
    """Move the clock of the whole service forward."""
    moved = timedelta()

    def go(by: timedelta) -> None:
        nonlocal moved
        moved += by
        for place in ("app.routes.sessions", "app.routes.staff"):
            monkeypatch.setattr(f"{place}.utcnow", lambda: datetime.now(UTC) + moved)

    return go


def is_logged_in(client: FlaskClient) -> bool:
    return client.get("/staff").status_code == 200


def test_staff_log_in_and_come_to_where_they_wanted(office: Office) -> None:
    client, email = office.browser(), office.hire(Role.ADMIN)
    asked = client.get("/staff/door/gates?x=1")
    assert (asked.status_code, asked.location) == (
        303,
        "/staff/log-in?next=/staff/door/gates?x%3D1",
    )
    page = log_in(client, email.upper(), next="/staff/door/gates?x=1")
    assert (page.status, page.headers["Location"]) == (303, "/staff/door/gates?x=1")
    assert is_logged_in(client)


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "\t//evil", "staff"]
)
def test_next_never_leads_to_another_site(small_office: Office, path: str) -> None:
    page = log_in(small_office.browser(), small_office.hire(Role.ADMIN), next=path)
    assert page.headers["Location"] == "/staff"


def test_a_wrong_password_and_an_unknown_address_look_the_same(office: Office) -> None:
    email = office.hire(Role.DOOR)
    wrong, unknown = (
        log_in(office.browser(), address, "not the password")
        for address in (email, "nobody@tedxsenja.example")
    )
    assert wrong.status == unknown.status == 422
    for page in (wrong, unknown):
        assert "do not fit" in page.by_id("problems").text
        assert "an admin can set a new password" in page.text


@pytest.mark.usefixtures("real_passwords")
def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: one comparison each, with the same parameters of scrypt."""
    compared: list[list[str]] = []

    def note(stored: str, password: str) -> bool:
        compared.append(stored.split("$"))
        return check_password_hash(stored, password)

    monkeypatch.setattr(passwords, "check_password_hash", note)
    for email in (small_office.hire(Role.DOOR), "nobody@tedxsenja.example"):
        log_in(small_office.browser(), email, "not the password")
    known, unknown = compared
    assert known[0] == unknown[0] == "scrypt:32768:8:3"
    assert [len(part) for part in known] == [len(part) for part in unknown]


def test_nothing_typed_at_log_in_reaches_the_log(
    small_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    email = small_office.hire(Role.DOOR)
    with caplog.at_level(logging.DEBUG):
        client = small_office.browser()
        log_in(client, email, "a secret guess")
        log_in(client, email)
    lines = json.dumps([vars(record) for record in caplog.records], default=str)
    for secret in (email, "a secret guess", PASSWORD, "session="):
        assert secret not in lines


# --- sessions -----------------------------------------------------------------------------------


def test_log_in_keeps_nothing_of_the_session_before(small_office: Office) -> None:
    """Or somebody who planted a session in a browser would share what its owner does in it."""
    client = small_office.browser()
    with client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
        planted["csrf_token"] = "known to somebody else"
    client.get("/staff/log-in")
    log_in(client, small_office.hire(Role.ADMIN))
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != "known to somebody else"


@pytest.mark.parametrize(
    ("role", "minutes"), [(Role.DOOR, 14 * 60), (Role.ADMIN, 30), (Role.FINANCE, 30)]
)
def test_a_session_left_alone_ends(
    small_office: Office, travel: Travel, role: Role, minutes: int
) -> None:
    used, idle = small_office.log_in(role), small_office.browser()
    log_in(idle, f"{role.value}@tedxsenja.example")
    for pause in (timedelta(minutes=minutes - 10), timedelta(minutes=20)):
        travel(pause)
        assert is_logged_in(used)
    assert not is_logged_in(idle)


def test_a_page_that_refreshes_itself_keeps_nobody_logged_in(
    small_office: Office, travel: Travel
) -> None:
    client = small_office.log_in(Role.ADMIN)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/staff/door"}
    for _ in range(3):
        travel(timedelta(minutes=14))
        answer = client.get("/staff/door?poll=1", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/staff/log-in?next=/staff/door"


def test_no_session_outlives_a_day(small_office: Office, travel: Travel) -> None:
    client = small_office.log_in(Role.DOOR)
    for hours in (10, 10):
        travel(timedelta(hours=hours))
        assert is_logged_in(client)
    travel(timedelta(hours=5))
    assert not is_logged_in(client)


def test_log_out_everywhere_ends_every_session_of_this_account_only(office: Office) -> None:
    mine, other = office.log_in(Role.DOOR), office.log_in(Role.ADMIN)
    elsewhere = office.browser()
    log_in(elsewhere, "door@tedxsenja.example")
    send(mine, "/staff/me/log-out-everywhere", page="/staff/me")
    assert not is_logged_in(mine)
    assert not is_logged_in(elsewhere)
    assert is_logged_in(other)


def test_a_new_password_ends_the_other_sessions(office: Office) -> None:
    mine, elsewhere = office.log_in(Role.DOOR), office.browser()
    log_in(elsewhere, "door@tedxsenja.example")
    new = "another long password"
    typed = {"password": PASSWORD, "new_password": new, "again": new}
    assert send(mine, "/staff/me", **typed).status == 303
    assert is_logged_in(mine)
    assert not is_logged_in(elsewhere)
    assert log_in(elsewhere, "door@tedxsenja.example").status == 422
    assert log_in(elsewhere, "door@tedxsenja.example", new).status == 303


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "not mine"}, "password"),
        ({"again": "another one altogether"}, "again"),
        ({"new_password": "short", "again": "short"}, "new_password"),
        ({"new_password": "x" * 201, "again": "x" * 201}, "new_password"),
    ],
)
def test_a_password_that_cannot_be_changed_stays(
    small_office: Office, change: dict[str, str], field: str
) -> None:
    client = small_office.log_in(Role.DOOR)
    typed = {"password": PASSWORD, "new_password": "a new long one", "again": "a new long one"}
    page = send(client, "/staff/me", **(typed | change))
    assert page.status == 422
    assert page.by_id(field).attributes["aria-invalid"] == "true"
    assert log_in(small_office.browser(), "door@tedxsenja.example").status == 303


def test_a_session_of_an_account_that_is_gone_is_nobodys(office: Office) -> None:
    client = office.log_in(Role.DOOR)
    with office.working():
        db.session.execute(sa.delete(StaffSession))
        db.session.execute(sa.delete(Staff))
    assert not is_logged_in(client)
