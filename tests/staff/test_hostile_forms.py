"""Forms and headers that no browser fills in like this: refused, and never an error of ours."""

import pytest

from app.models import Role
from tests.pages.html import Page
from tests.staff.office import Office, send

TOO_LARGE = 2**63


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "//[", "http://a]b/"])
def test_an_address_that_is_none_leads_to_the_log_in(small_office: Office, address: str) -> None:
    browser = small_office.browser()
    token = Page(browser.get("/staff/log-in")).fields["csrf_token"]
    htmx = {"HX-Request": "true", "HX-Current-URL": address}

    part = browser.get("/staff", headers=htmx)
    sent = browser.post(
        "/staff/door/lanes", data={"csrf_token": token}, headers={"Referer": address}
    )

    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/staff/log-in")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/staff/log-in")
    missing = browser.post("/orders/nothing", headers={"Referer": address, **htmx})
    assert missing.status_code == 405


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"tickets": "²"}, 303),
        ({"opens_at": "0001-01-01T00:00"}, 422),
        ({"closes_at": "9999-12-31T23:59"}, 303),
    ],
)
def test_a_gate_with_odd_numbers_and_times(
    office: Office, fields: dict[str, str], status: int
) -> None:
    admin = office.log_in(Role.ADMIN)

    answer = send(admin, "/staff/door/gates/new", name="G", **fields)

    assert answer.status == status
    assert admin.get("/staff/door/gates").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/staff/door/devices/{TOO_LARGE}/cut-off",
        f"/staff/door/gates/{TOO_LARGE}/retire",
        f"/staff/door/gates/{TOO_LARGE}/reopen",
    ],
)
def test_a_number_no_database_has_is_an_address_nobody_has(office: Office, path: str) -> None:
    admin = office.log_in(Role.ADMIN)

    assert send(admin, path, page="/staff/me").status == 404
    assert admin.get(path.rsplit("/", 1)[0]).status_code == 404
