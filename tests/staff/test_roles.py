"""Who may use what: every address of staff, every method, every role, and nobody."""

import itertools
import re

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.models import Role
from tests.pages.html import Element, Page
from tests.staff.office import Office, send

NOBODY = "nobody"
WHO = (NOBODY, "door", "finance", "admin")
EVERYBODY, ANY_ROLE = frozenset(WHO), frozenset(WHO[1:])
DOOR, ADMIN = frozenset({"door", "admin"}), frozenset({"admin"})
MONEY = frozenset({"finance", "admin"})

# Every address of staff stands here; one that is new and does not fails the test below.
TABLE: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/staff/log-in"): EVERYBODY,
    ("POST", "/staff/log-in"): EVERYBODY,
    ("POST", "/staff/log-out"): ANY_ROLE,
    ("GET", "/staff"): ANY_ROLE,
    ("GET", "/staff/me"): ANY_ROLE,
    ("POST", "/staff/me"): ANY_ROLE,
    ("POST", "/staff/me/log-out-everywhere"): ANY_ROLE,
    ("POST", "/staff/me/sessions/<int:session_id>/end"): ANY_ROLE,
    ("GET", "/staff/me/recovery-codes"): ANY_ROLE,
    ("POST", "/staff/me/recovery-codes"): ANY_ROLE,
    ("GET", "/staff/me/second-factor"): ANY_ROLE,
    ("POST", "/staff/me/second-factor"): ANY_ROLE,
    ("POST", "/staff/me/second-factor/remove"): ANY_ROLE,
    ("GET", "/staff/log-in/code"): ANY_ROLE,
    ("POST", "/staff/log-in/code"): ANY_ROLE,
    ("GET", "/staff/proof"): ANY_ROLE,
    ("POST", "/staff/proof"): ANY_ROLE,
    ("GET", "/staff/invitations/<token>"): EVERYBODY,
    ("POST", "/staff/invitations/<token>"): EVERYBODY,
    ("GET", "/staff/people"): ADMIN,
    ("GET", "/staff/people/invite"): ADMIN,
    ("POST", "/staff/people/invite"): ADMIN,
    ("POST", "/staff/people/invitations/<int:invitation_id>/take-back"): ADMIN,
    ("GET", "/staff/people/<int:staff_id>"): ADMIN,
    ("POST", "/staff/people/<int:staff_id>/role"): ADMIN,
    ("POST", "/staff/people/<int:staff_id>/deactivate"): ADMIN,
    ("POST", "/staff/people/<int:staff_id>/reactivate"): ADMIN,
    ("POST", "/staff/people/<int:staff_id>/log-out"): ADMIN,
    ("POST", "/staff/people/<int:staff_id>/reset-second-factor"): ADMIN,
    ("GET", "/staff/audit"): ADMIN,
    ("GET", "/staff/tickets"): ADMIN,
    ("GET", "/staff/tickets/new"): ADMIN,
    ("POST", "/staff/tickets/new"): ADMIN,
    ("GET", "/staff/tickets/<int:ticket_id>"): ADMIN,
    ("POST", "/staff/tickets/<int:ticket_id>"): ADMIN,
    ("POST", "/staff/tickets/<int:ticket_id>/move"): ADMIN,
    ("POST", "/staff/tickets/<int:ticket_id>/retire"): ADMIN,
    ("POST", "/staff/tickets/<int:ticket_id>/reopen"): ADMIN,
    ("GET", "/staff/quotas"): ADMIN,
    ("GET", "/staff/quotas/new"): ADMIN,
    ("POST", "/staff/quotas/new"): ADMIN,
    ("GET", "/staff/quotas/<int:quota_id>"): ADMIN,
    ("POST", "/staff/quotas/<int:quota_id>"): ADMIN,
    ("GET", "/staff/vouchers"): ADMIN,
    ("GET", "/staff/vouchers/links"): ADMIN,
    ("GET", "/staff/vouchers/new"): ADMIN,
    ("POST", "/staff/vouchers/new"): ADMIN,
    ("GET", "/staff/vouchers/<int:voucher_id>"): ADMIN,
    ("POST", "/staff/vouchers/<int:voucher_id>"): ADMIN,
    ("POST", "/staff/vouchers/<int:voucher_id>/retire"): ADMIN,
    ("POST", "/staff/vouchers/<int:voucher_id>/reopen"): ADMIN,
    ("GET", "/staff/fair-door"): ADMIN,
    ("POST", "/staff/fair-door/switch"): ADMIN,
    ("POST", "/staff/fair-door/pace"): ADMIN,
    ("POST", "/staff/fair-door/opening"): ADMIN,
    ("GET", "/staff/fair-door/new-line"): ADMIN,
    ("POST", "/staff/fair-door/new-line"): ADMIN,
    ("GET", "/staff/orders"): MONEY,
    ("GET", "/staff/orders/<code>"): MONEY,
    ("GET", "/staff/orders/free"): ADMIN,
    ("POST", "/staff/orders/free"): ADMIN,
    **{
        (method, f"/staff/orders/<code>/{page}"): MONEY
        for method in ("GET", "POST")
        for page in (
            *("resend", "buyer", "names", "seats", "cancel", "refund", "cases/<int:case_id>"),
            *("refunds/<reference>/done", "refunds/<reference>/retry"),
        )
    },
    ("GET", "/staff/cases"): MONEY,
    ("GET", "/staff/cases/<source>/<key>"): MONEY,
    ("POST", "/staff/cases/<source>/<key>/owner"): MONEY,
    ("POST", "/staff/cases/<source>/<key>/note"): MONEY,
    ("POST", "/staff/cases/<source>/<key>/close"): MONEY,
    ("POST", "/staff/cases/<source>/<key>/retry"): MONEY,
    ("GET", "/staff/messages"): ADMIN,
    ("GET", "/staff/messages/new"): ADMIN,
    ("POST", "/staff/messages/new"): ADMIN,
    ("GET", "/staff/messages/<int:message_id>"): ADMIN,
    ("GET", "/staff/messages/<int:message_id>/mail/<locale>"): ADMIN,
    ("GET", "/staff/messages/<int:message_id>/edit"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/edit"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/try"): ADMIN,
    ("GET", "/staff/messages/<int:message_id>/send"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/send"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/stop"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/go-on"): ADMIN,
    ("POST", "/staff/messages/<int:message_id>/retry"): ADMIN,
    ("GET", "/staff/finance"): MONEY,
    ("GET", "/staff/finance/ledger"): MONEY,
    ("GET", "/staff/finance/balance"): MONEY,
    ("GET", "/staff/finance/balance/enter"): MONEY,
    ("POST", "/staff/finance/balance/enter"): MONEY,
    ("GET", "/staff/finance/days"): MONEY,
    ("GET", "/staff/finance/days/<day>"): MONEY,
    ("GET", "/staff/finance/days/<day>/close"): MONEY,
    ("POST", "/staff/finance/days/<day>/close"): MONEY,
    ("GET", "/staff/finance/charts"): MONEY,
    ("GET", "/staff/finance/charts/<name>"): MONEY,
    ("GET", "/staff/finance/exports"): MONEY,
    ("POST", "/staff/finance/exports"): MONEY,
    ("GET", "/staff/finance/exports/<code>"): MONEY,
    ("GET", "/staff/finance/exports/<code>/file"): MONEY,
    ("GET", "/staff/door"): DOOR,
    ("GET", "/staff/door/this-phone"): DOOR,
    ("POST", "/staff/door/this-phone"): DOOR,
    ("GET", "/staff/door/gates"): ADMIN,
    ("GET", "/staff/door/gates/new"): ADMIN,
    ("POST", "/staff/door/gates/new"): ADMIN,
    ("GET", "/staff/door/gates/<int:gate_id>"): ADMIN,
    ("POST", "/staff/door/gates/<int:gate_id>"): ADMIN,
    ("POST", "/staff/door/gates/<int:gate_id>/retire"): ADMIN,
    ("POST", "/staff/door/gates/<int:gate_id>/reopen"): ADMIN,
    ("GET", "/staff/door/lanes"): ADMIN,
    ("POST", "/staff/door/lanes"): ADMIN,
    ("POST", "/staff/door/lanes/spread"): ADMIN,
    ("GET", "/staff/door/devices"): ADMIN,
    ("GET", "/staff/door/devices/new"): ADMIN,
    ("POST", "/staff/door/devices/new"): ADMIN,
    ("GET", "/staff/door/devices/<int:device_id>"): ADMIN,
    ("POST", "/staff/door/devices/<int:device_id>"): ADMIN,
    ("POST", "/staff/door/devices/<int:device_id>/cut-off"): ADMIN,
    ("GET", "/staff/door/devices/<int:device_id>/code"): ADMIN,
    ("POST", "/staff/door/devices/<int:device_id>/code"): ADMIN,
    ("GET", "/staff/door/conflicts"): ADMIN,
    ("POST", "/staff/door/conflicts/undo"): ADMIN,
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# These end the session that asks, and lead to the log-in page as a refusal does.
ENDS = ("/staff/log-out", "/staff/me/log-out-everywhere")


def staff_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if f"{rule.rule}/".startswith("/staff/")]


def test_every_address_of_staff_stands_in_the_table(small_office: Office) -> None:
    served = {
        (method, rule.rule)
        for rule in staff_rules(small_office.app)
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert served == set(TABLE)


def may(who: str, method: str, rule: str) -> bool | None:
    """Return what the table says; None for a method the address does not take."""
    if method == "HEAD":
        method = "GET"
    if method == "OPTIONS":
        return who in frozenset().union(*(TABLE.get((one, rule), ()) for one in METHODS))
    return who in TABLE[method, rule] if (method, rule) in TABLE else None


def is_let_through(answer: TestResponse) -> bool:
    """Tell a view's own answer from a refusal: 403, or being led to the log-in page."""
    is_led_away = answer.status_code == 303 and "/staff/log-in" in (answer.location or "")
    return answer.status_code != 403 and not is_led_away


@pytest.mark.parametrize("who", WHO)
def test_each_role_reaches_what_the_table_says_and_nothing_else(
    small_office: Office, who: str
) -> None:
    small_office.app.config["WTF_CSRF_ENABLED"] = False  # roles are what is asked here
    client = small_office.browser()
    if who != NOBODY:
        client = small_office.log_in(Role(who))
    wrong = []
    for rule, method in itertools.product({rule for _, rule in TABLE}, METHODS):
        if rule in ENDS or (rule == "/staff/log-in" and who != NOBODY):
            continue
        path = re.sub(r"<[^>]+>", "99", rule)  # nobody and nothing has this id
        answer = client.open(path, method=method)
        expected = may(who, method, rule)
        reached = None if answer.status_code == 405 else is_let_through(answer)
        if reached is not expected:
            wrong.append((method, rule, answer.status_code))
    assert not wrong


@pytest.mark.parametrize("path", ENDS)
@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_end_its_session(small_office: Office, role: Role, path: str) -> None:
    client = small_office.log_in(role)
    assert send(client, path, page="/staff/me").headers["Location"] == "/staff/log-in"
    assert client.get("/staff").status_code == 303


def test_an_address_without_a_rule_is_open_to_nobody(small_office: Office) -> None:
    small_office.app.add_url_rule("/staff/forgotten", "forgotten", lambda: "secret")
    assert small_office.log_in(Role.ADMIN).get("/staff/forgotten").status_code == 403
    assert small_office.browser().get("/staff/forgotten").status_code == 303


@pytest.mark.parametrize("role", Role)
def test_the_menu_shows_what_the_role_may_use_and_every_entry_works(
    small_office: Office, role: Role
) -> None:
    client = small_office.log_in(role)
    start = _links(Page(client.get("/staff")).all("main")[0])
    menu = _links(Page(client.get("/staff/me")).all("nav", class_="staff-nav")[0])
    assert {client.get(link).status_code for link in start | menu} == {200}
    assert menu <= start, "the menu leads to groups, the first page to everything"
    for page, may in (("/staff/door", DOOR), ("/staff/people", ADMIN), ("/staff/me", ANY_ROLE)):
        assert (page in start) == (role.value in may)


def test_the_menu_shows_the_pages_beside_this_one_and_marks_it(small_office: Office) -> None:
    client = small_office.log_in(Role.ADMIN)
    [menu] = Page(client.get("/staff/door/gates/new")).all("nav", class_="staff-nav")
    assert {"/staff/door", "/staff/door/gates", "/staff/door/conflicts"} <= _links(menu)
    current = [e.attributes["href"] for e in menu.walk() if "aria-current" in e.attributes]
    assert sorted(current) == ["/staff/door", "/staff/door/gates"], "the group, and the page"


def _links(part: Element) -> set[str]:
    return {e.attributes["href"] or "" for e in part.walk() if e.tag == "a"}
