"""Accounts: invited by a link, changed by another admin, never without the last one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.gateways import current_settings
from app.models import Invitation, Job, Role, Staff
from app.services.office import invitations, passwords, staff_sessions, staffing
from app.services.office.passwords import Weakness, WeakPassword
from app.services.office.staffing import LastAdmin
from app.services.running.audit import Actor
from tests.harness.interleaving import overlap
from tests.pages.html import Page
from tests.staff.office import PASSWORD, TESTS, Office, log_in, send

PEOPLE = "/staff/people"
NEW = "three quiet green lamps"


def invite(office: Office, admin: FlaskClient, email: str, role: str = "finance") -> str:
    """Invite somebody; return the link of the mail, as a path."""
    page = send(admin, f"{PEOPLE}/invite", email=email, role=role)
    assert page.headers["Location"] == f"{PEOPLE}?done=invited", page.text
    with office.working():
        row = db.session.scalars(sa.select(Invitation).order_by(Invitation.id.desc())).first()
        assert row is not None
        letter = invitations.write_letter(row, current_settings())
    assert letter.to == email
    [link] = set(re.findall(r"http://localhost(/staff/invitations/\S+)", letter.text))
    assert link in letter.html
    return str(link)


def id_of(office: Office, email: str) -> int:
    with office.working():
        return staffing.get_account(email).id


# --- invitations --------------------------------------------------------------------------------


def test_an_invitation_makes_one_account_once(office: Office) -> None:
    admin, guest = office.log_in(Role.ADMIN), office.browser()
    link = invite(office, admin, "budi@example.com")
    with office.working():
        kinds = db.session.scalars(sa.select(Job.kind)).all()
        assert kinds == [invitations.SEND_INVITATION]
    weak = send(guest, link, name="Budi", password="short", again="short")
    assert weak.by_id("password").attributes["aria-invalid"] == "true"
    page = send(guest, link, name=" Budi  Santoso ", password=NEW, again=NEW)
    assert page.headers["Location"] == "/staff/me/second-factor"
    with office.working():
        row = staffing.get_account("budi@example.com")
        assert (row.name, row.role) == ("Budi Santoso", Role.FINANCE)
    assert office.browser().get(link).status_code == 410
    assert "Budi Santoso" in Page(admin.get(PEOPLE)).text


@pytest.mark.parametrize("ending", ["taken back", "replaced", "over", "another key"])
def test_an_invitation_that_is_not_valid_any_more_opens_nothing(
    small_office: Office, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    admin = small_office.log_in(Role.ADMIN)
    link, guest = invite(small_office, admin, "budi@example.com"), small_office.browser()
    token = Page(guest.get(link)).fields["csrf_token"]
    if ending == "taken back":
        send(admin, f"{PEOPLE}/invitations/1/take-back", page=PEOPLE)
    elif ending == "replaced":
        invite(small_office, admin, "budi@example.com")
    elif ending == "over":
        later = datetime.now(UTC) + invitations.VALID + timedelta(seconds=1)
        monkeypatch.setattr("app.routes.staff_invitations.utcnow", lambda: later)
    else:
        link = link[:-1] + ("A" if link[-1] != "A" else "B")
    typed = {"csrf_token": token, "name": "Budi", "password": NEW, "again": NEW}
    assert guest.post(link, data=typed).status_code == 410
    with small_office.working():
        assert db.session.scalar(sa.select(sa.func.count(Staff.id))) == 1


def test_who_has_an_account_is_not_invited(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    page = send(admin, f"{PEOPLE}/invite", email="ADMIN@tedxsenja.example", role="door")
    assert page.status == 422
    assert "has an account" in page.text


# --- changing -----------------------------------------------------------------------------------


def test_another_admin_changes_a_role_and_it_counts_at_once(office: Office) -> None:
    admin, other = office.log_in(Role.ADMIN), office.log_in(Role.DOOR)
    path = f"{PEOPLE}/{id_of(office, 'door@tedxsenja.example')}"
    stale = {"role": "admin", "shown": "finance"}
    assert send(admin, f"{path}/role", page=path, **stale).status == 409
    assert send(admin, f"{path}/role", page=path, role="finance", shown="door").status == 303
    assert other.get("/staff").location == "/staff/me/second-factor?next=/staff"


def test_a_deactivated_account_can_do_nothing_until_it_is_reactivated(office: Office) -> None:
    admin, other = office.log_in(Role.ADMIN), office.log_in(Role.DOOR)
    email = "door@tedxsenja.example"
    path = f"{PEOPLE}/{id_of(office, email)}"
    send(admin, f"{path}/deactivate", page=path)
    assert other.get("/staff").status_code == 303
    assert log_in(office.browser(), email).status == 422
    send(admin, f"{path}/reactivate", page=path)
    assert log_in(office.browser(), email).status == 303


def test_an_admin_ends_the_sessions_and_the_second_factor_of_another(office: Office) -> None:
    admin, other = office.log_in(Role.ADMIN), office.log_in(Role.FINANCE)
    path = f"{PEOPLE}/{id_of(office, 'finance@tedxsenja.example')}"
    send(admin, f"{path}/log-out", page=path)
    assert other.get("/staff").status_code == 303
    send(admin, f"{path}/reset-second-factor", page=path)
    page = log_in(other, "finance@tedxsenja.example")
    assert page.headers["Location"] == "/staff/me/second-factor"


@pytest.mark.parametrize("act", ["role", "deactivate", "reactivate", "reset-second-factor"])
def test_nobody_widens_or_lifts_their_own_limits(small_office: Office, act: str) -> None:
    admin = small_office.log_in(Role.ADMIN)
    small_office.hire(Role.ADMIN, "second@tedxsenja.example")
    path = f"{PEOPLE}/{id_of(small_office, 'admin@tedxsenja.example')}"
    page = send(admin, f"{path}/{act}", page="/staff/me", role="door", shown="admin")
    assert page.status == 409
    assert "by another admin" in page.text
    assert admin.get(PEOPLE).status_code == 200


# --- the last admin -----------------------------------------------------------------------------


def two_admins_demote_each_other(app: Flask, *, after: int | str) -> tuple[object, object]:
    """Let one do it between the other's statements; return what came of both."""
    office, now = Office(app), datetime.now(UTC)
    for name in ("a", "b"):
        office.hire(Role.ADMIN, f"{name}@tedxsenja.example")
    with app.app_context():
        one, other = db.session.scalars(sa.select(Staff.id).order_by(Staff.id)).all()
        db.session.remove()

    def demote(mine: int, other: int) -> None:
        by = Actor.staff(mine, "x")
        staffing.set_role(other, Role.FINANCE, shown=Role.ADMIN, by=by, now=now)

    return overlap(app, lambda: demote(one, other), lambda: demote(other, one), after=after)


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_of_two_admins_who_demote_each_other_at_once_one_stays(
    mariadb_app: Flask, statements: int
) -> None:
    outcomes = two_admins_demote_each_other(mariadb_app, after=statements)
    assert {type(each) for each in outcomes} == {type(None), LastAdmin}


def test_counting_without_a_lock_nobody_would_stay(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: both look, both see two admins, both go on."""

    def count(session: sa.orm.Session) -> list[int]:
        return list(session.scalars(sa.select(Staff.id).where(Staff.role == Role.ADMIN)))

    monkeypatch.setattr(staffing, "_lock_admins", count)
    outcomes = two_admins_demote_each_other(mariadb_app, after="WHERE staff.role")
    assert outcomes == (None, None)


@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_the_last_active_admin_stays_even_against_the_command_line(
    small_office: Office, act: str
) -> None:
    now = datetime.now(UTC)
    small_office.hire(Role.ADMIN)
    gone = small_office.hire(Role.ADMIN, "gone@tedxsenja.example")
    with small_office.working():
        staffing.deactivate(staffing.get_account(gone).id, by=TESTS, now=now)
        last = staffing.get_account("admin@tedxsenja.example").id
        with pytest.raises(LastAdmin):
            if act == "demote":
                staffing.set_role(last, Role.DOOR, shown=Role.ADMIN, by=TESTS, now=now)
            else:
                staffing.deactivate(last, by=TESTS, now=now)


# --- sessions and proof -------------------------------------------------------------------------


def test_one_sees_where_one_is_logged_in_and_ends_a_session_there(small_office: Office) -> None:
    mine, elsewhere = small_office.log_in(Role.DOOR), small_office.browser()
    elsewhere.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 15) Firefox/140.0"
    log_in(elsewhere, "door@tedxsenja.example")
    assert "Firefox, Android" in Page(mine.get("/staff/me")).text
    send(mine, "/staff/me/sessions/2/end", page="/staff/me")
    assert elsewhere.get("/staff").status_code == 303
    assert mine.get("/staff").status_code == 200


def test_nobody_ends_somebody_elses_session(small_office: Office) -> None:
    admin, door = small_office.log_in(Role.ADMIN), small_office.log_in(Role.DOOR)
    with small_office.working():
        staff_id = staffing.get_account("admin@tedxsenja.example").id
        [one] = staff_sessions.list_sessions(staff_id, now=datetime.now(UTC))
    send(door, f"/staff/me/sessions/{one.session_id}/end", page="/staff/me")
    assert admin.get("/staff").status_code == 200


def test_what_is_grave_asks_for_the_password_again(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = small_office.log_in(Role.ADMIN)
    page = Page(admin.get(f"{PEOPLE}/invite"))
    for minutes, shown, sent in ((5, 200, 303), (11, 303, 303), (21, 303, 303)):
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        for place in ("proof", "sessions"):
            monkeypatch.setattr(f"app.routes.{place}.utcnow", lambda later=later: later)
        assert admin.get(f"{PEOPLE}/invite").status_code == shown
        typed = page.fields | {"email": f"a{minutes}@example.com", "role": "door"}
        answer = admin.post(f"{PEOPLE}/invite", data=typed)
        assert answer.status_code == sent
        is_done = "done=invited" in (answer.location or "")
        assert is_done is (minutes < 20), "a form that was shown in time may still be sent"
    wrong = send(admin, f"/staff/proof?next={PEOPLE}/invite", password="wrong")
    assert wrong.status == 422
    right = send(admin, f"/staff/proof?next={PEOPLE}/invite", password=PASSWORD)
    assert right.headers["Location"] == f"{PEOPLE}/invite"
    assert admin.get(f"{PEOPLE}/invite").status_code == 200


# --- passwords ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("elevenchars", Weakness.SHORT),
        ("x" * 201, Weakness.LONG),
        ("Password1234!", Weakness.COMMON),
        ("password-password", Weakness.COMMON),
        ("123456789012", Weakness.COMMON),
        ("aaaaaaaaaaaaaa", Weakness.COMMON),
        ("Sari.Dewi-2026", Weakness.PERSONAL),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, weakness: Weakness) -> None:
    with pytest.raises(WeakPassword) as refused:
        passwords.hash_password(password, about=("sari.dewi@example.com", "Sari Dewi"))
    assert refused.value.weakness is weakness


@pytest.mark.parametrize(
    "password", ["three quiet lamps", "tiga lampu sunyi", "ｌａｍｐ quiet sea 王小明"]
)
def test_long_ones_of_any_characters_are_taken(password: str) -> None:
    kept = passwords.hash_password(password, about=("sari@example.com", "Sari"))
    assert passwords.is_password(kept, password)
    assert not passwords.is_password(kept, password + "x")


def test_a_password_kept_cheaper_is_kept_as_today_after_the_next_log_in(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = small_office.hire(Role.DOOR)
    monkeypatch.setattr(passwords, "METHOD", "scrypt:1024:8:1")
    for _ in range(2):
        assert log_in(small_office.browser(), email).status == 303
    with small_office.working():
        assert staffing.get_account(email).password_hash.startswith("scrypt:1024:8:1$")
