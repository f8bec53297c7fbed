"""The whole catalogue in one file: loaded, and written again as the same file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.extensions import db
from app.forms.catalogue_file import read_catalogue, write_catalogue
from app.forms.yaml_rows import CatalogueFileError
from app.models import Quota, Ticket, TicketStock, Voucher, VoucherEffect, VoucherUse
from app.models import voucher_tickets as voucher_tickets_table
from app.services.running.transaction import transaction
from app.services.selling.catalogue_loading import load_catalogue, read_catalogue_rows
from app.services.selling.catalogue_rows import (
    CatalogueConflict,
    CatalogueRows,
    QuotaRow,
    TicketRow,
    VoucherRow,
)
from app.services.selling.wishes import HIGHEST_AMOUNT, HIGHEST_PRICE
from tests.money.world import World
from tests.test_catalogue_file import catalogue, ticket

NOW = datetime(2026, 11, 23, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")
A_YEAR = timedelta(days=365)

words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co")),
    min_size=1,
    max_size=20,
)
moments = st.timedeltas(-30 * A_YEAR, 60 * A_YEAR).map(NOW.__add__)
codes = st.text("ABCXYZ0189-", min_size=4, max_size=32)
amounts = st.integers(0, HIGHEST_AMOUNT)
prices = st.integers(0, HIGHEST_PRICE)
effects = st.one_of(
    st.tuples(st.just(VoucherEffect.NONE), st.just(0)),
    st.tuples(st.just(VoucherEffect.PERCENT), st.integers(1, 100)),
    st.tuples(st.just(VoucherEffect.AMOUNT_OFF), st.integers(1, HIGHEST_PRICE)),
    st.tuples(st.just(VoucherEffect.FIXED_PRICE), prices),
)


@st.composite
def ticket_rows(draw: st.DrawFn, name: str, quotas: list[str]) -> TicketRow:
    begin, least = draw(moments), draw(st.integers(1, 100))
    admit = draw(st.none() | moments)
    return TicketRow(
        type=name,
        description=draw(words),
        price=draw(prices),
        amount=draw(amounts),
        max_per_order=draw(st.integers(least, 100)),
        valid_from=begin,
        valid_until=begin + draw(st.timedeltas(timedelta(microseconds=1), A_YEAR)),
        admit_from=admit,
        admit_until=None if admit is None else admit + A_YEAR,
        min_per_order=least,
        is_hidden=draw(st.booleans()),
        quota=draw(st.none() | st.sampled_from(quotas)) if quotas else None,
        is_retired=draw(st.booleans()),
    )


@st.composite
def voucher_rows(draw: st.DrawFn, code: str, types: list[str]) -> VoucherRow:
    effect, value = draw(effects)
    begin = draw(st.none() | moments)
    some = st.lists(st.sampled_from(types), min_size=1, unique=True)
    chosen = draw(st.none() | some)
    return VoucherRow(
        code=code,
        tickets=None if chosen is None else tuple(sorted(chosen, key=types.index)),
        effect=effect,
        value=value,
        max_seats=draw(st.none() | st.integers(1, HIGHEST_AMOUNT)),
        valid_from=begin,
        valid_until=None if begin is None else begin + A_YEAR,
        note=draw(st.just("") | words),
        is_retired=draw(st.booleans()),
    )


@st.composite
def catalogues(draw: st.DrawFn) -> CatalogueRows:
    quotas = sorted(draw(st.lists(words, max_size=3, unique=True)))
    types = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    return CatalogueRows(
        tuple(draw(ticket_rows(name, quotas)) for name in types),
        tuple(QuotaRow(name, draw(amounts)) for name in quotas),
        tuple(
            draw(voucher_rows(code, types))
            for code in draw(st.lists(codes, max_size=3, unique=True))
        ),
    )


@given(catalogues())
def test_a_file_that_is_written_is_read_as_the_same_rows(rows: CatalogueRows) -> None:
    assert read_catalogue(write_catalogue(rows, JAKARTA)) == rows


@pytest.fixture
def office(sqlite_app: Flask) -> Iterator[Flask]:
    with sqlite_app.app_context():
        yield sqlite_app


@settings(max_examples=20)
@given(catalogues(), catalogues())
def test_what_is_loaded_is_told_again_whatever_was_there_before(
    office: Flask, first: CatalogueRows, second: CatalogueRows
) -> None:
    with transaction() as session:
        for model in (VoucherUse, voucher_tickets_table, Voucher, TicketStock, Ticket, Quota):
            session.execute(sa.delete(model))

    load_catalogue(first, by="tests", now=NOW)
    assert told() == first
    load_catalogue(second, by="tests", now=NOW)

    found = read_catalogue_rows()
    assert {row.type: row for row in second.tickets}.items() <= by_name(found.tickets, "type")
    assert {row.name: row for row in second.quotas}.items() <= by_name(found.quotas, "name")
    assert {row.code: row for row in second.vouchers}.items() <= by_name(found.vouchers, "code")


def told() -> CatalogueRows:
    db.session.rollback()
    return read_catalogue(write_catalogue(read_catalogue_rows(), JAKARTA))


def by_name(rows: tuple[TicketRow | QuotaRow | VoucherRow, ...], name: str):  # type: ignore[no-untyped-def]
    return {getattr(row, name): row for row in rows}.items()


def lines(*more: str) -> str:
    return "\n".join(more) + "\n"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["quotas:", "- {name: Aula}"], "line 10: amount is missing"),
        (["quotas: 3"], "line 9: there should be a list below"),
        (["quota: []"], "line 9: 'quota': there is no such list (tickets, quotas, vouchers)"),
        (["vouchers:", "- {code: AB}"], "line 10: code is 'AB'"),
        (["vouchers:", "- {code: ABCD, seats: 0}"], "line 10: seats is '0'"),
        (["vouchers:", "- {code: ABCD, tickets: Reguler}"], "line 10: tickets is 'Reguler'"),
        (
            ["vouchers:", "- {code: ABCD, percentOff: 5, price: 1}"],
            "line 10: give one of percentOff",
        ),
        (["vouchers:", "- {code: ABCD}", "- {code: abcd}"], "line 11: code 'ABCD' is on line 10"),
        (["vouchers:", "- {code: ABCD, percentOff: 101}"], "line 10: percentOff is '101'"),
    ],
)
def test_what_is_wrong_with_quotas_and_vouchers_is_told_with_its_line(
    more: list[str], problem: str
) -> None:
    with pytest.raises(CatalogueFileError) as refused:
        read_catalogue(catalogue(ticket()) + lines(*more))

    assert [each for each in refused.value.problems if problem in each], refused.value.problems


def test_the_command_writes_what_it_loads(sqlite_app: Flask, tmp_path: Path) -> None:
    runner, file = sqlite_app.test_cli_runner(), tmp_path / "catalogue.yaml"
    more = lines(
        "quotas:", "- {name: Aula, amount: 9}", "vouchers:", "- {code: abcd, amountOff: 5}"
    )
    file.write_text(catalogue(ticket(quota="Aula", hidden="true")) + more, encoding="utf-8")

    loaded = runner.invoke(args=["tickets", "load", str(file)])
    assert loaded.output == "1 created, 0 updated\n1 quotas, 1 vouchers\n"
    first = runner.invoke(args=["tickets", "dump"]).output
    file.write_text(first, encoding="utf-8")
    loaded = runner.invoke(args=["tickets", "load", str(file)])
    assert loaded.output.startswith("0 created, 1 updated")
    assert runner.invoke(args=["tickets", "dump"]).output == first
    assert "validFrom: '2026-11-01T00:00:00+07:00'" in first, "in the event's zone"


def test_names_that_nobody_knows_are_told_and_nothing_is_changed(office: Flask) -> None:
    rows = read_catalogue(
        catalogue(ticket(quota="Aula")) + lines("vouchers:", "- {code: ABCD, tickets: [VIP]}")
    )

    with pytest.raises(CatalogueConflict) as refused:
        load_catalogue(rows, by="tests", now=NOW)

    assert refused.value.problems == [
        "line 2: there is no quota 'Aula'",
        "line 11: there is no ticket 'VIP'",
    ]
    assert told_types() == []


def told_types() -> list[str]:
    db.session.rollback()
    return [row.type for row in read_catalogue_rows().tickets]


def test_a_quota_may_shrink_in_the_file_that_takes_its_tickets_out(world: World) -> None:
    early, regular = world.add_ticket("Early"), world.add_ticket("Reguler")
    with world.app.app_context():
        rows = read_catalogue_rows()
        both = tuple(replace(row, quota="Aula") for row in rows.tickets)
        load_catalogue(CatalogueRows(both, (QuotaRow("Aula", 10),)), by="tests", now=NOW)
    world.place(early, 4)
    world.place(regular, 3)
    with world.app.app_context():
        smaller = (QuotaRow("Aula", 3, line=2),)
        with pytest.raises(CatalogueConflict) as refused:
            load_catalogue(CatalogueRows(both, smaller), by="tests", now=NOW)
        assert refused.value.problems[0].startswith("line 2: more is held and sold")
        alone = tuple(replace(row, quota="Aula" if row.type == "Reguler" else None) for row in both)
        load_catalogue(CatalogueRows(alone, smaller), by="tests", now=NOW)
        quota = db.session.scalars(sa.select(Quota)).one()
        assert (quota.amount, quota.held) == (3, 3)
    assert world.violations() == []
