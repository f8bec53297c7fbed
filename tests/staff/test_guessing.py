"""What guessing passwords costs: waits for an account and for an address, whoever asks at once."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.errors import RateLimited
from app.extensions import db
from app.models import Attempt, Role
from app.services.office import staffing
from app.services.running import attempts
from app.services.running.attempts import Limit, count_attempt
from tests.harness.interleaving import overlap
from tests.staff.office import PASSWORD, Office, log_in, send

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


def test_guessing_one_account_ends_after_ten_tries_even_with_the_right_password(
    office: Office,
) -> None:
    email = office.hire(Role.DOOR)
    for number in range(staffing.MOST_AT_ACCOUNT):
        assert guess(office, email, "wrong", address=f"192.0.2.{number}") == "wrong"
    assert guess(office, email, PASSWORD, address="192.0.2.99") == "wait"
    assert guess(office, email.upper(), PASSWORD, address="192.0.2.99") == "wait"
    later = NOW + staffing.GUESSING + timedelta(seconds=1)
    assert guess(office, email, PASSWORD, address="192.0.2.99", now=later) == "in"


def test_guessing_many_accounts_from_one_address_ends_too(office: Office) -> None:
    email = office.hire(Role.DOOR)
    for number in range(staffing.MOST_BY_ADDRESS):
        assert guess(office, f"{number}@example.com", "wrong", address="192.0.2.1") == "wrong"
    assert guess(office, email, PASSWORD, address="192.0.2.1") == "wait"
    assert guess(office, email, PASSWORD, address="192.0.2.2") == "in"


def test_those_who_log_in_well_never_use_up_their_address(office: Office) -> None:
    """The whole door sits behind one address of the venue."""
    email = office.hire(Role.DOOR)
    for _ in range(staffing.MOST_AT_ACCOUNT + 2):
        assert guess(office, email, PASSWORD, address="192.0.2.1") == "in"
    with office.working():
        assert not db.session.scalars(sa.select(Attempt)).all()


def test_a_refused_guess_does_not_make_the_wait_longer(small_office: Office) -> None:
    email = small_office.hire(Role.DOOR)
    for minute in range(14):
        guess(small_office, email, "wrong", now=NOW + timedelta(minutes=minute))
    assert guess(small_office, email, PASSWORD, now=NOW + timedelta(minutes=15, seconds=1)) == "in"


def test_strangers_who_guess_do_not_lock_an_owner_out_of_a_browser_that_is_known(
    office: Office,
) -> None:
    known, email = office.log_in(Role.DOOR), "door@tedxsenja.example"
    for number in range(staffing.MOST_AT_ACCOUNT):
        guess(office, email, "wrong", address=f"192.0.2.{number}", now=datetime.now(UTC))
    assert log_in(office.browser(), email).status == 429
    send(known, "/staff/log-out", page="/staff/me")
    assert log_in(known, email).status == 303


def test_a_known_browser_may_not_guess_for_ever_nor_at_others(small_office: Office) -> None:
    known, other = small_office.log_in(Role.DOOR), small_office.hire(Role.ADMIN)
    send(known, "/staff/log-out", page="/staff/me")
    for _ in range(staffing.MOST_AT_ACCOUNT):
        assert log_in(known, "door@tedxsenja.example", "wrong").status == 422
    assert log_in(known, "door@tedxsenja.example").status == 429
    for number in range(staffing.MOST_AT_ACCOUNT):
        guess(small_office, other, "wrong", address=f"192.0.2.{number}", now=datetime.now(UTC))
    assert log_in(known, other).status == 429, "it is known to another account"


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "WyJhIiwiYiJd.aaaa.bbbb"])
def test_a_forged_mark_of_a_known_browser_is_none(small_office: Office, value: str) -> None:
    email, client = small_office.hire(Role.DOOR), small_office.browser()
    client.set_cookie("staff_browser", value, path="/staff")
    for number in range(staffing.MOST_AT_ACCOUNT):
        guess(small_office, email, "wrong", address=f"192.0.2.{number}", now=datetime.now(UTC))
    assert log_in(client, email).status == 429


def test_the_page_says_how_long_to_wait(small_office: Office) -> None:
    email = small_office.hire(Role.DOOR)
    pages = [
        log_in(small_office.browser(), email, "wrong") for _ in range(staffing.MOST_AT_ACCOUNT + 1)
    ]
    assert pages[-1].status == 429
    assert "Try again in 15 minutes." in pages[-1].text
    assert 0 < int(pages[-1].headers["Retry-After"]) <= staffing.GUESSING.total_seconds()


def guess(
    office: Office, email: str, password: str, *, address: str = "192.0.2.7", now: datetime = NOW
) -> str:
    with office.working():
        try:
            staffing.check_log_in(email, password, address=address, now=now)
        except staffing.WrongPassword:
            return "wrong"
        except RateLimited:
            return "wait"
    return "in"


LIMIT = Limit("test", "somebody", 3, timedelta(minutes=1))


def race(app: Flask, *, after: int | str) -> int:
    """Let two guess at once, one between the other's statements, where one more is allowed.

    Returns how many guesses there were in the end.
    """
    with app.app_context():
        for _ in range(LIMIT.most - 1):
            count_attempt([LIMIT], now=NOW)
    guesses = [lambda: attempts.count_attempt([LIMIT], now=NOW)] * 2
    outcomes = overlap(app, *guesses, after=after)
    refused = [each for each in outcomes if not isinstance(each, list)]
    assert all(isinstance(each, RateLimited) for each in refused), refused
    return LIMIT.most - 1 + len(outcomes) - len(refused)


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_simultaneous_guesses_cannot_slip_past_the_limit(
    mariadb_app: Flask, statements: int
) -> None:
    assert race(mariadb_app, after=statements) <= LIMIT.most


def test_counted_only_afterwards_they_would_slip_past(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: looking first and noting then lets both through."""
    note = attempts._note

    def look_first(limits: list[Limit], now: datetime) -> list[int]:
        if attempts._seconds_to_wait(limits[0], now):
            raise RateLimited(retry_after=1)
        return note(limits, now)

    monkeypatch.setattr(attempts, "count_attempt", look_first)
    assert race(mariadb_app, after=1) > LIMIT.most
