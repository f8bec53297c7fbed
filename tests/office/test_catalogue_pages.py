"""What holds for every page of the catalogue's office, in both languages and every state."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.models import Role
from tests.office.catalogue_forms import QUOTAS, TICKETS, VOUCHERS, a_ticket, press, save
from tests.pages.html import Page
from tests.pages.soundness import check_names, check_nothing_inline, check_references
from tests.staff.office import Office

LISTS = (TICKETS, QUOTAS, VOUCHERS)
FORMS = (f"{TICKETS}/new", f"{QUOTAS}/new", f"{VOUCHERS}/new")


def every_state(admin: FlaskClient) -> Iterator[tuple[str, Page]]:
    """Visit each page: empty, refused, filled, tried, in conflict, retired."""
    for path in (*LISTS, *FORMS, f"{VOUCHERS}/links"):
        yield f"{path} (empty)", Page(admin.get(path))
    for path in FORMS:
        yield f"{path} (refused)", save(admin, path, effect="x")
    save(admin, FORMS[1], name="Aula", amount="9")
    save(admin, FORMS[0], **a_ticket(quota_id="1", admit_from="2030-01-26T08:00"))
    save(admin, FORMS[0], **a_ticket(type="Sponsor", price="0", is_hidden="yes"))
    save(admin, FORMS[2], effect="percent", value="5", ticket_ids="2", max_seats="3", note="Ayu")
    save(admin, FORMS[2], count="3", effect="amount_off", value="5", valid_until="2030-01-26T08:00")
    yield "preview", save(admin, f"{TICKETS}/1", intent="preview", price="1")
    drawn = {path: Page(admin.get(f"{path}/1")) for path in LISTS}
    save(admin, f"{TICKETS}/1", amount="8", quota_id="")
    save(admin, f"{QUOTAS}/1", amount="8")
    save(admin, f"{VOUCHERS}/1", ticket_ids="1", valid_from="2029-01-26T08:00")
    yield "ticket (conflict)", save(admin, f"{TICKETS}/1", drawn=drawn[TICKETS], amount="7")
    yield "quota (conflict)", save(admin, f"{QUOTAS}/1", drawn=drawn[QUOTAS], amount="7")
    changed = {"ticket_ids": ["1", "2"], "valid_from": "2028-01-26T08:00"}
    yield "voucher (conflict)", save(admin, f"{VOUCHERS}/1", drawn=drawn[VOUCHERS], **changed)
    press(admin, f"{TICKETS}/2/retire", f"{TICKETS}/2")
    press(admin, f"{VOUCHERS}/2/retire", f"{VOUCHERS}/2")
    for path in (*LISTS, f"{TICKETS}/1", f"{TICKETS}/2", f"{QUOTAS}/1", f"{VOUCHERS}/1"):
        yield path, Page(admin.get(path))
    for path in (f"{VOUCHERS}/2", f"{VOUCHERS}/links?count=2", f"{TICKETS}?done=added"):
        yield path, Page(admin.get(path))
    yield "changes", Page(admin.get("/staff/audit"))


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_well_built_in_every_state(small_office: Office, language: str) -> None:
    for path, page in every_state(small_office.log_in(Role.ADMIN, language)):
        expected = 422 if "refused" in path else 409 if "conflict" in path else 200
        assert page.status == expected, (path, page.text)
        assert page.all("html")[0].attributes["lang"] == language, path
        assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1, path
        check_references(path, page)
        check_nothing_inline(path, page)
        check_names(path, page)
        assert len(page.all("caption")) == len(page.all("table")), path
        assert page.headers["Cache-Control"] == "no-store", path
        for form in page.all("form", method="post"):
            assert "csrf_token" in [e.attributes.get("name") for e in form.walk()], path
