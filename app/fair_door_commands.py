"""Commands for the fair door: what staff switch during a rush, without a restart."""

from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.command_actor import command_actor
from app.environment import parse_moment
from app.fair_door_settings import A_MOMENT, FairDoorSettings
from app.gateways import current_settings
from app.services.waiting import admission, switching
from app.services.waiting.line import read_line

fair_door = AppGroup("fair-door", help="The waiting room in front of the checkout.")


class Moment(click.ParamType[datetime, Any]):
    """A time with its offset."""

    name = "moment"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time. Raises BadParameter."""
        try:
            return parse_moment(value)
        except ValueError:
            self.fail(f"this should be {A_MOMENT}", param, ctx)


@fair_door.command("status")
def status() -> None:
    """Tell how the line stands."""
    now, settings = utcnow(), _settings()
    admission.ensure_door(now, settings)
    door, line, seats = read_line(now)
    opens_at = door.opens_at or settings.opens_at
    state = "off" if not door.is_on else "paused" if door.is_paused else "on"
    click.echo(f"the fair door is {state}; line {door.id}")
    if door.drawn_at is None:
        click.echo(f"opens {opens_at.isoformat() if opens_at else 'with the first visitor'}")
    else:
        click.echo(f"opened {door.drawn_at.isoformat()}, {door.lot_size} places drawn by lot")
    click.echo(f"{max(0, line.length - door.admitted)} wait, {door.admitted} were admitted")
    click.echo(f"{door.per_minute} a minute now, {seats.left} seats left, {seats.held} held")


@fair_door.command("on")
def turn_on() -> None:
    """Let visitors in by turn."""
    switching.switch(utcnow(), _settings(), by=command_actor(), is_on=True)
    click.echo("the fair door is on")


@fair_door.command("off")
def turn_off() -> None:
    """Let everybody straight into the checkout; places are kept for when it is on again."""
    switching.switch(utcnow(), _settings(), by=command_actor(), is_on=False)
    click.echo("the fair door is off: everybody goes straight in")


@fair_door.command("pause")
def pause() -> None:
    """Let nobody in for now; who is in may go on."""
    switching.switch(utcnow(), _settings(), by=command_actor(), is_paused=True)
    click.echo("the line rests; go on with: flask --app wsgi fair-door resume")


@fair_door.command("resume")
def resume() -> None:
    """Go on after a pause."""
    switching.switch(utcnow(), _settings(), by=command_actor(), is_paused=False)
    click.echo("the line moves again")


@fair_door.command("rate")
@click.argument("per_minute", type=click.IntRange(1, 60_000))
def rate(per_minute: int) -> None:
    """Let in at most PER_MINUTE visitors a minute; under overload it is fewer."""
    switching.switch(utcnow(), _settings(), by=command_actor(), most_per_minute=per_minute)
    click.echo(f"at most {per_minute} visitors a minute")


@fair_door.command("open-at")
@click.argument("moment", type=Moment())
def open_at(moment: datetime) -> None:
    """Open at MOMENT instead; places taken until then stay."""
    try:
        switching.open_at(moment, utcnow(), _settings(), by=command_actor())
    except switching.AlreadyDrawn as error:
        words = "the lot is drawn: another sale needs `fair-door new-line`"
        raise click.ClickException(words) from error
    click.echo(f"opens {moment.isoformat()}")


@fair_door.command("new-line")
@click.option("--open-at", "moment", type=Moment(), help="When it opens.")
@click.confirmation_option(prompt="Everybody who waits or is in loses that place. Go on?")
def new_line(moment: datetime | None) -> None:
    """Begin a line for another sale; the limit of seats a person begins anew with it."""
    switching.begin_new_line(moment, utcnow(), _settings(), by=command_actor())
    click.echo("a new line has begun")


def _settings() -> FairDoorSettings:
    settings = current_settings().fair_door
    if settings is None:
        raise click.ClickException("FAIR_DOOR is not true in the settings: there is no fair door")
    return settings
