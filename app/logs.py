"""Logging: JSON lines with the request id, on standard output and in daily files."""

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TextIO

from app.tracing import current_request_id

KEEP_FILES = timedelta(days=30)
_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request_id"}

log = logging.getLogger("app")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a caller passes as `extra` becomes its own member."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "requestId": current_request_id(),
        }
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        extra = {k: v for k, v in record.__dict__.items() if k not in _STANDARD and k not in line}
        text = json.dumps(line | extra, ensure_ascii=False, default=str)
        # Half a surrogate pair, which JSON may carry and UTF-8 may not, becomes its JSON escape.
        return text.encode("utf-8", "backslashreplace").decode()


class DailyFileHandler(logging.Handler):
    """Appends to `<directory>/app-<UTC date>.log`.

    The date is part of the name, so nothing is ever renamed: each process moves on to the new
    day's file by itself, and lines written by several at once (O_APPEND, one write a line) do not
    mix. Files older than KEEP_FILES are removed.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._day = ""
        self._file: TextIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
            day = datetime.fromtimestamp(record.created, UTC).date().isoformat()
            if day != self._day or self._file is None:
                self._turn_to(day)
            if self._file is not None:
                self._file.write(line + "\n")
                self._file.flush()
        except Exception:  # noqa: BLE001 (logging must never break the work it reports)
            self.handleError(record)

    def _turn_to(self, day: str) -> None:
        if self._file is not None:
            self._file.close()
        path = self._directory / f"app-{day}.log"
        self._file = path.open("a", encoding="utf-8", buffering=1024 * 1024)
        self._day = day
        oldest = (datetime.fromisoformat(day) - KEEP_FILES).date().isoformat()
        for old in self._directory.glob("app-*.log"):
            if old.stem.removeprefix("app-") < oldest:
                old.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def configure_logging(level: str, directory: Path | None) -> None:
    """Send all logging of this process to JSON lines, and everything nobody caught with it."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if directory is not None:
        handlers.append(DailyFileHandler(directory))
    for handler in handlers:
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=handlers, force=True)
    for chatty in ("weasyprint", "fontTools", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("nobody handled this", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
