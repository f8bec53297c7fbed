"""Commands: the worker, the catalogue, staff, API keys, checks."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from app import (
    demo_commands,
    fair_door_commands,
    key_commands,
    mail_commands,
    money_commands,
)
from app import worker as background
from app.account_commands import staff
from app.clock import utcnow
from app.command_actor import command_actor
from app.forms.catalogue_file import CatalogueFileError, read_catalogue_file, write_catalogue
from app.gateways import current_settings
from app.reconcile_command import reconcile_days
from app.services.office import partners
from app.services.running.invariants import find_violations
from app.services.selling.catalogue_loading import load_catalogue, read_catalogue_rows
from app.services.selling.catalogue_rows import CatalogueConflict

tickets = AppGroup("tickets", help="The catalogue.")
api_keys = AppGroup("api-keys", help="Keys of partner systems.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (worker, tickets, staff, api_keys, check_invariants, reconcile_days):
        app.cli.add_command(command)
    for group in (money_commands.refunds, money_commands.cases, money_commands.orders):
        app.cli.add_command(group)
    app.cli.add_command(key_commands.signing_keys)
    app.cli.add_command(mail_commands.mails)
    app.cli.add_command(fair_door_commands.fair_door)
    app.cli.add_command(demo_commands.demo_data)


@click.command()
@click.option("--threads", default=12, show_default=True, help="Jobs done at the same time.")
def worker(threads: int) -> None:
    """Do background work until told to stop; as many as you like, on any machine."""
    background.run(threads)


@tickets.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Create or update the catalogue from FILE (YAML); all of it or nothing."""
    try:
        result = load_catalogue(read_catalogue_file(file), by=command_actor(), now=utcnow())
    except (CatalogueFileError, CatalogueConflict) as error:
        words = "\n".join(f"  {file.name}: {problem}" for problem in error.problems)
        raise click.ClickException(f"nothing was changed:\n{words}") from error
    click.echo(f"{result.created} created, {result.updated} updated")
    if result.quotas or result.vouchers:
        click.echo(f"{result.quotas} quotas, {result.vouchers} vouchers")


@tickets.command("dump")
def dump() -> None:
    """Write the catalogue as YAML, as `tickets load` reads it: quotas, tickets, vouchers."""
    zone = current_settings().event.timezone
    click.echo(write_catalogue(read_catalogue_rows(), zone), nl=False)


@api_keys.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=["orders:write"], show_default=True)
def add_api_key(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key for the partner NAME and print it once, as the last word."""
    try:
        key = partners.add_key(name, scopes, by=command_actor(), now=utcnow())
    except partners.BadName as error:
        raise click.ClickException(str(error)) from error
    except partners.UnknownScope as error:
        known = ", ".join(partners.SCOPES)
        raise click.ClickException(f"there is no scope {error}: choose from {known}") from error
    click.echo(f"{name} ({', '.join(scopes)}), shown only now: {key}")


@click.command("check-invariants")
def check_invariants() -> None:
    """Check that stock, orders and e-tickets agree; exits 1 and names what does not."""
    violations = find_violations()
    for violation in violations:
        click.echo(violation, err=True)
    if violations:
        raise click.ClickException(f"{len(violations)} invariants are broken")
    click.echo("all invariants hold")
