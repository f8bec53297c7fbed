"""The inbox: everything that waits stands in it once, with who looks after it."""

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import (
    AuditEntry,
    Order,
    Role,
    Source,
)
from app.services.money import postings
from app.services.office import inbox
from tests.harness.statements import listening
from tests.office.inbox_world import NOW, PATH, act, address, all_entries, first
from tests.pages.html import Page
from tests.staff.office import Office


def test_everything_that_waits_is_listed_once_and_the_oldest_first(busy: Office) -> None:
    with busy.working():
        entries = all_entries()

        assert {entry.source for entry in entries} == set(Source)
        assert len({(entry.source, entry.key) for entry in entries}) == len(entries)
        assert [entry.opened_at for entry in entries] == sorted(one.opened_at for one in entries)
        assert inbox.count_waiting(now=NOW) == len(entries)


def test_pages_go_on_where_the_last_one_ended(
    busy: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with busy.working():
        at_once = all_entries()
        monkeypatch.setattr(inbox, "PAGE_LENGTH", 2)

        assert all_entries() == at_once


def test_every_entry_has_a_page_with_its_facts(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entries = all_entries()
    for entry in entries:
        page = Page(client.get(address(entry)))

        assert page.status == 200, address(entry)
        assert entry.order_code is None or entry.order_code in page.source


def test_an_empty_inbox_says_so_calmly(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)

    page = Page(client.get(PATH))

    assert "Nothing waits for anybody." in page.root.text
    assert not page.all("span", class_="staff-nav__waiting")


def test_a_day_that_nobody_has_signed_is_named(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    assert "not signed yet" not in client.get(PATH).text
    with small.working():
        zone = small.app.extensions["settings"].event.timezone
        postings.sweep_all(now=NOW, zone=zone)
        first_sale = db.session.scalars(
            sa.select(Order.paid_at).where(Order.paid_at.is_not(None)).order_by(Order.paid_at)
        ).first()
        assert first_sale
    day = first_sale.astimezone(zone).date().isoformat()

    [link] = [one for one in Page(client.get(PATH)).all("a") if one.text == "Close the day"]

    assert link.attributes["href"] == f"/staff/finance/days/{day}"


def test_the_navigation_says_how_much_waits_to_those_who_may_look(small: Office) -> None:
    with small.working():
        number = inbox.count_waiting(now=NOW)
    page = Page(small.log_in(Role.FINANCE).get(PATH))
    badges = [one.children[0] for one in page.all("span", class_="staff-nav__waiting")]

    assert badges
    assert set(badges) == {str(number)}
    assert "staff-nav__waiting" not in Page(small.log_in(Role.DOOR).get("/staff/me")).source


def test_somebody_takes_an_entry_hands_it_over_and_all_of_it_is_in_the_log(small: Office) -> None:
    client, colleague = small.log_in(Role.FINANCE), small.hire(Role.ADMIN)
    with small.working():
        entry = first(Source.CASE)
        ids = {one.email: one.id for one in inbox.list_owners()}
    me = next(email for email in ids if email != colleague)

    assert act(client, entry, "owner", owner_id=ids[me]).status == 303
    assert "yours" in Page(client.get(f"{PATH}?mine=1")).root.text
    with small.working():
        entry = first(Source.CASE)
    assert act(client, entry, "owner", owner_id=ids[colleague]).status == 303

    with small.working():
        entry = first(Source.CASE)
        assert entry.owner and entry.owner.email == colleague
        log = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.subject_kind == "inbox"))
        changes = [one.changes["looked_after_by"] for one in log]
    assert changes == [[None, me], [me, colleague]]
    assert "taken nothing" in Page(client.get(f"{PATH}?mine=1")).root.text


def test_two_who_take_the_same_at_once_do_not_both_have_it(busy: Office) -> None:
    client = busy.log_in(Role.FINANCE)
    busy.hire(Role.ADMIN)
    with busy.working():
        entry = first(Source.REFUND)
        one, other = (person.id for person in inbox.list_owners())
    assert act(client, entry, "owner", owner_id=one).status == 303

    late = act(client, entry, "owner", owner_id=other)

    assert late.status == 409
    assert "meanwhile" in late.root.text
    with busy.working():
        owner = first(Source.REFUND).owner
    assert owner and owner.id == one


def test_nobody_of_the_door_can_be_given_an_entry(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    small.hire(Role.DOOR)
    with small.working():
        entry = first(Source.CASE)
        door = db.session.scalar(sa.text("SELECT id FROM staff WHERE role = 'door'"))

    assert act(client, entry, "owner", owner_id=door).status == 422


def test_a_note_is_kept_and_a_stale_one_is_not_lost(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    with small.working():
        entry = first(Source.CASE)
    assert act(client, entry, "note", words="Called, comes back tomorrow").status == 303
    assert "Called, comes back tomorrow" in Page(client.get(PATH)).root.text

    late = act(client, entry, "note", words="What I had typed")

    assert late.status == 409
    assert "What I had typed" in late.source


def test_the_pages_take_few_statements_however_much_waits(busy: Office) -> None:
    client = busy.log_in(Role.FINANCE)
    with busy.working():
        entries = [address(first(source)) for source in Source]
        engine = db.engine
    for path in (PATH, *entries):
        busy.app.extensions.pop("inbox_count", None)
        with listening(engine) as spoken:
            assert client.get(path).status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"


def test_what_does_not_wait_is_not_found(small_office: Office) -> None:
    client = small_office.log_in(Role.FINANCE)
    for path in ("case/0", "case/x", "nothing/1", "difference/a:b", "job/1'"):
        assert client.get(f"{PATH}/{path}").status_code == 404


def test_a_mad_page_address_begins_at_the_beginning(small: Office) -> None:
    client = small.log_in(Role.FINANCE)
    start = Page(client.get(PATH)).root.text
    for typed in ("x", "|||", "2027-01-01|case|1", "9999-99-99T00:00:00Z|case|1"):
        assert Page(client.get(PATH, query_string={"after": typed})).root.text == start
