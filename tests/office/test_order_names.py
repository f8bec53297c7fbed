"""The names an order is found by: kept from the order on, corrected with it, and filled in once."""

import importlib.util
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask

from app.extensions import db
from app.gateways import current_settings
from app.models import User
from app.models.user import NAMES_LENGTH, join_names
from app.services.office import order_correcting
from app.services.office.order_search import FoundOrder, OrderFilter, search_orders
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order
from tests.harness.processes import ROOT
from tests.office.acts import correct
from tests.office.desk import BY, SARI, Desk

NOW = datetime.now(UTC)
MIGRATION = ROOT / "migrations/versions/0029_keep_names_to_find_orders_by.py"


@pytest.fixture
def desk(app: Flask) -> Desk:
    return Desk(app)


def place(desk: Desk, *names: str) -> str:
    """Place an order of Sari Dewi's for others."""
    wanted = WantedItem(desk.add_ticket("Reguler"), len(names), names)
    with desk.working():
        request = OrderRequest(SARI, (wanted,), "en")
        return place_order(request, now=NOW, settings=current_settings()).code


def find(desk: Desk, text: str) -> list[FoundOrder]:
    with desk.app.app_context():
        return list(search_orders(OrderFilter(text)).orders)


def test_an_order_is_found_by_its_attendees_before_it_is_paid(desk: Desk) -> None:
    place(desk, "Ketut Rai", "Gede Oka")
    for text, names in (("ketut", ("Ketut Rai",)), ("oka rai", ("Ketut Rai", "Gede Oka"))):
        [order] = find(desk, text)
        assert order.attendees == names, text


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_corrected_order_is_found_by_its_new_names_only(desk: Desk, is_paid: bool) -> None:
    code = place(desk, "Ketut Rai", "Gede Oka")
    if is_paid:
        desk.pay(code)
    correct(desk, code, Buyer("Nyoman Arta", "arta@mail.example", "+6281234567890"))
    assert [found.code for found in find(desk, "nyoman")] == [code]
    assert [found.code for found in find(desk, "oka")] == [code]

    with desk.app.app_context():
        order_correcting.correct_names(
            desk.id_of(code),
            {2: "Made Suci"},
            is_mailed=False,
            seen=desk.seen(code),
            by=BY,
            now=NOW,
        )
    for text, count in {"nyoman": 1, "ketut": 1, "made suci": 1, "oka": 0, "dewi": 0}.items():
        assert len(find(desk, text)) == count, text


def test_each_name_is_kept_once_and_as_many_as_fit() -> None:
    assert join_names("Sari Dewi", ["Ayu", "Sari Dewi", "Ayu"]) == "Sari Dewi\nAyu"
    assert len(join_names("Sari Dewi", [f"{number:0100}" for number in range(50)])) == NAMES_LENGTH


def test_an_order_of_the_version_before_is_found_by_its_buyer(desk: Desk) -> None:
    code = place(desk, "Ketut Rai")
    with desk.working():
        db.session.execute(sa.update(User).values(names=None))
    assert [found.code for found in find(desk, "dewi")] == [code]
    assert not find(desk, "ketut")


def test_the_migration_fills_in_the_names_of_orders_there_are(desk: Desk) -> None:
    code = place(desk, "Ketut Rai", "Gede Oka")
    with desk.working():
        db.session.add(User(full_name="Of no order", email="a", no_hp="", created_at=NOW))
    specified = importlib.util.spec_from_file_location("migration", MIGRATION)
    assert specified is not None
    assert specified.loader is not None
    migration = importlib.util.module_from_spec(specified)
    specified.loader.exec_module(migration)
    with desk.app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE users DROP COLUMN names"))
        with Operations.context(MigrationContext.configure(connection)):
            migration.upgrade()
        names = connection.scalars(sa.select(User.names).order_by(User.id)).all()
    assert names == ["Sari Dewi\nKetut Rai\nGede Oka", "Of no order"]
    assert [found.code for found in find(desk, "oka")] == [code]
