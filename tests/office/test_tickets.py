"""Tickets in the office: what staff set is what buyers see at once, and nothing is overwritten."""

from datetime import UTC, datetime

import sqlalchemy as sa

from app.config import Settings
from app.extensions import db
from app.models import AuditEntry, Role, Ticket
from app.services.selling import quota_editing
from app.services.selling.quota_editing import QuotaWish
from tests.app_factory import ENVIRONMENT
from tests.harness.statements import listening
from tests.office.catalogue_forms import (
    TICKETS,
    WIB,
    a_ticket,
    add_ticket,
    fields,
    press,
    save,
    shop,
    the_ticket,
    typed_time,
)
from tests.pages.html import Page
from tests.running.sales import order
from tests.staff.office import TESTS, Office

SETTINGS = Settings.from_env(ENVIRONMENT)


def actions(office: Office) -> list[str]:
    with office.working():
        wanted = sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "ticket")
        return list(db.session.scalars(wanted.order_by(AuditEntry.id)))


def hold(office: Office, ticket_id: int, quantity: int) -> None:
    with office.working():
        order(ticket_id, quantity, now=datetime.now(UTC), settings=SETTINGS)


def test_a_ticket_is_sold_from_the_moment_it_is_added(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    assert "no tickets yet" in shop(office).text
    answer = save(admin, f"{TICKETS}/new", **a_ticket(type=" Early  Bird ", price="Rp 99.000"))
    assert (answer.status, answer.headers["Location"]) == (303, f"{TICKETS}?done=added")
    page = shop(office)
    assert "Early Bird" in page.text
    assert "Rp 99.000" in page.text
    [quantity] = page.all("input", type="number")
    assert quantity.attributes["max"] == "5", "it can be ordered"
    assert actions(office) == ["ticket.added"]


def test_times_are_typed_in_the_zone_of_the_event_and_it_is_said(small_office: Office) -> None:
    admin, starts = small_office.log_in(Role.ADMIN), "2031-01-26T09:30"
    page = save(
        admin, f"{TICKETS}/new", **a_ticket(valid_from=starts, valid_until="2031-02-01T00:00")
    )
    assert page.status == 303
    assert the_ticket(small_office, 1).wish.valid_from == datetime(2031, 1, 26, 9, 30, tzinfo=WIB)
    shown = Page(admin.get(f"{TICKETS}/1"))
    assert shown.fields["valid_from"] == starts
    assert "All times are WIB" in shown.text


def test_a_new_ticket_is_on_sale_from_now_until_the_event_unless_typed_otherwise(
    small_office: Office,
) -> None:
    page = Page(small_office.log_in(Role.ADMIN).get(f"{TICKETS}/new"))
    assert page.fields["valid_until"] == "2030-01-26T09:00"
    assert page.fields["valid_from"] <= typed_time()


def test_the_form_of_a_ticket_sent_back_untouched_changes_nothing(office: Office) -> None:
    ticket_id, admin = add_ticket(office, is_hidden=True), office.log_in(Role.ADMIN)
    before = the_ticket(office, ticket_id)
    assert save(admin, f"{TICKETS}/{ticket_id}").status == 303
    assert the_ticket(office, ticket_id) == before
    assert actions(office) == ["ticket.added"]


# What no ticket can be, and the field where it is said.
IMPOSSIBLE: list[tuple[dict[str, str], str]] = [
    ({"type": " "}, "type"),
    ({"type": "Taken"}, "type"),
    ({"type": "a\x00b"}, "type"),
    ({"description": ""}, "description"),
    ({"price": "seratus"}, "price"),
    ({"price": "15.00"}, "price"),
    ({"price": "-1"}, "price"),
    ({"price": "9999999999"}, "price"),
    ({"amount": ""}, "amount"),
    ({"min_per_order": "6"}, "min_per_order"),
    ({"max_per_order": "0"}, "max_per_order"),
    ({"valid_from": ""}, "valid_from"),
    ({"valid_from": "besok"}, "valid_from"),
    ({"valid_from": "0001-01-01T00:00"}, "valid_from"),
    ({"valid_until": "2020-01-01T00:00"}, "valid_until"),
    ({"admit_from": "2030-01-02T00:00", "admit_until": "2030-01-01T00:00"}, "admit_until"),
]


def test_what_no_ticket_can_be_comes_back_as_typed_with_the_reason(small_office: Office) -> None:
    add_ticket(small_office, type="Taken")
    admin = small_office.log_in(Role.ADMIN)
    for typed, field in IMPOSSIBLE:
        page = save(admin, f"{TICKETS}/new", **a_ticket(**typed))
        assert page.status == 422, typed
        assert page.by_id(f"{field}-error").text, typed
        assert fields(page)["price"] == typed.get("price", "150.000"), "what was typed is kept"
    assert actions(small_office) == ["ticket.added"], "nothing else was added"


def test_fewer_than_are_taken_is_refused_with_the_number(office: Office) -> None:
    ticket_id, admin = add_ticket(office), office.log_in(Role.ADMIN)
    hold(office, ticket_id, 4)
    hold(office, ticket_id, 3)
    refused = save(admin, f"{TICKETS}/{ticket_id}", amount="6")
    assert (refused.status, fields(refused)["amount"]) == (422, "6")
    assert "7 are sold or held" in refused.by_id("amount-error").text
    assert "Never fewer than the 7" in refused.text
    assert save(admin, f"{TICKETS}/{ticket_id}", amount="7").status == 303
    assert "Sold out" in shop(office).text


def test_a_new_price_counts_for_new_orders_only(small_office: Office) -> None:
    ticket_id, admin = add_ticket(small_office), small_office.log_in(Role.ADMIN)
    hold(small_office, ticket_id, 1)
    assert "for new orders only" in Page(admin.get(f"{TICKETS}/{ticket_id}")).text
    assert save(admin, f"{TICKETS}/{ticket_id}", price="200.000").status == 303
    assert "Rp 200.000" in shop(small_office).text
    hold(small_office, ticket_id, 1)
    with small_office.working():
        totals = db.session.scalars(sa.text("SELECT total FROM orders ORDER BY id")).all()
    assert totals == [150_000, 200_000]


def test_two_people_who_change_different_fields_do_not_undo_each_other(office: Office) -> None:
    ticket_id, admin = add_ticket(office), office.log_in(Role.ADMIN)
    path = f"{TICKETS}/{ticket_id}"
    stale = Page(admin.get(path))
    assert save(admin, path, price="175.000").status == 303
    assert save(admin, path, drawn=stale, amount="50").status == 303
    wish = the_ticket(office, ticket_id).wish
    assert (wish.price, wish.amount) == (175_000, 50)


def test_two_people_who_change_the_same_field_see_both_values_and_decide(office: Office) -> None:
    ticket_id, admin = add_ticket(office), office.log_in(Role.ADMIN)
    path = f"{TICKETS}/{ticket_id}"
    stale = Page(admin.get(path))
    assert save(admin, path, price="175.000", description="Baru.", is_hidden="yes").status == 303
    refused = save(admin, path, drawn=stale, price="125.000", valid_until=typed_time(days=9))
    assert refused.status == 409
    assert the_ticket(office, ticket_id).wish.price == 175_000, "nothing was overwritten"
    [row] = [row for row in refused.all("tr") if "175.000" in row.text]
    assert "125.000" in row.text, "both values are shown"
    form = fields(refused)
    assert (form["price"], form["description"], form["is_hidden"]) == ("125.000", "Baru.", ["yes"])
    assert save(admin, path, drawn=refused).status == 303, "it is saved once it was seen"
    wish = the_ticket(office, ticket_id).wish
    assert (wish.price, wish.description, wish.is_hidden) == (125_000, "Baru.", True)


def test_buyers_see_tickets_in_the_order_that_staff_give_them(small_office: Office) -> None:
    for name in ("Pagi", "Siang", "Malam"):
        add_ticket(small_office, type=name)
    admin = small_office.log_in(Role.ADMIN)
    moved = press(admin, f"{TICKETS}/3/move", TICKETS, to="up")
    assert moved.headers["Location"] == f"{TICKETS}#ticket-3"
    press(admin, f"{TICKETS}/1/move", TICKETS, to="down")
    press(admin, f"{TICKETS}/3/move", TICKETS, to="up")
    assert press(admin, f"{TICKETS}/3/move", TICKETS, to="sideways").status == 303
    names = [heading.text for heading in shop(small_office).all("h3")]
    assert names == ["Malam", "Pagi", "Siang"]
    rows = Page(admin.get(TICKETS)).all("th", scope="row")
    assert [row.text.split()[0] for row in rows] == [*names, "Together"]


def test_a_retired_ticket_is_gone_for_buyers_until_it_is_reopened(office: Office) -> None:
    ticket_id, admin = add_ticket(office), office.log_in(Role.ADMIN)
    path = f"{TICKETS}/{ticket_id}"
    hold(office, ticket_id, 2)
    assert press(admin, f"{path}/retire", path).status == 303
    assert "Reguler" not in shop(office).text
    listed = Page(admin.get(TICKETS))
    assert "Reguler" in listed.by_id(f"ticket-{ticket_id}").text, "it stays in the office"
    assert "Nobody sees it" in Page(admin.get(path)).text
    assert press(admin, f"{path}/reopen", path).status == 303
    assert "Reguler" in shop(office).text
    assert actions(office) == ["ticket.added", "ticket.retired", "ticket.reopened"]


def test_a_preview_shows_what_buyers_would_see_and_saves_nothing(small_office: Office) -> None:
    path, admin = f"{TICKETS}/{add_ticket(small_office)}", small_office.log_in(Role.ADMIN)
    tried = save(admin, path, intent="preview", price="0", amount="3")
    assert tried.status == 200
    card = tried.by_id("preview").text
    assert "Free" in card
    assert "Only 3 tickets left" in card
    assert fields(tried)["price"] == "0"
    assert the_ticket(small_office, 1).wish.price == 150_000
    new = save(admin, f"{TICKETS}/new", intent="preview", **a_ticket(type="VIP"))
    assert "VIP" in new.by_id("preview").text
    assert actions(small_office) == ["ticket.added"]


def test_a_quota_chosen_at_a_ticket_holds_it_back(small_office: Office) -> None:
    path, admin = f"{TICKETS}/{add_ticket(small_office)}", small_office.log_in(Role.ADMIN)
    hold(small_office, 1, 3)
    with small_office.working():
        now = datetime.now(UTC)
        quotas = [
            quota_editing.create_quota(QuotaWish(name, amount), by=TESTS, now=now)
            for name, amount in (("Aula", 4), ("Balkon", 2))
        ]
    refused = save(admin, path, quota_id=str(quotas[1]))
    assert refused.status == 422
    assert "Balkon" in refused.by_id("quota_id-error").text
    assert save(admin, path, quota_id=str(quotas[0])).status == 303
    assert "Only 1 ticket left" in shop(small_office).text
    assert "shares “Aula”" in Page(admin.get(TICKETS)).text
    assert "Only 1 ticket left" in Page(admin.get(path)).by_id("preview").text


def test_a_list_of_many_tickets_costs_as_few_statements_as_one_of_a_few(
    small_office: Office,
) -> None:
    admin = small_office.log_in(Role.ADMIN)
    for number in range(30):
        add_ticket(small_office, type=f"Jenis {number}")
    with small_office.working():
        engine = db.engine
    for path in (TICKETS, f"{TICKETS}/7", f"{TICKETS}/new"):
        with listening(engine) as spoken:
            assert admin.get(path).status_code == 200
        assert spoken.statements <= 12, f"{path}\n{spoken}"


def test_tickets_that_are_not_there_are_not_found(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    for path in ("9", "9/move", "9/retire", "9/reopen"):
        sent = press(admin, f"{TICKETS}/{path}", f"{TICKETS}/new", to="up", **a_ticket())
        assert sent.status == 404, path
    with small_office.working():
        assert db.session.scalar(sa.select(sa.func.count(Ticket.id))) == 0


def test_everything_that_is_wrong_is_said_at_once_and_by_name(small_office: Office) -> None:
    sent = a_ticket(type="", price="x", max_per_order="", min_per_order="2", valid_until="")
    page = save(small_office.log_in(Role.ADMIN), f"{TICKETS}/new", **sent)
    told = [
        line.text.partition(":")[0] for line in page.by_id("problems").walk() if line.tag == "li"
    ]
    assert told == ["Name", "Price in rupiah", "Most per order", "On sale until"]
