"""The first admin, made again at every start of `make run`: an account that is there stays."""

import pytest
from click.testing import Result

from app.models import Role
from tests.staff.office import PASSWORD, SECRET, Office, log_in

FIRST = "panitia@tedxsenja.example"


def start(office: Office, password: str) -> Result:
    """Do what `make run` does."""
    command = ["staff", "add", FIRST, "--role", "admin", "--unless-there", "--password-stdin"]
    arguments = [*command, "--totp-secret", SECRET]
    return office.app.test_cli_runner().invoke(args=arguments, input=password)


def test_the_first_start_makes_the_account_and_the_second_leaves_it(small_office: Office) -> None:
    assert start(small_office, PASSWORD).exit_code == 0
    again = start(small_office, "another long password")
    assert (again.exit_code, "nothing was changed" in again.output) == (0, True)
    assert log_in(small_office.browser(), FIRST).status == 303


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DOOR])
def test_an_account_of_another_role_is_not_made_an_admin(small_office: Office, role: Role) -> None:
    small_office.hire(role, FIRST)
    assert start(small_office, PASSWORD).exit_code == 0
    page = small_office.browser()
    log_in(page, FIRST)
    assert page.get("/staff/people").status_code == 403
