"""The audit log: whole, readable, without secrets, and never changed."""

import ast
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.extensions import db
from app.models import AuditEntry, Role
from app.routes.audit_words import ACTIONS, SUBJECTS
from app.services.running import audit
from app.services.running.audit import Actor, SecretInAudit, Subject
from app.services.running.transaction import transaction
from tests.harness.processes import ROOT
from tests.pages.html import Page
from tests.staff.office import TESTS, Office, send

LOG = "/staff/audit"
NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
TICKET = Subject("ticket", "1", "Reguler")


def record(office: Office, **changes: object) -> None:
    facts = {"actor": TESTS, "action": "ticket.changed", "subject": TICKET, "now": NOW}
    with office.working(), transaction() as session:
        audit.record(session, **(facts | changes))  # type: ignore[arg-type]


def entries(office: Office) -> list[AuditEntry]:
    with office.working():
        found = list(db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)))
        db.session.expunge_all()
        return found


# --- what is kept -------------------------------------------------------------------------------


def test_an_entry_says_who_what_and_from_what_to_what(office: Office) -> None:
    before = {"price": 150_000, "description": "same", "valid_from": NOW}
    after = {"price": 175_000, "description": "same", "valid_from": NOW + timedelta(hours=1)}
    record(office, before=before, after=after, actor=Actor.staff(7, "sari@example.com"))
    [entry] = entries(office)
    assert (entry.actor_id, entry.actor_name) == (7, "sari@example.com")
    assert entry.changes == {
        "price": [150_000, 175_000],
        "valid_from": ["2027-01-01T12:00:00+00:00", "2027-01-01T13:00:00+00:00"],
    }


def test_what_stayed_the_same_is_no_change(small_office: Office) -> None:
    record(small_office, before={"price": 1}, after={"price": 1})
    assert not entries(small_office)


def test_an_entry_goes_with_the_change_that_is_rolled_back(small_office: Office) -> None:
    with pytest.raises(LookupError), small_office.working(), transaction() as session:
        audit.record(session, actor=TESTS, action="ticket.changed", subject=TICKET, now=NOW)
        raise LookupError
    assert not entries(small_office)


@pytest.mark.parametrize(
    "field", ["password", "password_hash", "totp_sealed", "API_Token", "account_number"]
)
def test_secrets_are_refused(small_office: Office, field: str) -> None:
    with pytest.raises(SecretInAudit):
        record(small_office, after={field: "x"})


@pytest.mark.parametrize("value", [object(), datetime(2027, 1, 1), float("nan"), b"x"])  # noqa: DTZ001
def test_what_nobody_could_read_is_refused(small_office: Office, value: object) -> None:
    with pytest.raises(TypeError):
        record(small_office, after={"price": value})


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"]
)
def test_the_database_refuses_to_change_or_delete_an_entry(office: Office, statement: str) -> None:
    record(office)
    with office.app.app_context(), pytest.raises(DBAPIError, match="never changed"):
        db.session.execute(sa.text(statement))
    assert [entry.action for entry in entries(office)] == ["ticket.changed"]


def test_nothing_people_do_in_the_office_leaves_a_secret_in_it(small_office: Office) -> None:
    """Every log-in, phone and gate of a day, and the whole log read for what must not be there."""
    admin = small_office.log_in(Role.ADMIN)
    send(admin, "/staff/door/gates/new", name="Utara")
    pairing = small_office.add_phone("Ayu")
    path = f"/staff/door/devices/{pairing.device_id}"
    send(admin, f"{path}/cut-off", page=path)
    codes = send(admin, "/staff/me/recovery-codes").by_id("codes")
    kept = str([vars(entry) for entry in entries(small_office)])
    assert {"gate.added", "device.added", "device.cut_off", "staff.recovery_codes_made"} <= {
        entry.action for entry in entries(small_office)
    }
    secrets = [pairing.code, *(e.text for e in codes.walk() if e.tag == "code"), "scrypt"]
    assert not [secret for secret in secrets if secret in kept]


def test_a_request_leaves_its_id_and_who_made_it(office: Office) -> None:
    admin = office.log_in(Role.ADMIN)
    answer = send(admin, "/staff/door/gates/new", name="Utara")
    entry = entries(office)[-1]
    assert (entry.action, entry.actor_name) == ("gate.added", "admin@tedxsenja.example")
    assert entry.request_id == answer.headers["X-Request-ID"]


# --- how it reads -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["changed a ticket: Ticket Reguler", "Price: Rp 150.000 → Rp 175.000"]),
        ("id", ["mengubah tiket: Tiket Reguler", "Harga: Rp 150.000 → Rp 175.000"]),
    ],
)
def test_a_person_can_read_it(small_office: Office, language: str, words: list[str]) -> None:
    record(small_office, before={"price": 150_000}, after={"price": 175_000})
    page = Page(small_office.log_in(Role.ADMIN, language).get(LOG))
    for sentence in words:
        assert sentence in page.text


def test_it_is_narrowed_by_person_action_subject_and_day(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    sari, budi = Actor.staff(7, "sari@example.com"), Actor.staff(8, "budi@example.com")
    record(small_office, actor=sari, subject=Subject("gate", "1", "Utara"), action="gate.added")
    record(small_office, actor=budi, now=NOW + timedelta(days=2))
    for query, found in (
        ("person=sari", "Utara"),
        ("action=gate.added", "Utara"),
        ("subject=Utar", "Utara"),
        ("since=2027-01-01&until=2027-01-01", "Utara"),
        ("person=budi", "Reguler"),
        ("subject=1&action=ticket.changed", "Reguler"),
        ("since=2027-01-03&until=2027-01-03", "Reguler"),
    ):
        [item] = Page(admin.get(f"{LOG}?{query}")).all("ol", class_="entries log")[0].children[1::2]
        assert found in getattr(item, "text", ""), query
    for query in ("person=%25", "subject=_", "since=2030-01-01"):
        assert "Nothing of this kind" in Page(admin.get(f"{LOG}?{query}")).text, query
    for query in ("since=x&until=9999-12-31&before=x", "action=%F0%9F%8E%89", "before=-1"):
        assert admin.get(f"{LOG}?{query}").status_code == 200, query


def test_pages_follow_each_other_without_a_gap_or_a_repeat(small_office: Office) -> None:
    admin = small_office.log_in(Role.ADMIN)
    for number in range(120):
        record(small_office, subject=Subject("ticket", str(number), f"number {number}."))
    address, seen = f"{LOG}?action=ticket.changed", []
    while address:
        page = Page(admin.get(address))
        seen += [e.text.split("number ")[1] for e in page.all("strong") if "number" in e.text]
        older = [e for e in page.all("a", class_="button button--quiet") if e.text == "Older"]
        address = older[0].attributes["href"] if older else ""
        record(small_office, subject=Subject("ticket", "x", "a new one meanwhile"))
    assert seen == [f"{number}." for number in reversed(range(120))]


def test_every_action_the_code_records_has_words() -> None:
    """Actions are read out of the code: a new one without words on the page fails here."""
    kinds = set(SUBJECTS) - {"invitation"}
    recorded = set()
    for file in (ROOT / "app" / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                kind, _, done = node.value.partition(".")
                if kind in kinds and done.replace("_", "").isalpha():
                    recorded.add(node.value)
    assert recorded == set(ACTIONS)
