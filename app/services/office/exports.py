"""Exports: somebody asks, a job makes the file, it can be had for a day and is erased then.

The finished file lies in the database, in pieces: whoever sends it may be another machine than the
worker that made it, and a file with names in it is left lying nowhere.
"""

import secrets
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.integrations.spreadsheet import Column, Kind, Row, Sheet, open_sheet
from app.models import (
    Export,
    ExportFormat,
    ExportKind,
    ExportPart,
    ExportStatus,
    Job,
    JobStatus,
)
from app.services.office.export_reading import Period
from app.services.office.export_tables import TABLES
from app.services.running import audit, jobs
from app.services.running.audit import Actor, Subject
from app.services.running.transaction import affected, insert, reading, transaction, use_case

MAKE = "make_export"
ERASE = "erase_export"
KEPT = timedelta(days=1)
MOST_UNFINISHED = 5
PART = 1 << 20  # bytes; below what one row may hold, and what one statement may carry
LISTED = 20


class TooManyExports(Exception):
    """Enough of them are being made already."""


class Overtaken(Exception):
    """Another worker makes this file, or nobody wants it any more."""


@use_case
def ask(
    kind: ExportKind,
    file_format: ExportFormat,
    since: date,
    until: date,
    *,
    locale: str,
    by: Actor,
    now: datetime,
) -> str:
    """Have a file made, and return the code of its page. Raises TooManyExports."""
    with transaction() as session:
        moving = Export.status.in_((ExportStatus.WAITING, ExportStatus.WORKING))
        unfinished = sa.select(sa.func.count(Export.id)).where(moving, Export.expires_at > now)
        if (session.scalar(unfinished) or 0) >= MOST_UNFINISHED:
            raise TooManyExports
        export = Export(
            code=secrets.token_urlsafe(16),
            kind=kind,
            format=file_format,
            since=since,
            until=until,
            locale=locale,
            status=ExportStatus.WAITING,
            asked_by=by.name[:254],
            created_at=now,
            expires_at=now + KEPT,
        )
        session.add(export)
        session.flush()
        _record(session, export, "export.asked", by, now)
        payload = {"export_id": export.id}
        jobs.enqueue(session, MAKE, payload, now=now, due_at=now)
        jobs.enqueue(session, ERASE, payload, now=now, due_at=export.expires_at)
        return export.code


def list_exports(*, now: datetime, is_admin: bool) -> list[Export]:
    """Return the files that can be had or are being made, the newest first."""
    query = sa.select(Export).where(Export.expires_at > now).order_by(Export.id.desc())
    if not is_admin:
        query = query.where(Export.kind != ExportKind.ATTENDEES)
    with reading() as session:
        found = list(session.scalars(query.limit(LISTED)))
        session.expunge_all()
        return found


def get_export(code: str, *, is_admin: bool) -> Export:
    """Return an export, erased or not. Raises NotFound; so too where it is not for this person."""
    with reading() as session:
        export = session.scalar(sa.select(Export).where(Export.code == code))
        session.expunge_all()
    if export is None or (export.kind.is_personal and not is_admin):
        raise NotFound
    return export


@use_case
def open_file(code: str, *, is_admin: bool, by: Actor, now: datetime) -> Export:
    """Return an export whose file may be sent now, and note who takes it. Raises NotFound."""
    export = get_export(code, is_admin=is_admin)
    if export.status is not ExportStatus.READY or export.expires_at <= now:
        raise NotFound
    with transaction() as session:
        _record(session, export, "export.taken", by, now)
    return export


def read_file(export_id: int) -> Iterator[bytes]:
    """Yield the file piece by piece."""
    number = 0
    while True:
        wanted = (ExportPart.export_id == export_id, ExportPart.number == number)
        with reading() as session:
            data = session.scalar(sa.select(ExportPart.data).where(*wanted))
        if data is None:
            return
        yield zlib.decompress(data)
        number += 1


def make(export_id: int, *, clock: Callable[[], datetime], zone: tzinfo) -> None:
    """Make the file and keep it. A repeat begins anew; of two who try, one goes on."""
    run = secrets.token_urlsafe(16)
    export = _begin(export_id, run, clock())
    if export is None:
        return
    with tempfile.TemporaryDirectory() as folder, force_locale(export.locale):
        path = Path(folder) / f"export.{export.format.value}"
        try:
            total = _write(export, run, path, clock, zone)
            size = _keep(export.id, run, path)
            _finish(export.id, run, total, size, clock())
        except Overtaken:
            return


@use_case
def erase(export_id: int) -> None:
    """Forget the file; that it was asked for stays."""
    with transaction() as session:
        mine = sa.update(Export).where(Export.id == export_id)
        affected(session, mine.values(status=ExportStatus.ERASED, run=None))
        affected(session, sa.delete(ExportPart).where(ExportPart.export_id == export_id))


@use_case
def _begin(export_id: int, run: str, now: datetime) -> Export | None:
    """Take an export over: pieces of an earlier try go. None when there is nothing to make."""
    with transaction() as session:
        mine = sa.update(Export).where(
            Export.id == export_id,
            Export.status.in_((ExportStatus.WAITING, ExportStatus.WORKING)),
            Export.expires_at > now,
        )
        taken = mine.values(status=ExportStatus.WORKING, run=run, rows_done=0)
        if affected(session, taken) == 0:
            return None
        affected(session, sa.delete(ExportPart).where(ExportPart.export_id == export_id))
        export = session.get_one(Export, export_id, populate_existing=True)
        session.expunge(export)
        return export


def _write(
    export: Export, run: str, path: Path, clock: Callable[[], datetime], zone: tzinfo
) -> int | None:
    """Write the whole table and return the sum that stands in its last line."""
    table = TABLES[export.kind]
    columns = table.columns()
    period = Period(export.since, export.until, zone)
    _tell(export.id, run, clock(), rows_expected=table.count(period))
    sheet = open_sheet(path, columns, zone=zone)
    sums, done = [0] * len(columns), 0
    for batch in table.batches(period):
        _write_batch(sheet, batch, columns, sums)
        done += len(batch)
        _tell(export.id, run, clock(), rows_done=done)
    sheet.close(_last_line(columns, sums, done))
    return _total(columns, sums)


def _write_batch(sheet: Sheet, batch: list[Row], columns: list[Column], sums: list[int]) -> None:
    for row in batch:
        sheet.write(row)
        for index, column in enumerate(columns):
            cell = row[index]
            if column.is_summed and isinstance(cell, int):
                sums[index] += cell


def _last_line(columns: list[Column], sums: list[int], rows: int) -> Row:
    """Return the line that adds up; its first cell says so, and how many rows there are."""
    words = _("Total of %(num)d rows", num=rows)
    cells = [
        total if column.is_summed else None for column, total in zip(columns, sums, strict=True)
    ]
    return [words, *cells[1:]]


def _total(columns: list[Column], sums: list[int]) -> int | None:
    """Return the first sum of money, the one the page shows; None where there is none."""
    money = [
        total
        for column, total in zip(columns, sums, strict=True)
        if column.is_summed and column.kind is Kind.MONEY
    ]
    return money[0] if money else None


@use_case
def _tell(export_id: int, run: str, now: datetime, **progress: int) -> None:
    """Say how far it is, and keep the job's lease. Raises Overtaken."""
    with transaction() as session:
        _own(session, export_id, run, **progress)
        _renew(session, export_id, now)


def _own(session: Session, export_id: int, run: str, **values: object) -> None:
    """Change the export, if it is still this run's. Raises Overtaken."""
    mine = sa.update(Export).where(Export.id == export_id, Export.run == run)
    if affected(session, mine.values(run=run, **values)) == 0:
        raise Overtaken


def _renew(session: Session, export_id: int, now: datetime) -> None:
    """Move the end of the lease on: a million rows take longer than one."""
    at_work = sa.select(Job.id, Job.payload).where(
        Job.kind == MAKE, Job.status == JobStatus.OPEN, Job.due_at > now
    )
    for job_id, payload in session.execute(at_work):
        if payload["export_id"] == export_id:
            job = sa.update(Job).where(Job.id == job_id, Job.status == JobStatus.OPEN)
            affected(session, job.values(due_at=now + jobs.LEASE))


def _keep(export_id: int, run: str, path: Path) -> int:
    """Put the file into the database, a piece a transaction; return its size in bytes."""
    with path.open("rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PART), b"")):
            _keep_part(export_id, run, number, zlib.compress(piece))
    return path.stat().st_size


@use_case
def _keep_part(export_id: int, run: str, number: int, data: bytes) -> None:
    with transaction() as session:
        _own(session, export_id, run)
        insert(session, ExportPart, export_id=export_id, number=number, data=data)


@use_case
def _finish(export_id: int, run: str, total: int | None, size: int, now: datetime) -> None:
    with transaction() as session:
        done = {"status": ExportStatus.READY, "total": total, "size": size, "finished_at": now}
        _own(session, export_id, run, **done)


def _record(session: Session, export: Export, action: str, by: Actor, now: datetime) -> None:
    said = {"kind": export.kind, "format": export.format}
    audit.record(
        session,
        actor=by,
        action=action,
        subject=Subject("export", str(export.id)),
        after=said | {"since": export.since, "until": export.until},
        now=now,
    )
