"""The start page tells who answers for money what does not add up, or that nobody looked."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.models import Role, TicketStock
from app.routes.staff import OLD_INSPECTION
from app.services.running.inspections import inspect_if_due
from app.services.running.transaction import transaction
from tests.pages.html import Page
from tests.running.sales import add_ticket
from tests.staff.office import Office

MONEY = [Role.FINANCE, Role.ADMIN]


def notice(office: Office, role: Role) -> str:
    """Return what the notice says; empty when there is none."""
    page = Page(office.log_in(role).get("/staff"))
    assert page.status == 200
    return page.by_id("inspection").text if page.has_id("inspection") else ""


def look(office: Office, *, age: timedelta = timedelta(), is_broken: bool = False) -> None:
    now = datetime.now(UTC) - age
    with office.working():
        if is_broken:
            add_ticket("Reguler", now=now)
            with transaction() as session:
                session.execute(sa.update(TicketStock).values(held=1))
        inspect_if_due(now)


@pytest.mark.parametrize("role", MONEY)
def test_what_does_not_add_up_is_shown(small_office: Office, role: Role) -> None:
    look(small_office, is_broken=True)

    assert "Reguler: 1 held, but PENDING orders want 0" in notice(small_office, role)


@pytest.mark.parametrize("role", MONEY)
def test_that_nobody_looks_any_more_is_shown(small_office: Office, role: Role) -> None:
    look(small_office, age=OLD_INSPECTION + timedelta(minutes=1))

    assert notice(small_office, role)


@pytest.mark.parametrize("role", Role)
def test_nothing_is_shown_while_all_is_well(small_office: Office, role: Role) -> None:
    look(small_office)

    assert notice(small_office, role) == ""


def test_the_door_has_enough_to_look_at(small_office: Office) -> None:
    look(small_office, is_broken=True)

    assert notice(small_office, Role.DOOR) == ""
