"""What pages of the office may cost: every page that links lead to, with a sale behind it."""

import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from app.extensions import db
from app.gateways import current_settings
from app.models import Role
from app.services.money import postings
from app.services.office.demo.making import plan_demo, write_demo
from tests.office.crawling import crawl
from tests.staff.office import Office

MOST_STATEMENTS = 12
ORDERS = 400
# What links lead to only where there is one, or where that is possible, and what is no page.
NOT_LINKED = re.compile(
    r"/staff/(log-in|proof|invitations|fair-door/new-line|messages/<|finance/exports/<|quotas/<"
    r"|vouchers/<|vouchers/links|door/devices/<|door/gates/<|orders/<code>/|cases/<"
    r"|finance/days/<day>/close)"
)


@pytest.fixture
def admin(small_office: Office) -> FlaskClient:
    """The browser of an admin in the middle of a sale."""
    with small_office.app.app_context():
        now, settings = datetime.now(UTC), current_settings()
        for _ in write_demo(plan_demo(ORDERS, seed=1, is_added=False, now=now, settings=settings)):
            pass
        postings.sweep_all(now=now, zone=settings.event.timezone)
        db.session.rollback()
    small_office.add_phone()
    return small_office.log_in(Role.ADMIN)


def test_every_page_of_the_office_keeps_to_its_statements(admin: FlaskClient) -> None:
    visited = list(crawl(admin))

    too_many = [v for v in visited if v.spoken.statements > MOST_STATEMENTS]
    assert not too_many, "\n\n".join(f"{visit.address}\n{visit.spoken}" for visit in too_many)
    rules = {
        rule.rule
        for rule in admin.application.url_map.iter_rules()
        if rule.rule.startswith("/staff") and "GET" in (rule.methods or ())
    }
    missed = rules - {visit.rule for visit in visited}
    assert not {rule for rule in missed if not NOT_LINKED.match(rule)}, "no link leads there"
