"""Shared quotas and vouchers in the office: what staff set is what buyers get."""

from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import AuditEntry, Role, VoucherEffect, VoucherUse
from app.services.selling import voucher_editing
from app.services.selling.voucher_editing import VoucherOverview
from app.services.selling.wishes import VoucherWish
from tests.harness.statements import listening
from tests.office.catalogue_forms import (
    QUOTAS,
    TICKETS,
    VOUCHERS,
    Typed,
    add_ticket,
    fields,
    press,
    save,
    shop,
    typed_time,
)
from tests.pages.html import Page
from tests.staff.office import TESTS, Office

NEW = f"{VOUCHERS}/new"
NOTHING = VoucherWish(VoucherEffect.NONE, 0, None, None, None, None, "")


def vouchers(office: Office) -> list[VoucherOverview]:
    with office.working():
        return voucher_editing.list_vouchers(limit=500)


def add_vouchers(office: Office, count: int, prefix: str = "MITRA") -> None:
    with office.working():
        now = datetime.now(UTC)
        voucher_editing.create_vouchers(count, NOTHING, prefix=prefix, by=TESTS, now=now)


def actions(office: Office) -> list[str]:
    with office.working():
        kinds = AuditEntry.subject_kind.in_(("voucher", "quota"))
        wanted = sa.select(AuditEntry.action).where(kinds).order_by(AuditEntry.id)
        return list(db.session.scalars(wanted))


# --- shared quotas ------------------------------------------------------------------------------


def test_a_quota_is_added_changed_and_shown_with_its_tickets(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    assert "no shared quota" in Page(admin.get(QUOTAS)).text
    assert save(admin, f"{QUOTAS}/new", name=" Aula  utama ", amount="1.200").status == 303
    [link] = [e for e in Page(admin.get(QUOTAS)).all("a") if e.text == "Aula utama"]
    path = link.attributes["href"]
    add_ticket(office, quota_id=int(path.rsplit("/", 1)[1]))
    page = Page(admin.get(path))
    assert (fields(page)["amount"], "Reguler" in page.text) == ("1.200", True)
    assert save(admin, path, amount="8").status == 303
    assert "Only 8 tickets left" in shop(office).text
    assert actions(office) == ["quota.added", "quota.changed"]


NO_QUOTAS: list[tuple[Typed, str]] = [
    ({"name": ""}, "name"),
    ({"name": "Aula"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"amount": "banyak"}, "amount"),
    ({"amount": "-1"}, "amount"),
]


def test_a_quota_that_cannot_be_comes_back_with_the_reason(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    save(admin, f"{QUOTAS}/new", name="Aula", amount="5")
    for typed, field in NO_QUOTAS:
        sent: Typed = {"name": "Balkon", "amount": "5", **typed}
        page = save(admin, f"{QUOTAS}/new", **sent)
        assert page.status == 422, typed
        assert page.by_id(f"{field}-error").text, typed
    assert actions(small_office) == ["quota.added"]


def test_a_stale_form_of_a_quota_shows_both_values(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    save(admin, f"{QUOTAS}/new", name="Aula", amount="5")
    stale = Page(admin.get(f"{QUOTAS}/1"))
    save(admin, f"{QUOTAS}/1", amount="10")
    refused = save(admin, f"{QUOTAS}/1", drawn=stale, amount="20")
    assert refused.status == 409
    assert [cell.text for cell in refused.all("td")] == ["10", "20"], "theirs, and one's own"
    assert save(admin, f"{QUOTAS}/1", drawn=refused).status == 303


# --- vouchers -----------------------------------------------------------------------------------


def test_a_voucher_is_made_as_typed_and_shows_its_link(office: Office) -> None:
    ticket_id, admin = add_ticket(office), office.log_in(Role.ADMIN)
    until = typed_time(days=9)
    typed: Typed = {
        "code": "teman-2027",
        "effect": "amount_off",
        "value": "25.000",
        "max_seats": "40",
    }
    made = save(
        admin, NEW, **typed, ticket_ids=[str(ticket_id), "999"], valid_until=until, note="Ayu"
    )
    assert made.status == 303
    [voucher] = vouchers(office)
    wish = voucher.wish
    assert (voucher.code, wish.effect, wish.value) == (
        "TEMAN-2027",
        VoucherEffect.AMOUNT_OFF,
        25_000,
    )
    assert (wish.ticket_ids, wish.max_seats, wish.note) == ((ticket_id,), 40, "Ayu")
    page = Page(admin.get(made.headers["Location"]))
    assert page.by_id("link").attributes["value"] == "http://localhost/?voucher=TEMAN-2027"
    assert fields(page)["valid_until"] == until
    listed = Page(admin.get(VOUCHERS)).text
    assert "TEMAN-2027 Rp 25.000 off each seat · Reguler" in listed
    assert actions(office) == ["voucher.added"]


def test_many_codes_are_made_at_once_and_their_links_stand_ready_to_copy(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    add_vouchers(office, 2, prefix="LAMA")
    made = save(admin, NEW, count="12", code="vip-", effect="percent", value="100", max_seats="1")
    assert made.status == 303
    [area] = Page(admin.get(made.headers["Location"])).all("textarea")
    codes = {link.removeprefix("http://localhost/?voucher=") for link in area.text.split()}
    newest = [voucher.code for voucher in vouchers(office)][:12]
    assert (len(codes), codes) == (12, set(newest))
    assert all(code.startswith("VIP-") for code in codes)


def test_a_hidden_ticket_leads_to_a_voucher_that_names_it(small_office: Office) -> None:
    admin, ticket_id = small_office.log_in(Role.ADMIN), add_ticket(small_office, is_hidden=True)
    page = Page(admin.get(f"{TICKETS}/{ticket_id}"))
    [link] = [e for e in page.all("a") if e.text == "Make vouchers for this ticket"]
    offered = Page(admin.get(link.attributes["href"]))
    assert fields(offered)["ticket_ids"] == [str(ticket_id)]
    assert Page(admin.get(f"{NEW}?ticket=%C2%B2,x")).status == 200


def test_one_code_is_made_up_when_none_is_typed(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    made = save(admin, NEW, effect="fixed_price", value="0", max_seats="2")
    assert made.headers["Location"].startswith(f"{VOUCHERS}/1")
    [voucher] = vouchers(small_office)
    assert len(voucher.code) >= 8


NO_VOUCHERS: list[tuple[Typed, str]] = [
    ({"code": "abc"}, "code"),
    ({"code": "TAKEN-1"}, "code"),
    ({"code": "ÉLITE-1"}, "code"),
    ({"count": "2", "code": "no spaces"}, "code"),
    ({"count": "0"}, "count"),
    ({"count": "501"}, "count"),
    ({"effect": "double"}, "effect"),
    ({"effect": "percent", "value": "101"}, "value"),
    ({"effect": "percent", "value": ""}, "value"),
    ({"effect": "amount_off", "value": "0"}, "value"),
    ({"max_seats": "0"}, "max_seats"),
    ({"valid_from": "2030-01-02T00:00", "valid_until": "2030-01-02T00:00"}, "valid_until"),
]


def test_a_voucher_that_cannot_be_comes_back_with_the_reason(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    assert save(admin, NEW, code="TAKEN-1", effect="none").status == 303
    for typed, field in NO_VOUCHERS:
        sent: Typed = {"effect": "none", "note": "kept", **typed}
        page = save(admin, NEW, **sent)
        assert page.status == 422, typed
        assert page.by_id(f"{field}-error").text, typed
        assert fields(page)["note"] == "kept"
    assert len(vouchers(small_office)) == 1


def test_a_voucher_is_not_good_for_fewer_seats_than_were_ordered_with_it(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    path = save(admin, NEW, code="TEMAN", effect="none", max_seats="9").headers["Location"]
    with office.working():
        db.session.execute(sa.update(VoucherUse).values(used=4))
    page = Page(admin.get(path))
    assert [number.text for number in page.all("dd")] == ["4", "5"], "used, and left"
    refused = save(admin, path.partition("?")[0], max_seats="3")
    assert refused.status == 422
    assert "4" in refused.by_id("max_seats-error").text


def test_a_stale_form_of_a_voucher_shows_both_values_in_words(small_office: Office) -> None:
    first, second = add_ticket(small_office, type="Pagi"), add_ticket(small_office, type="Siang")
    admin, path = small_office.log_in(Role.ADMIN), f"{VOUCHERS}/1"
    save(admin, NEW, code="TEMAN", effect="none")
    stale = Page(admin.get(path))
    save(admin, path, ticket_ids=[str(first)], effect="percent", value="10", note="Baru")
    refused = save(admin, path, drawn=stale, ticket_ids=[str(second)], effect="none")
    assert refused.status == 409
    [row] = [row for row in refused.all("tr") if "Siang" in row.text]
    assert "Pagi" in row.text
    assert save(admin, path, drawn=refused).status == 303
    [voucher] = vouchers(small_office)
    assert (voucher.tickets, voucher.wish.note) == (("Siang",), "Baru")
    assert voucher.wish.effect is VoucherEffect.PERCENT, "what only the other changed stays theirs"


def test_a_voucher_is_retired_and_reopened(small_office: Office) -> None:
    admin, path = small_office.log_in(Role.ADMIN), f"{VOUCHERS}/1"
    save(admin, NEW, code="TEMAN", effect="none")
    page = Page(admin.get(press(admin, f"{path}/retire", path).headers["Location"]))
    assert "does nothing any more" in page.text
    assert not page.has_id("link")
    assert vouchers(small_office)[0].retired_at
    press(admin, f"{path}/reopen", path)
    assert vouchers(small_office)[0].retired_at is None
    assert actions(small_office) == ["voucher.added", "voucher.retired", "voucher.reopened"]


def test_vouchers_are_found_by_their_beginning_and_paged_without_a_gap(
    small_office: Office,
) -> None:
    admin = small_office.log_in(Role.ADMIN)
    add_vouchers(small_office, 120)
    add_vouchers(small_office, 3, prefix="LAIN")
    with small_office.working():
        engine = db.engine
    seen: list[str] = []
    address = f"{VOUCHERS}?search=mitra"
    while address:
        with listening(engine) as spoken:
            page = Page(admin.get(address))
        assert spoken.statements <= 12, spoken
        seen += [code.text for code in page.all("code")]
        older = [e for e in page.all("a") if e.text == "Older"]
        address = older[0].attributes["href"] if older else ""
        add_vouchers(small_office, 1)
    mine = {v.code for v in vouchers(small_office) if v.code.startswith("MITRA") and v.id <= 120}
    assert (len(seen), set(seen)) == (120, mine)
    assert "No voucher begins" in Page(admin.get(f"{VOUCHERS}?search=%25")).text


def test_vouchers_and_quotas_that_are_not_there_are_not_found(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    form = fields(Page(admin.get(NEW))) | {"name": "x", "amount": "1", "effect": "none"}
    paths = (f"{VOUCHERS}/9", f"{VOUCHERS}/9/retire", f"{VOUCHERS}/9/reopen", f"{QUOTAS}/9")
    assert [admin.post(path, data=form).status_code for path in paths] == [404] * 4
    links = Page(admin.get(f"{VOUCHERS}/links?before=x&count=-5&search=%00"))
    assert (links.status, "no vouchers here" in links.text) == (200, True)


def test_a_price_opened_by_a_link_is_what_the_buyer_pays(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    hidden = add_ticket(office, type="Sponsor", is_hidden=True, price=500_000)
    assert "Sponsor" not in shop(office).text
    typed: Typed = {"code": "BANK-SENJA", "effect": "percent", "value": "20", "max_seats": "2"}
    save(admin, NEW, **typed, ticket_ids=[str(hidden)])
    buyer = office.browser()
    opened = Page(buyer.get("/?voucher=bank-senja")).text
    assert "Sponsor" in opened
    assert "Rp 400.000" in opened
    assert "Sponsor" not in shop(office).text, "others still see nothing of it"
    assert Page(admin.get(TICKETS)).all("tr"), "and the office sees both"
