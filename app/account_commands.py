"""Commands for staff accounts: the first admin, and ways back in for who is locked out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.command_actor import command_actor
from app.forms.fields import FieldProblem, parse_email
from app.models import Role
from app.services.office import second_factor, staffing
from app.services.office.passwords import WeakPassword

staff = AppGroup("staff", help="Staff accounts.")


@staff.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--totp-secret", help="A second factor whose key (base32) is known already.")
@click.option("--unless-there", is_flag=True, help="Leave an account of this address as it is.")
def add_staff(
    email: str, role: str, password_stdin: bool, totp_secret: str | None, unless_there: bool
) -> None:
    """Add an account for EMAIL; finance and admin set up their second factor at first log-in."""
    try:
        address = parse_email(email)
    except FieldProblem as error:
        raise click.ClickException("this is not an e-mail address") from error
    if unless_there and _has_account(address):
        click.echo(f"{address} has an account already: nothing was changed")
        return
    password, by, now = _read_password(password_stdin), command_actor(), utcnow()
    with _refusals(address):
        staff_id = staffing.add_staff(address, Role(role), password, by=by, now=now)
        if totp_secret:
            second_factor.set_secret(staff_id, totp_secret, by=by, now=now)
    click.echo(f"{address} may log in with role {role}")


@staff.command("set-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def set_password(email: str, password_stdin: bool) -> None:
    """Give the account EMAIL another password, and end all its sessions."""
    with _refusals(email):
        password = _read_password(password_stdin)
        staffing.set_password(email, password, by=command_actor(), now=utcnow())
    click.echo(f"{email} has a new password and is logged out everywhere")


@staff.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take away the second factor of EMAIL, for somebody whose phone and codes are gone."""
    with _refusals(email):
        account = staffing.get_account(email)
        second_factor.reset(account.id, by=command_actor(), now=utcnow())
    click.echo(f"{email} is logged out everywhere and sets up a new one at the next log-in")


def _has_account(address: str) -> bool:
    try:
        staffing.get_account(address)
    except staffing.NoSuchStaff:
        return False
    return True


@contextmanager
def _refusals(email: str) -> Iterator[None]:
    """Turn a refusal into one sentence and exit code 1."""
    try:
        yield
    except WeakPassword as error:
        raise click.ClickException(str(error)) from error
    except staffing.StaffExists as error:
        raise click.ClickException(f"{email} has an account already") from error
    except staffing.NoSuchStaff as error:
        raise click.ClickException(f"{email} has no account: see `staff add`") from error


def _read_password(is_piped: bool) -> str:
    if is_piped:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
