"""Commands for the keys that sign e-tickets."""

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.command_actor import command_actor
from app.services.running.phone_reports import list_waiting
from app.services.selling import resending
from app.services.selling import signing_keys as keys

signing_keys = AppGroup("signing-keys", help="Keys that sign e-tickets.")


@signing_keys.command("list")
def list_keys() -> None:
    """List every key: id, state, since when, public half."""
    found = keys.list_keys()
    for key in found:
        since = f"{key.created_at:%Y-%m-%d}"
        click.echo(f"{key.key_id:>3}  {key.state:<8} {since}  {key.public_key}")
    if not found:
        click.echo("no key yet: the first one is made with the first e-ticket")


@signing_keys.command("rotate")
def rotate() -> None:
    """Sign with a new key from now on; e-tickets signed before stay good."""
    click.echo(f"key {keys.rotate(by=command_actor(), now=utcnow())} signs from now on")


@signing_keys.command("revoke")
@click.argument("key_id", type=int)
@click.confirmation_option(prompt="Every e-ticket this key signed becomes worthless. Go on?")
def revoke(key_id: int) -> None:
    """Make a key's e-tickets worthless, when its private half may have got out."""
    try:
        seats = keys.revoke(key_id, by=command_actor(), now=utcnow())
    except keys.NoSuchKey as error:
        raise click.ClickException(f"there is no key {key_id}") from error
    click.echo(f"key {key_id} is revoked")
    if seats:
        click.echo(f"{seats} seats need new codes: flask --app wsgi signing-keys reissue {key_id}")


@signing_keys.command("reissue")
@click.argument("key_id", type=int)
def reissue(key_id: int) -> None:
    """Give the seats of a revoked key new codes and mail them; those that entered keep theirs."""
    now = utcnow()
    for phone in list_waiting():
        click.echo(
            f"warning: {phone.name} holds {phone.queued} scans: an entry among them is counted "
            "once it is sent, but until then the new code enters too",
            err=True,
        )
    try:
        orders = keys.reissue(key_id, by=command_actor(), now=now)
    except keys.NoSuchKey as error:
        raise click.ClickException(f"{key_id} is not a revoked key") from error
    resending.send_new_codes(orders, now=now)
    click.echo(f"{len(orders)} orders have new e-tickets; the worker mails them")
