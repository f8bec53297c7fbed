"""The mails caught so far."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

KEPT_MAILS = 500


@dataclass(frozen=True)
class Attachment:
    """A file of a mail, or an inline picture with its content id."""

    filename: str
    content_type: str
    content_id: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One delivery: envelope, message, when it came (aware UTC)."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    received_at: datetime

    @property
    def subject(self) -> str:
        """Return the decoded subject line."""
        return str(self.message.get("Subject", ""))

    @property
    def text(self) -> str | None:
        """Return the plain text, or None."""
        return self._body("plain")

    @property
    def html(self) -> str | None:
        """Return the HTML, or None."""
        return self._body("html")

    @property
    def attachments(self) -> list[Attachment]:
        """Return the files, inline pictures included, in the order of the message."""
        return [
            Attachment(
                part.get_filename() or "unnamed",
                part.get_content_type(),
                (part.get("Content-ID") or "").strip("<>"),
                part.get_payload(decode=True) or b"",  # type: ignore[arg-type]
            )
            for part in self.message.walk()
            if part.get_filename() or part.get("Content-ID")
        ]

    def as_json(self) -> dict[str, Any]:
        """Write it for the control API; `to` and `from` are the envelope's."""
        return {
            "id": self.id,
            "to": list(self.recipients),
            "from": self.sender,
            "subject": self.subject,
            "message_id": str(self.message.get("Message-ID", "")),
            "headers": {name: str(value) for name, value in reversed(self.message.items())},
            "text": self.text,
            "html": self.html,
            "attachments": [
                {
                    "filename": each.filename,
                    "content_type": each.content_type,
                    "size": len(each.content),
                    "url": f"/mails/{self.id}/attachments/{number}",
                }
                for number, each in enumerate(self.attachments)
            ],
            "received_at": self.received_at.isoformat(),
        }

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else None


class MailStore:
    """Keep the latest mails, so many; safe to use from any thread."""

    def __init__(self, keep: int = KEPT_MAILS) -> None:
        self._mails: deque[Mail] = deque(maxlen=keep)
        self._lock = threading.Lock()

    def add(self, sender: str, recipients: list[str], raw: bytes) -> Mail:
        """Keep a mail as it came off the wire."""
        message = message_from_bytes(raw, policy=policy.default)
        now = datetime.now(UTC)
        mail = Mail(uuid4().hex[:12], sender, tuple(recipients), message, raw, now)
        with self._lock:
            self._mails.append(mail)
        return mail

    def newest_first(self, to: str | None = None) -> list[Mail]:
        """Return all mails, or those to one address (compared without case)."""
        with self._lock:
            mails = list(reversed(self._mails))
        return [m for m in mails if to is None or to.lower() in map(str.lower, m.recipients)]

    def find(self, mail_id: str) -> Mail | None:
        """Return a mail or None."""
        return next((mail for mail in self.newest_first() if mail.id == mail_id), None)

    def clear(self) -> None:
        """Forget all mails."""
        with self._lock:
            self._mails.clear()
