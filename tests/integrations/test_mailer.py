"""Mail over real SMTP: what arrives, and what each failure becomes."""

import logging
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from socket import create_server
from typing import Any

import flask_mail
import pytest
from flask import Flask

from app.integrations.mailer import (
    Attachment,
    Letter,
    MailDelayed,
    Mailer,
    MailRefused,
    StrictConnection,
)
from tests.harness.processes import free_port
from tests.integrations.conftest import MakesApps
from tests.integrations.smtp import (
    HOST,
    Mailbox,
    certificate,
    nobody_may_enter,
    serving,
)

PDF = Attachment("e-tickets-TX7K2M9QPA.pdf", "application/pdf", bytes(range(256)) * 300)
LETTER = Letter(
    to="sari@example.com",
    subject="2 e-tiket Anda untuk Panggung: Arus Balik – Jakarta 王",
    text="Halo Sari,\n\nterima kasih.\n.\nSampai jumpa – 王\n",
    html=f"<!doctype html><p>Halo Sari – 王 {'<b>x</b>' * 400}</p>",
    message_id="<TX7K2M9QPA.etickets@tiket.example.com>",
    locale="id",
    attachments=(PDF,),
    reply_to="halo@example.com",
)


def _app(bare_app: MakesApps, port: int, **config: Any) -> Flask:
    settings = {
        "MAIL_SERVER": HOST,
        "MAIL_PORT": port,
        "MAIL_DEFAULT_SENDER": ("Panggung 2027: Arus, Balik", "tiket@example.com"),
        "MAIL_TIMEOUT": 60,
    }
    return bare_app(**{**settings, **config})


def _send(app: Flask, letter: Letter = LETTER) -> None:
    with app.app_context():
        Mailer(flask_mail.Mail()).send(letter)


def _received(mailbox: Mailbox) -> EmailMessage:
    (envelope,) = mailbox.envelopes
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_arrives_as_it_was_written(bare_app: MakesApps) -> None:
    with serving(mailbox := Mailbox()) as port:
        _send(_app(bare_app, port))
    message = _received(mailbox)
    assert mailbox.envelopes[0].rcpt_tos == [message["To"]] == [LETTER.to]
    assert message["Subject"] == LETTER.subject
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert text.get_content().splitlines() == LETTER.text.splitlines()
    assert html is not None
    assert html.get_content().rstrip("\n") == LETTER.html


def test_an_attachment_arrives_byte_for_byte(bare_app: MakesApps) -> None:
    with serving(mailbox := Mailbox()) as port:
        _send(_app(bare_app, port))
    (file,) = _received(mailbox).iter_attachments()
    assert file.get_content() == PDF.data
    assert (file.get_filename(), file.get_content_type()) == (PDF.filename, PDF.content_type)


def test_headers_say_who_wrote_it_and_that_it_was_a_machine(bare_app: MakesApps) -> None:
    with serving(mailbox := Mailbox()) as port:
        _send(_app(bare_app, port))
    message = _received(mailbox)
    (sender,) = message["From"].addresses
    assert sender.display_name == "Panggung 2027: Arus, Balik"
    assert sender.addr_spec == mailbox.envelopes[0].mail_from == "tiket@example.com"
    assert message["Reply-To"] == "halo@example.com"
    assert message["Message-ID"] == LETTER.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "id"
    assert message["Date"]


def test_no_line_is_longer_than_a_server_may_cut(bare_app: MakesApps) -> None:
    with serving(mailbox := Mailbox()) as port:
        _send(_app(bare_app, port))
    content = mailbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ({"sari": "550 5.1.1 sari@example.com unknown"}, MailRefused, 550),
        ({"sari": "451 4.7.1 greylisted"}, MailDelayed, 451),
        ({"data": "554 5.7.1 spam"}, MailRefused, 554),
        ({"data": "452 4.3.1 disk full"}, MailDelayed, 452),
        ({"mail": "552 5.3.4 too big"}, MailRefused, 552),
        ({"mail": "550 5.7.1 not your address"}, MailDelayed, 550),
        ({"mail": "421 4.3.2 closing"}, MailDelayed, 421),
        ({"data": "hang up"}, MailDelayed, 0),
    ],
    ids=str,
)
def test_an_answer_decides_whether_trying_again_can_help(
    bare_app: MakesApps,
    answers: dict[str, str],
    kind: type[MailRefused | MailDelayed],
    code: int,
) -> None:
    with serving(Mailbox(**answers)) as port, pytest.raises(kind) as failure:
        _send(_app(bare_app, port))
    assert failure.value.code == code
    assert "sari" not in str(failure.value)


def test_a_partly_refused_mail_is_no_success(bare_app: MakesApps) -> None:
    with serving(Mailbox(budi="550 no such user")) as port:
        app = _app(bare_app, port)
        message = flask_mail.Message
        with app.app_context(), pytest.raises(SMTPRecipientsRefused) as failure:
            both = message("x", ["sari@example.com", "budi@example.com"], "x")
            with StrictConnection(app.extensions["mail"]) as connection:
                connection.send(both)
    assert list(failure.value.recipients) == ["budi@example.com"]


def test_a_server_that_hangs_up_after_taking_the_mail_has_taken_it(bare_app: MakesApps) -> None:
    with serving(mailbox := Mailbox(quit="hang up")) as port:
        _send(_app(bare_app, port))
    assert len(mailbox.envelopes) == 1


def test_a_server_that_never_answers_is_given_up(bare_app: MakesApps) -> None:
    with create_server((HOST, 0)) as black_hole:
        app = _app(bare_app, black_hole.getsockname()[1], MAIL_TIMEOUT=0.2)
        with pytest.raises(MailDelayed):
            _send(app)


@pytest.mark.parametrize("server", [HOST, "nowhere.invalid"])
def test_no_server_means_later(bare_app: MakesApps, server: str) -> None:
    with pytest.raises(MailDelayed):
        _send(_app(bare_app, free_port(), MAIL_SERVER=server))


@pytest.mark.parametrize("from_the_start", [False, True], ids=["STARTTLS", "TLS"])
def test_only_a_trusted_certificate_gets_mail(
    bare_app: MakesApps, tmp_path: Path, caplog: pytest.LogCaptureFixture, from_the_start: bool
) -> None:
    file, context = certificate(tmp_path)
    served = {"ssl_context" if from_the_start else "tls_context": context}
    config = {"MAIL_USE_SSL": from_the_start, "MAIL_USE_TLS": not from_the_start}
    mailbox = Mailbox()
    with serving(mailbox, **served) as port:
        with pytest.raises(MailDelayed):
            _send(_app(bare_app, port, **config))
        assert mailbox.envelopes == []
        assert "SSLCertVerificationError" in caplog.text
        _send(_app(bare_app, port, MAIL_CA_FILE=str(file), **config))
        assert len(mailbox.envelopes) == 1


def test_a_certificate_for_another_server_is_not_trusted(
    bare_app: MakesApps, tmp_path: Path
) -> None:
    file, context = certificate(tmp_path, "127.0.0.2")
    with (
        serving(mailbox := Mailbox(), tls_context=context) as port,
        pytest.raises(MailDelayed),
    ):
        _send(_app(bare_app, port, MAIL_USE_TLS=True, MAIL_CA_FILE=str(file)))
    assert mailbox.envelopes == []


@pytest.mark.parametrize(
    ("config", "served", "name"),
    [
        ({"MAIL_USE_TLS": True}, {}, "SMTPNotSupportedError"),
        (
            {"MAIL_USERNAME": "tiket", "MAIL_PASSWORD": "wrong"},
            {"authenticator": nobody_may_enter, "auth_require_tls": False},
            "SMTPAuthenticationError",
        ),
    ],
    ids=["no STARTTLS", "wrong password"],
)
def test_what_an_operator_must_mend_is_logged_loudly_and_tried_again(
    bare_app: MakesApps,
    caplog: pytest.LogCaptureFixture,
    config: dict[str, object],
    served: dict[str, object],
    name: str,
) -> None:
    with serving(mailbox := Mailbox(), **served) as port, pytest.raises(MailDelayed):
        _send(_app(bare_app, port, **config))
    assert mailbox.envelopes == []
    ours = [record for record in caplog.records if record.name.startswith("app.")]
    assert [(record.levelno, name in record.message) for record in ours] == [(logging.ERROR, True)]


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject="Tiket\r\nBcc: everyone@example.com"),
        replace(LETTER, subject="Tiket\r\n Bcc: everyone@example.com"),
        replace(LETTER, to="sari@example.com\nBcc: everyone@example.com"),
        replace(LETTER, reply_to="halo@example.com\r\nX: y"),
        replace(LETTER, message_id="<a@b>\r\nX: y"),
        replace(LETTER, attachments=(replace(PDF, filename="a\r\nX: y"),)),
        replace(LETTER, to="no address"),
        replace(LETTER, to=""),
        replace(LETTER, to="sári@example.com"),
    ],
    ids=lambda letter: repr(letter.to if letter.to != LETTER.to else letter.subject),
)
def test_a_letter_with_broken_headers_goes_nowhere(bare_app: MakesApps, letter: Letter) -> None:
    with serving(mailbox := Mailbox()) as port, pytest.raises(MailRefused) as failure:
        _send(_app(bare_app, port), letter)
    assert failure.value.code == 0
    assert mailbox.envelopes == []
