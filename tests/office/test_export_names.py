"""The list of attendees: for admins, and only for one who really sits there."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.extensions import db
from app.models import Role, StaffSession
from tests.office.test_exports import PAGE, ask, work
from tests.staff.office import Office


def test_names_are_for_admins_only(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    where = ask(admin, "attendees").headers["Location"]
    work(small_office)
    finance = small_office.log_in(Role.FINANCE)
    assert ask(finance, "attendees").status == 403
    assert "kind-attendees" not in finance.get(PAGE).text
    assert where not in finance.get(PAGE).text
    for path in (where, f"{where}/file"):
        assert finance.get(path).status_code == 404
        assert admin.get(path).status_code == 200


def test_for_names_the_password_is_asked_for_again(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    where = ask(admin, "attendees").headers["Location"]
    work(small_office)
    with small_office.working():
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        db.session.execute(sa.update(StaffSession).values(proved_at=long_ago))
    assert "/staff/proof" in ask(admin, "attendees").headers["Location"]
    assert "/staff/proof" in admin.get(f"{where}/file").headers["Location"]
    assert PAGE in ask(admin, "orders").headers["Location"], "figures name nobody"
