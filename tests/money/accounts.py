"""What tests of reconciliation share: invoices nobody of ours asked for, runs, verdicts."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.integrations.xendit import InvoiceItem, InvoiceRequest
from app.models import CaseKind, MoneyCase, Reconciliation, ReconciliationLine, Verdict
from app.services.money.reconciliation import reconcile
from app.services.selling.ordering import PlacedOrder
from tests.money.world import PRICE, World

AN_HOUR = timedelta(hours=1)


def run(
    world: World, between: tuple[datetime, datetime] | None = None, **options: Any
) -> Reconciliation:
    """Reconcile a stretch: what was created within an hour of now, unless told."""
    with world.app.app_context():
        now = world.now()
        start, end = between or (now - AN_HOUR, now + AN_HOUR)
        return reconcile(start, end, now=now, **{"gateway": world.gateway, **options})


def verdicts(world: World) -> list[tuple[str, Verdict]]:
    """Reconcile, and return reference and verdict of each line, sorted."""
    found = [(line.external_id, line.verdict) for line in run(world).lines]
    return sorted(found, key=lambda pair: (pair[0], pair[1].value))


def only_line(world: World) -> ReconciliationLine:
    """Reconcile, and return the one line there is."""
    [line] = run(world).lines
    return line


def confirm(world: World, placed: PlacedOrder) -> None:
    """Let the callback of a paid invoice arrive and be dealt with."""
    world.callback(placed)
    world.work()


def paid_order(world: World, ticket: int) -> PlacedOrder:
    """Return an order that is paid there and here."""
    placed = world.order(ticket)
    world.standin.pay(world.invoice_id(placed))
    confirm(world, placed)
    assert world.standing(placed).order == "PAID"
    return placed


def make_invoice(world: World, external_id: str, amount: int = PRICE) -> str:
    """Make an invoice no order asked for, as another system on the account would."""
    made = InvoiceRequest(
        external_id=external_id,
        amount=amount,
        description="Kaos",
        duration_seconds=3600,
        buyer_name="Budi",
        buyer_email="budi@example.com",
        buyer_phone="+6281234567891",
        items=(InvoiceItem("Kaos", 1, amount),),
        success_url="http://localhost/",
        failure_url="http://localhost/",
        locale="id",
    )
    return world.gateway.create_invoice(made).id


def cases(world: World) -> list[CaseKind]:
    """Return the kinds of all cases, the oldest first."""
    with world.app.app_context():
        return list(db.session.scalars(sa.select(MoneyCase.kind).order_by(MoneyCase.id)))
