"""Commands: the catalogue, staff, API keys; what they refuse changes nothing."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from werkzeug.security import check_password_hash

from app.extensions import db
from app.models import ApiKey, Base, Role, Staff, Ticket
from app.services.office.partners import find_partner
from tests.app_factory import make_settings
from tests.running.sales import order
from tests.test_catalogue_file import catalogue, ticket

PASSWORD = "correct horse battery"

Run = Callable[..., Result]
Load = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command; its words and exit code are in the result."""

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return app.test_cli_runner().invoke(args=list(arguments), input=stdin)

    return invoke


@pytest.fixture
def load(run: Run, tmp_path: Path) -> Load:
    """Load a catalogue of these tickets, as YAML each."""

    def invoke(*tickets: str) -> Result:
        file = tmp_path / "event.yaml"
        file.write_text(catalogue(*tickets), encoding="utf-8")
        return run("tickets", "load", str(file))

    return invoke


def everything(app: Flask) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in Base.metadata.sorted_tables
        }


def assert_refused(result: Result, *words: str) -> None:
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), "a sentence, not a traceback"
    for word in words:
        assert word in result.output


# --- tickets load -------------------------------------------------------------------------------


def test_a_catalogue_is_loaded_and_a_repeat_changes_nothing(app: Flask, load: Load) -> None:
    tickets = ticket(), ticket(type="Reguler")
    assert load(*tickets).output == "2 created, 0 updated\n"
    before = everything(app)

    again = load(*tickets)

    assert (again.exit_code, again.output) == (0, "0 created, 2 updated\n")
    assert everything(app) == before


def test_an_update_keeps_ids_stock_and_what_the_file_does_not_name(app: Flask, load: Load) -> None:
    load(ticket(), ticket(type="Reguler"))
    ticket_id = _hold(app, "Early Bird", 3)

    result = load(ticket(type="Baru"), ticket(price="175000", amount="3"))

    assert result.output == "1 created, 1 updated\n"
    with app.app_context():
        found = {each.type: each for each in db.session.scalars(sa.select(Ticket))}
        early = found["Early Bird"]
        assert found.keys() == {"Early Bird", "Reguler", "Baru"}
        assert (early.id, early.price, early.position) == (ticket_id, 175_000, 2)
        assert (early.stock.amount, early.stock.held) == (3, 3)


def test_an_amount_below_what_is_held_is_refused_with_everything_else(
    app: Flask, load: Load
) -> None:
    load(ticket(), ticket(type="Reguler"))
    _hold(app, "Early Bird", 3)
    before = everything(app)

    result = load(ticket(type="Baru"), ticket(amount="2"), ticket(type="Reguler", price="1"))

    assert_refused(result, "nothing was changed", "line 9: amount of 'Early Bird'", "at least 3")
    assert everything(app) == before


def test_one_fault_keeps_the_whole_file_out(app: Flask, load: Load) -> None:
    before = everything(app)

    assert_refused(
        load(ticket(), ticket(type="Reguler", price="free")), "event.yaml: line 11: price"
    )

    assert everything(app) == before


def test_types_that_differ_only_in_case_accent_or_emoji_are_different_tickets(
    app: Flask, load: Load
) -> None:
    types = ["Reguler", "reguler", "Régüler", "🎉", "🎊", "王", "玉"]

    result = load(*(ticket(type=each) for each in types))

    assert result.output == f"{len(types)} created, 0 updated\n", result.exception
    with app.app_context():
        assert set(db.session.scalars(sa.select(Ticket.type))) == set(types)


def _hold(app: Flask, ticket_type: str, quantity: int) -> int:
    with app.app_context():
        ticket_id = db.session.scalars(sa.select(Ticket.id).where(Ticket.type == ticket_type)).one()
        now = datetime(2026, 12, 1, tzinfo=UTC)
        order(ticket_id, quantity, now=now, settings=make_settings("sqlite://"))
        return ticket_id


# --- staff add ----------------------------------------------------------------------------------


def add_staff(run: Run, email: str, password: str = PASSWORD, role: str = "door") -> Result:
    return run("staff", "add", email, "--role", role, "--password-stdin", stdin=f"{password}\n")


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_an_account_is_added_with_a_slow_hash_only(app: Flask, run: Run, role: str) -> None:
    result = add_staff(run, " Sari@Example.COM ", role=role)

    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    with app.app_context():
        [account] = db.session.scalars(sa.select(Staff))
        assert (account.email, account.role.value) == ("sari@example.com", role)
        assert account.password_hash.startswith("scrypt:")
        assert check_password_hash(account.password_hash, PASSWORD)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", ""])
def test_the_password_is_the_line_without_its_end(app: Flask, run: Run, line_end: str) -> None:
    password = "  spaces are kept  "

    run(
        "staff",
        "add",
        "a@example.com",
        "--role",
        "door",
        "--password-stdin",
        stdin=password + line_end,
    )

    with app.app_context():
        account = db.session.scalars(sa.select(Staff)).one()
        assert check_password_hash(account.password_hash, password)


def test_a_password_that_is_asked_for_is_asked_for_twice(app: Flask, run: Run) -> None:
    ask = ("staff", "add", "a@example.com", "--role", "door")

    assert run(*ask, stdin=f"{PASSWORD}\nanother one of them\n").exit_code != 0
    result = run(*ask, stdin=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0
    assert PASSWORD not in result.output


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("sari@example.com", "elevenchars", "at least 12 characters"),
        ("sari@example.com", "", "at least 12 characters"),
        ("sari", PASSWORD, "not an e-mail address"),
        ("", PASSWORD, "not an e-mail address"),
        ("sari@example.com\nBcc: x@example.com", PASSWORD, "not an e-mail address"),
    ],
)
def test_an_account_that_cannot_be_used_is_refused(
    app: Flask, run: Run, email: str, password: str, words: str
) -> None:
    before = everything(app)

    assert_refused(add_staff(run, email, password), words)

    assert everything(app) == before


def test_an_unknown_role_is_refused_with_those_there_are(run: Run) -> None:
    assert_refused(add_staff(run, "a@example.com", role="boss"), "'door'", "'finance'", "'admin'")


@pytest.mark.parametrize("again", ["sari@example.com", "SARI@example.com", "sari@EXAMPLE.com"])
def test_one_address_has_one_account_however_it_is_written(
    app: Flask, run: Run, again: str
) -> None:
    add_staff(run, "sari@example.com")
    before = everything(app)

    assert_refused(add_staff(run, again, "another password"), "has an account already")

    assert everything(app) == before


# --- api-keys add -------------------------------------------------------------------------------


def test_a_key_is_the_last_word_and_only_its_hash_is_kept(app: Flask, run: Run) -> None:
    result = run("api-keys", "add", "Mitra 王", "--scope", "door", "--scope", "orders:write")

    assert result.exit_code == 0
    key = result.output.split()[-1]
    assert len(key) >= 40
    assert key not in str(everything(app))
    with app.app_context():
        [stored] = db.session.scalars(sa.select(ApiKey))
        assert (stored.name, stored.key_hash) == (
            "Mitra 王",
            hashlib.sha256(key.encode()).hexdigest(),
        )
        partner = find_partner(key)
        assert partner is not None
        assert partner.scopes == {"door", "orders:write"}
        assert find_partner(key[:-1]) is None
        assert find_partner(key.swapcase()) is None


def test_a_key_may_place_orders_unless_another_scope_is_named(app: Flask, run: Run) -> None:
    key = run("api-keys", "add", "Mitra").output.split()[-1]
    other = run("api-keys", "add", "Mitra").output.split()[-1]

    with app.app_context():
        partner = find_partner(key)
        assert partner is not None
        assert partner.scopes == {"orders:write"}
    assert key != other


@pytest.mark.parametrize(
    ("name", "scope", "words"),
    [
        ("Mitra", "orders:read", "choose from orders:write, door"),
        ("Mitra", "", "choose from"),
        ("", "door", "a name of 1 to 100 characters"),
        ("x" * 101, "door", "a name of 1 to 100 characters"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    app: Flask, run: Run, name: str, scope: str, words: str
) -> None:
    before = everything(app)

    assert_refused(run("api-keys", "add", name, "--scope", scope), words)

    assert everything(app) == before
