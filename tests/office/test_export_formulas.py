"""What strangers typed stays text in every export, whatever a spreadsheet would make of it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.extensions import db
from app.integrations.spreadsheet import Column, Kind, harmless, open_sheet
from app.models import ETicket, ExportKind
from tests.office.money_history import History

JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r=1", "'=1"),
        ("  =1", "'=1"),
        ("＝1+1", "'＝1+1"),
        ("Sari;=1+1", "Sari;'=1+1"),
        ('Sari",=1+1', "Sari\",'=1+1"),
        ("Anne-Marie", "Anne-Marie"),
        ("sari+teman@example.com", "sari+teman@example.com"),
        ("+62 812 3456 7890", "+62 812 3456 7890"),
        ("+62 812 =1", "'+62 812 =1"),
    ],
)
def test_what_a_spreadsheet_would_run_is_text(typed: str, written: str) -> None:
    assert harmless(typed) == written


@given(st.text(max_size=40))
def test_no_text_begins_a_formula_in_any_cell_it_may_be_split_into(text: str) -> None:
    line = harmless(text)
    assert not set("\t\r\n") & set(line)
    if all(letter in "+ 0123456789" for letter in line):
        return  # a telephone number: nothing it could call
    for separator in (",", ";"):
        for cell in line.split(separator):
            assert not cell.strip(" \"'").startswith(("=", "+", "-", "@")) or "'" in cell


def test_a_phone_number_stays_readable() -> None:
    assert harmless("+62 8123 4567 890") == "+62 8123 4567 890"


def test_a_spreadsheet_keeps_text_as_it_was_and_never_as_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    sheet = open_sheet(path, [Column("a"), Column("b", Kind.NUMBER)], zone=JAKARTA)
    for text in ("=1+1", "+6281234567890", "https://example.com", "007"):
        sheet.write((text, 1))
    sheet.close((None, 4))
    cells = [row[0] for row in openpyxl.load_workbook(path).active.iter_rows()][1:-1]
    assert [cell.value for cell in cells] == [
        "=1+1",
        "+6281234567890",
        "https://example.com",
        "007",
    ]
    assert {cell.data_type for cell in cells} == {"s"}


def test_a_full_sheet_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.integrations.spreadsheet.ROWS_PER_SHEET", 2)
    path = tmp_path / "x.xlsx"
    sheet = open_sheet(path, [Column("a", Kind.NUMBER)], zone=JAKARTA)
    for number in range(5):
        sheet.write((number,))
    sheet.close((10,))
    book = openpyxl.load_workbook(path)
    assert [[row[0].value for row in one.iter_rows()] for one in book] == [
        ["a", 0, 1],
        ["a", 2, 3],
        ["a", 4, 10],
    ]


def test_a_name_that_is_a_formula_comes_as_text_in_the_list_of_attendees(sqlite_app: Flask) -> None:
    history = History(sqlite_app)
    order_id = history.sell(history.shop.add_ticket(), 1)
    with history.shop.working():
        db.session.execute(
            sa.update(ETicket)
            .where(ETicket.order_id == order_id)
            .values(attendee='=HYPERLINK("http://example.com")')
        )
    assert "'=HYPERLINK" in history.export(ExportKind.ATTENDEES).decode()
