"""Mail over SMTP by Flask-Mail, with time-outs, checked certificates and two kinds of failure."""

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.charset import QP, Charset
from email.errors import MessageError
from email.mime.text import MIMEText
from email.utils import formataddr, parseaddr
from functools import cache
from types import TracebackType
from typing import Any

import flask_mail
from flask import current_app

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
MESSAGE_TOO_BIG = 552  # RFC 1870: the one refusal of MAIL FROM that is about the letter


class _MailFailure(Exception):
    """`code` is the SMTP reply, or 0 where there was none.

    `reason` is the server's sentence or the error's; it may repeat the address, and so is kept
    out of the text of the exception.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"SMTP {code}" if code else "no SMTP reply")
        self.code = code
        self.reason = reason


class MailRefused(_MailFailure):
    """The letter will never be taken as it is: do not try again."""


class MailDelayed(_MailFailure):
    """The letter was not taken now: try again later."""

    @property
    def may_have_arrived(self) -> bool:
        """Tell whether the line broke while an answer was awaited: the letter may be taken."""
        return isinstance(self.__cause__, smtplib.SMTPServerDisconnected)


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

    Beyond Flask-Mail's keys it reads `MAIL_TIMEOUT` (seconds, default 20) and `MAIL_CA_FILE` (a
    PEM file to trust instead of the system's authorities).
    """

    def __init__(self, mail: flask_mail.Mail) -> None:
        self._mail = mail

    def send(self, letter: Letter) -> None:
        """Send a letter; returns once the server has taken responsibility for it.

        Needs an application context. Raises `MailRefused` or `MailDelayed`.
        """
        with _failures_sorted():
            message = _message(letter)
            with StrictConnection(self._mail.connect().mail) as connection:
                connection.send(message)

    def as_file(self, letter: Letter) -> bytes:
        """Return a letter as it would be sent (RFC 5322), to be kept as an `.eml` file.

        Needs an application context. Raises `MailRefused`.
        """
        with _failures_sorted():
            return bytes(_message(letter).as_bytes())


class StrictConnection(flask_mail.Connection):
    """Flask-Mail's connection, which alone would wait for ever and trust any certificate.

    It also raises `SMTPRecipientsRefused` where only some of the recipients were taken.
    """

    def configure_host(self) -> smtplib.SMTP:
        """Connect; encrypt and log in where configured so."""
        timeout = float(current_app.config.get("MAIL_TIMEOUT") or TIMEOUT_SECONDS)
        server, port = self.mail.server, self.mail.port or 0
        host: smtplib.SMTP
        if self.mail.use_ssl:
            host = _StrictSMTPOverTLS(server, port, timeout=timeout, context=_tls())
        else:
            host = _StrictSMTP(server, port, timeout=timeout)
        try:
            if self.mail.use_tls:
                host.starttls(context=_tls())
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
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


class _StrictSMTP(smtplib.SMTP):
    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        """Send as smtplib does, but raise where any recipient was refused."""
        refused = super().sendmail(*args, **kwargs)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)
        return refused


class _StrictSMTPOverTLS(_StrictSMTP, smtplib.SMTP_SSL):
    """The same from the first byte encrypted (port 465)."""


class _Message(flask_mail.Message):
    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        # Flask-Mail would send long lines of HTML as they are; a server may cut them at 998
        # bytes (RFC 5322 2.1.1).
        charset = Charset("utf-8")
        charset.body_encoding = QP
        return MIMEText(text or "", subtype, charset)  # type: ignore[arg-type]  # a Charset works


def _tls() -> ssl.SSLContext:
    return _trusting(current_app.config.get("MAIL_CA_FILE"))


@cache  # reading the authorities takes 20 ms, two thirds of what an e-ticket does
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _message(letter: Letter) -> flask_mail.Message:
    headers = [letter.to, letter.subject, letter.message_id, letter.locale, letter.reply_to or ""]
    headers += [text for file in letter.attachments for text in (file.filename, file.content_type)]
    if any(not text.isprintable() for text in headers) or "@" not in parseaddr(letter.to)[1]:
        raise flask_mail.BadHeaderError("a header holds a line break, or no address")
    message = _Message(
        sender=_sender(),
        subject=letter.subject,
        recipients=[letter.to],
        body=letter.text,
        html=letter.html,
        reply_to=letter.reply_to,
        attachments=[
            flask_mail.Attachment(file.filename, file.content_type, file.data)
            for file in letter.attachments
        ],
        # RFC 3834: keeps holiday notices from answering.
        extra_headers={"Auto-Submitted": "auto-generated", "Content-Language": letter.locale},
    )
    message.msgId = letter.message_id
    return message


def _sender() -> str:
    # Flask-Mail would put a name and its address together unquoted: "Event: part two <a@b>".
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    return formataddr(sender) if isinstance(sender, tuple) else str(sender)


@contextmanager
def _failures_sorted() -> Iterator[None]:
    """Turn every failure of SMTP, socket or header into `MailRefused` or `MailDelayed`."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = max(error.recipients.values(), key=lambda answer: answer[0])
        raise _by_code(code, reply) from error
    except smtplib.SMTPDataError as error:
        raise _by_code(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code == MESSAGE_TOO_BIG:
            raise _by_code(error.smtp_code, error.smtp_error) from error
        raise _for_the_operator(error, error.smtp_code) from error
    except smtplib.SMTPResponseException as error:  # greeting, HELO, AUTH, STARTTLS
        raise _for_the_operator(error, error.smtp_code) from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise _for_the_operator(error, 0) from error
    except OSError as error:  # every other SMTPException is one, too
        raise MailDelayed(0, str(error)) from error
    except (flask_mail.BadHeaderError, MessageError, ValueError) as error:
        raise MailRefused(0, str(error)) from error


def _by_code(code: int, reply: bytes | str) -> _MailFailure:
    reason = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    # RFC 5321 4.2.1: 5yz is permanent; anything else may be different next time.
    return MailRefused(code, reason) if code >= 500 else MailDelayed(code, reason)


def _for_the_operator(error: Exception, code: int) -> MailDelayed:
    """Say loudly what no retry mends but a person can: password, certificate, sender, STARTTLS."""
    log.error("the mail server turns us away: %s", type(error).__name__, extra={"smtp_code": code})
    return MailDelayed(code, str(error))
