"""The command that makes demo data."""

import click

from app.clock import utcnow
from app.gateways import current_settings
from app.services.money import balance, postings
from app.services.office.demo.courses import FEWEST_ORDERS
from app.services.office.demo.making import LiveKey, OrdersExist, plan_demo, write_demo


@click.command("demo-data")
@click.option("--orders", type=click.IntRange(min=FEWEST_ORDERS), default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Another number, another sale.")
@click.option("--add", "is_added", is_flag=True, help="Even if there are orders already.")
@click.option("--ledger", "is_posted", is_flag=True, help="Post the money at once, too.")
def demo_data(orders: int, seed: int, is_added: bool, is_posted: bool) -> None:
    """Make a believable sale of six weeks: orders in every state, money, mails, and scans.

    Without --ledger a worker posts its money by and by.
    """
    settings = current_settings()
    try:
        demo = plan_demo(orders, seed=seed, is_added=is_added, now=utcnow(), settings=settings)
    except LiveKey as error:
        why = "XENDIT_SECRET_KEY is a live key: demo data belongs into no shop that sells"
        raise click.ClickException(why) from error
    except OrdersExist as error:
        why = "there are orders already: take an empty database, or say --add"
        raise click.ClickException(why) from error
    with click.progressbar(length=orders, label="orders") as bar:
        for written in write_demo(demo):
            bar.update(written)
    if is_posted:
        zone = settings.event.timezone
        with click.progressbar(length=orders, label="ledger") as bar:
            postings.sweep_all(now=utcnow(), zone=zone, progress=bar.update)
        while balance.post_withdrawals(now=utcnow(), zone=zone):
            pass
    click.echo(f"{orders} orders made; look at them under /staff")
