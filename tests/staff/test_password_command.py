"""`staff set-password`: what an admin does for somebody who forgot theirs."""

import pytest

from app.models import Role
from app.services.office import staffing
from tests.staff.office import PASSWORD, Office, log_in

NEW = "another long password"


def set_password(office: Office, email: str, password: str) -> tuple[int, str]:
    run = office.app.test_cli_runner()
    arguments = ["staff", "set-password", email, "--password-stdin"]
    result = run.invoke(args=arguments, input=f"{password}\n")
    return result.exit_code, result.output


def test_a_new_password_counts_at_once_and_ends_every_session(office: Office) -> None:
    client = office.log_in(Role.DOOR)
    code, output = set_password(office, "Door@tedxsenja.example", NEW)
    assert (code, NEW in output) == (0, False)
    assert client.get("/staff").status_code == 303
    assert log_in(client, "door@tedxsenja.example").status == 422
    assert log_in(client, "door@tedxsenja.example", NEW).status == 303


def test_whoever_was_guessed_at_may_log_in_at_once_with_the_new_one(small_office: Office) -> None:
    email = small_office.hire(Role.DOOR)
    for _ in range(staffing.MOST_AT_ACCOUNT):
        log_in(small_office.browser(), email, "wrong")
    assert log_in(small_office.browser(), email).status == 429
    set_password(small_office, email, NEW)
    assert log_in(small_office.browser(), email, NEW).status == 303


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("door@tedxsenja.example", "short", "at least 12 characters"),
        ("nobody@tedxsenja.example", PASSWORD, "has no account"),
    ],
)
def test_a_password_that_cannot_be_set_changes_nothing(
    small_office: Office, email: str, password: str, words: str
) -> None:
    client = small_office.log_in(Role.DOOR)
    code, output = set_password(small_office, email, password)
    assert code == 1
    assert words in output
    assert client.get("/staff").status_code == 200
