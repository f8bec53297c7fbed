"""The second factor: who must have one, what a code is good for, and ways back in."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db, key_box
from app.integrations import totp
from app.models import Attempt, RecoveryCode, Role, Staff
from app.services.office import second_factor
from app.services.office.second_factor import WrongCode
from tests.harness.interleaving import overlap
from tests.pages.html import Page
from tests.staff.office import PASSWORD, SECRET, Office, code_at, fresh_code, log_in, send

SET_UP = "/staff/me/second-factor"
CODE = "/staff/log-in/code"


def half_in(office: Office, role: Role = Role.ADMIN) -> FlaskClient:
    """Return the browser of somebody who gave the password, not yet the code."""
    client, email = office.browser(), office.hire(role)
    form = Page(client.get("/staff/log-in")).fields
    answer = client.post("/staff/log-in", data=form | {"email": email, "password": PASSWORD})
    assert answer.location == CODE
    return client


def shown_secret(client: FlaskClient) -> str:
    [key] = Page(client.get(SET_UP)).all("code", class_="key")
    return key.text.replace(" ", "")


def set_up(client: FlaskClient, at: datetime | None = None) -> list[str]:
    """Confirm the offered secret; return the recovery codes."""
    code = code_at(shown_secret(client), at or datetime.now(UTC))
    page = send(client, SET_UP, code=code)
    assert page.status == 200, page.text
    return [item.text for item in page.by_id("codes").walk() if item.tag == "code"]


# --- setting it up ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.FINANCE, Role.ADMIN])
def test_who_handles_money_or_people_sets_it_up_before_anything_else(
    office: Office, role: Role
) -> None:
    client, email = office.browser(), office.hire(role, is_new=True)
    assert log_in(client, email, next="/staff/me").headers["Location"] == f"{SET_UP}?next=/staff/me"
    for path in ("/staff", "/staff/me", "/staff/me/recovery-codes", "/staff/proof"):
        assert SET_UP in (client.get(path).location or ""), path
    codes = set_up(client)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert client.get("/staff").status_code == 200
    with office.working():
        [row] = db.session.scalars(sa.select(Staff))
        kept = [row.totp_sealed, *db.session.scalars(sa.select(RecoveryCode.code_hash))]
        assert not [
            code for code in codes if code in str(kept) or code.replace("-", "") in str(kept)
        ]
    log_in_half(office.browser(), email)


def test_a_browser_that_only_knows_the_password_cannot_set_up_another_one(office: Office) -> None:
    client = half_in(office)
    for path in ("/staff", SET_UP, "/staff/me/recovery-codes", "/staff/proof", "/staff/people"):
        assert (client.get(path).location or "").startswith(CODE), path
    token = Page(client.get(CODE)).fields["csrf_token"]
    assert CODE in client.post(SET_UP, data={"csrf_token": token, "code": "1"}).location
    assert (
        CODE in client.post("/staff/me/second-factor/remove", data={"csrf_token": token}).location
    )
    answer = client.post("/api/check-ins", json={})
    assert answer.status_code == 401, "nor is it staff at the door"


def test_the_page_keeps_its_secret_when_the_code_was_mistyped(small_office: Office) -> None:
    client = small_office.browser()
    log_in(client, small_office.hire(Role.ADMIN, is_new=True))
    before = shown_secret(client)
    page = send(client, SET_UP, code="000 000")
    assert page.status == 422
    assert shown_secret(client) == before
    [picture] = page.all("img", class_="qr")
    assert picture.attributes["src"].startswith("data:image/png")


def test_a_volunteer_may_have_one_and_give_it_up_again_and_finance_may_not(
    small_office: Office,
) -> None:
    client = small_office.log_in(Role.DOOR)
    set_up(client)
    other = small_office.browser()
    log_in_half(other, "door@tedxsenja.example")
    send(client, f"{SET_UP}/remove", page="/staff/me")
    assert log_in(small_office.browser(), "door@tedxsenja.example").headers["Location"] == "/staff"
    finance = small_office.log_in(Role.FINANCE)
    send(finance, f"{SET_UP}/remove", page="/staff/me")
    assert Page(finance.get("/staff/me")).has_id("second")
    assert "asks for a code" in Page(finance.get("/staff/me")).text


def test_promotion_asks_for_one_from_the_next_call_on(small_office: Office) -> None:
    client = small_office.log_in(Role.DOOR)
    with small_office.working():
        db.session.execute(sa.update(Staff).values(role=Role.FINANCE))
    assert SET_UP in client.get("/staff").location


# --- codes --------------------------------------------------------------------------------------


def test_a_code_is_good_once(office: Office) -> None:
    first = half_in(office)
    code = fresh_code(office.app)
    assert send(first, CODE, code=f"{code[:3]} {code[3:]}").headers["Location"] == "/staff"
    second = office.browser()
    form = Page(second.get("/staff/log-in")).fields
    second.post(
        "/staff/log-in", data=form | {"email": "admin@tedxsenja.example", "password": PASSWORD}
    )
    assert send(second, CODE, code=code).status == 422
    assert second.get("/staff").status_code == 303


@pytest.mark.parametrize(("steps", "is_good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_one_step_off(
    small_office: Office, steps: int, is_good: bool
) -> None:
    now = datetime(2027, 1, 1, 12, tzinfo=UTC)
    code = code_at(SECRET, now + steps * timedelta(seconds=totp.STEP_SECONDS))
    assert (totp.find_step(SECRET, code, now=now) is not None) is is_good


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: the secret 12345678901234567890 at 59 s shows 94287082."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.find_step(secret, "287082", now=datetime.fromtimestamp(59, UTC)) == 1


def test_codes_cannot_be_guessed(small_office: Office) -> None:
    client = half_in(small_office)
    for _ in range(second_factor.MOST_SOON):
        assert send(client, CODE, code="000000").status == 422
    page = send(client, CODE, code=fresh_code(small_office.app))
    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    with small_office.working():
        db.session.execute(sa.delete(Attempt))
    assert send(client, CODE, code=fresh_code(small_office.app)).status == 303


def test_whoever_guesses_elsewhere_does_not_lock_the_owner_out(small_office: Office) -> None:
    owner = small_office.log_in(Role.ADMIN)
    send(owner, "/staff/log-out", page="/staff/me")
    thief = small_office.browser()
    log_in_half(thief)
    for _ in range(second_factor.MOST_SOON + 1):
        last = send(thief, CODE, code="000000")
    assert last.status == 429
    assert log_in(owner, "admin@tedxsenja.example").headers["Location"] == "/staff"


def log_in_half(client: FlaskClient, email: str = "admin@tedxsenja.example") -> None:
    form = Page(client.get("/staff/log-in")).fields
    typed = form | {"email": email, "password": PASSWORD}
    assert client.post("/staff/log-in", data=typed).location == CODE


def test_the_session_that_knew_the_password_alone_ends_with_the_step(small_office: Office) -> None:
    """Or a cookie copied before the code was given would be worth as much as the one after."""
    client = half_in(small_office)
    with client.session_transaction() as session:
        before = session["_user_id"]
    send(client, CODE, code=fresh_code(small_office.app))
    with client.session_transaction() as session:
        assert session["_user_id"] != before
        session["_user_id"] = before
    assert client.get("/staff").status_code == 303


# --- without the phone --------------------------------------------------------------------------


def test_a_recovery_code_lets_in_once_and_new_ones_end_the_old(office: Office) -> None:
    client, email = office.browser(), office.hire(Role.ADMIN, is_new=True)
    log_in(client, email)
    codes = set_up(client)
    for status in (303, 422):
        log_in_half(other := office.browser())
        assert send(other, CODE, code=codes[0].lower().replace("-", " ")).status == status
    page = send(client, "/staff/me/recovery-codes")
    assert (
        len([e for e in page.by_id("codes").walk() if e.tag == "code"])
        == second_factor.RECOVERY_CODES
    )
    log_in_half(other)
    assert send(other, CODE, code=codes[1]).status == 422


def test_the_command_lets_in_who_lost_everything(office: Office) -> None:
    client = office.log_in(Role.ADMIN)
    email = "admin@tedxsenja.example"
    run = office.app.test_cli_runner()
    result = run.invoke(args=["staff", "reset-second-factor", email.upper()])
    assert result.exit_code == 0, result.output
    assert client.get("/staff").status_code == 303
    assert log_in(client, email).headers["Location"] == SET_UP
    assert run.invoke(args=["staff", "reset-second-factor", "x@example.com"]).exit_code == 1


def test_after_another_secret_key_recovery_codes_still_let_in(small_office: Office) -> None:
    client, email = small_office.browser(), small_office.hire(Role.ADMIN, is_new=True)
    log_in(client, email)
    secret, codes = shown_secret(client), set_up(client)
    key_box.open("another secret key, another secret key")
    try:
        log_in_half(other := small_office.browser())
        with small_office.working():
            db.session.execute(sa.update(Staff).values(totp_last_step=None))
        assert send(other, CODE, code=code_at(secret, datetime.now(UTC))).status == 422
        assert send(other, CODE, code=codes[0]).status == 303
    finally:
        key_box.open(small_office.app.config["SECRET_KEY"])


# --- races --------------------------------------------------------------------------------------


def race(app: Flask) -> tuple[object, object]:
    """Let one browser send a code while another one is held behind its look at the secret."""
    office, now = Office(app), datetime.now(UTC)
    office.hire(Role.ADMIN)
    with app.app_context():
        [staff_id] = db.session.scalars(sa.select(Staff.id))
        db.session.remove()
    code = code_at(SECRET, now)
    return overlap(app, *[lambda: second_factor._use_totp(staff_id, code, now)] * 2, after=1)


def test_of_two_who_send_one_code_at_once_one_gets_in(mariadb_app: Flask) -> None:
    assert {type(each) for each in race(mariadb_app)} == {type(None), WrongCode}


def test_looking_first_and_writing_then_both_would_get_in(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without the condition in the UPDATE the code is good for all."""

    def look_first(staff_id: int, code: str, now: datetime) -> None:
        last = db.session.scalar(sa.select(Staff.totp_last_step).where(Staff.id == staff_id))
        db.session.rollback()
        step = totp.find_step(SECRET, code, now=now)
        if step is None or (last is not None and last >= step):
            raise WrongCode
        db.session.execute(sa.update(Staff).values(totp_last_step=step))
        db.session.commit()

    monkeypatch.setattr(second_factor, "_use_totp", look_first)
    assert race(mariadb_app) == (None, None)
