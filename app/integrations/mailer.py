"""Mail over SMTP by Flask-Mail, with time-outs, checked certificates and only two kinds of failure."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.charset import QP, Charset
from email.errors import MessageError
from email.mime.text import MIMEText
from types import TracebackType
from typing import Any

import flask_mail
from flask import current_app

TIMEOUT_SECONDS = 20.0
# RFC 3463: what these say about an address or a message does not change by waiting.
REFUSED = range(500, 600)


class MailRefused(Exception):
    """The letter will never be taken as it is: do not try again.

    `code` is the SMTP reply, 0 where the letter was refused before one; `reason` is the server's
    sentence, which may repeat the address and so is not part of the text of this exception.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"mail refused, SMTP {code}" if code else "mail refused, malformed")
        self.code = code
        self.reason = reason


class MailDelayed(Exception):
    """The letter was not taken now: try again later. `code` and `reason` as in `MailRefused`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"mail delayed, SMTP {code}" if code else "mail delayed, no answer")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Attachment:
    """A file that travels with a letter."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Letter:
    """One mail to one person, in text and HTML.

    `message_id` is "<…@…>" and the same at every try, so that a mailbox can drop the second copy
    of a letter whose acknowledgement was lost.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    locale: str
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None


class Mailer:
    """Hands letters to the SMTP server of the application's configuration.

    Beyond Flask-Mail's own keys it reads `MAIL_TIMEOUT` (seconds, default 20) and `MAIL_CA_FILE`
    (a PEM file to trust instead of the system's authorities).
    """

    def __init__(self, mail: flask_mail.Mail) -> None:
        self._mail = mail

    def send(self, letter: Letter) -> None:
        """Send a letter; returns once the server has taken responsibility for it.

        Needs an application context. Raises `MailRefused` or `MailDelayed`, nothing else.
        """
        with _failures_named(), _Connection(self._mail.connect().mail) as connection:
            connection.send(_message(letter))


class _Connection(flask_mail.Connection):
    """Flask-Mail's connection, which would wait for ever and trust any certificate."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt with a checked certificate where set so, and log in where set so."""
        host = self._connect()
        try:
            if self.mail.use_tls:
                host.starttls(context=_tls())
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def _connect(self) -> smtplib.SMTP:
        timeout = float(current_app.config.get("MAIL_TIMEOUT") or TIMEOUT_SECONDS)
        host: smtplib.SMTP = (
            _StrictSMTPOverTLS(timeout=timeout, context=_tls())
            if self.mail.use_ssl
            else _StrictSMTP(timeout=timeout)
        )
        # Named again for the certificate's check: smtplib forgets it outside its constructor.
        host._host = self.mail.server  # type: ignore[attr-defined]
        host.connect(self.mail.server, self.mail.port or 0)
        return host

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Say goodbye; a server that hangs up first has still taken what it acknowledged."""
        if self.host is None:
            return
        try:
            self.host.quit()
        except (smtplib.SMTPException, OSError):
            self.host.close()


class _AllRecipients(smtplib.SMTP):
    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        """Send as smtplib does, but raise where only some of the recipients were taken."""
        refused = super().sendmail(*args, **kwargs)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)
        return refused


class _StrictSMTP(_AllRecipients):
    pass


class _StrictSMTPOverTLS(_AllRecipients, smtplib.SMTP_SSL):
    pass
