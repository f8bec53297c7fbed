"""Tables as CSV or XLSX files, row by row: memory stays flat however many rows there are.

Text in them was typed by strangers. A spreadsheet takes some of it for formulas, and a formula may
fetch or send (OWASP: CSV Injection). XLSX has a type for text, so there it stays as it is. In CSV
there is none: what would begin a formula gets an apostrophe before it, the sign for text.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter

Cell = str | int | date | datetime | bool | None
Row = Sequence[Cell]

ROWS_PER_SHEET = 1_000_000  # a sheet of Excel ends at 1,048,576
# At the start of a cell, and of what becomes one where the separator is another than ours: Excel
# in Indonesian splits at semicolons. The wide forms count as the narrow ones in some languages.
FORMULA = re.compile(r"(^|[;,|\"'])(\s*)([=+\-@＝＋－＠])")
# No letter, no reference: nothing that could call anything. Spaces keep it from being a number.
PHONE = re.compile(r"\+\d{1,3}( \d{2,5})+")


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"  # whole
    MONEY = "money"  # whole rupiah
    DAY = "day"
    MOMENT = "moment"  # aware; written by the clock of the sheet's zone


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether the last line adds it up."""

    name: str
    kind: Kind = Kind.TEXT
    is_summed: bool = False


class Sheet(Protocol):
    """A table being written."""

    def write(self, row: Row) -> None:
        """Add a row, with a cell for each column."""

    def close(self, last: Row) -> None:
        """Add the last line and finish the file."""


def open_sheet(path: Path, columns: Sequence[Column], *, zone: tzinfo) -> Sheet:
    """Begin a table in a new file: XLSX by its suffix, else CSV."""
    if path.suffix == ".xlsx":
        return _Xlsx(path, columns, zone)
    return _Csv(path, columns, zone)


def harmless(text: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula.

    Telephone numbers stay readable: `+62 812 3456 7890` is no formula, and no number either.
    """
    line = " ".join(text.split())
    return line if PHONE.fullmatch(line) else FORMULA.sub(r"\1\2'\3", line)


class _Csv:
    """UTF-8 with a mark, by which Excel knows it; RFC 4180."""

    def __init__(self, path: Path, columns: Sequence[Column], zone: tzinfo) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._zone = zone
        self._writer.writerow([harmless(column.name) for column in columns])

    def write(self, row: Row) -> None:
        self._writer.writerow([self._say(cell) for cell in row])

    def close(self, last: Row) -> None:
        self.write(last)
        self._file.close()

    def _say(self, cell: Cell) -> str | int:
        if isinstance(cell, bool):
            return int(cell)
        if isinstance(cell, datetime):
            return f"{cell.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
        if isinstance(cell, date):
            return cell.isoformat()
        if isinstance(cell, int):
            return cell
        return harmless(cell or "")


FORMATS = {Kind.MONEY: "#,##0", Kind.DAY: "yyyy-mm-dd", Kind.MOMENT: "yyyy-mm-dd hh:mm:ss"}
WIDTHS = {Kind.TEXT: 22, Kind.NUMBER: 10, Kind.MONEY: 16, Kind.DAY: 12, Kind.MOMENT: 20}


class _Xlsx:
    """A workbook whose rows go to the disk as they come; a new sheet where one is full."""

    def __init__(self, path: Path, columns: Sequence[Column], zone: tzinfo) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": str(path.parent),
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._columns = columns
        self._zone = zone
        self._bold = self._book.add_format({"bold": True})
        self._formats = {
            kind: self._book.add_format({"num_format": pattern})
            for kind, pattern in FORMATS.items()
        }
        self._sheet: Any = None
        self._row = 0
        self._open_sheet()

    def write(self, row: Row) -> None:
        if self._row > ROWS_PER_SHEET:
            self._open_sheet()
        for index, (cell, column) in enumerate(zip(row, self._columns, strict=True)):
            self._put(index, cell, self._formats.get(column.kind))
        self._row += 1

    def close(self, last: Row) -> None:
        self.write(last)
        self._book.close()

    def _open_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for index, column in enumerate(self._columns):
            self._sheet.set_column(index, index, WIDTHS[column.kind])
        for index, column in enumerate(self._columns):
            self._sheet.write_string(0, index, column.name, self._bold)
        self._row = 1

    def _put(self, index: int, cell: Cell, shape: Any) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, datetime):
            self._sheet.write_datetime(
                self._row, index, cell.astimezone(self._zone).replace(tzinfo=None), shape
            )
        elif isinstance(cell, date):
            self._sheet.write_datetime(self._row, index, cell, shape)
        elif isinstance(cell, int):
            self._sheet.write_number(self._row, index, int(cell), shape)
        else:
            self._sheet.write_string(self._row, index, " ".join(cell.split()))
