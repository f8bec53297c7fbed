"""The mail catcher: a round trip over SMTP, its pages, its faults, AUTH and STARTTLS."""

from __future__ import annotations

import smtplib
import ssl
import time
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from sandbox.client import SandboxError, wait_until
from tests.sandbox.conftest import MailService

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200)


def ticket_mail(to: str = "sari@example.com", subject: str = "Tiket Anda – No. 1") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Panitia <tickets@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<order-1@example.com>"
    message.set_content("Terima kasih, Sári!\n")
    message.add_alternative('<p>Terima kasih</p><img src="cid:logo@example.com">', subtype="html")
    html = message.get_body(preferencelist=("html",))
    assert html is not None
    html.add_related(PICTURE, "image", "png", cid="<logo@example.com>")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="tiket Sári.pdf")
    return message


def send(mail: MailService, message: EmailMessage, **more: Any) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(mail.host, mail.port, timeout=60) as smtp:
        return smtp.send_message(message, **more)


def test_a_mail_comes_back_whole(mail: MailService) -> None:
    send(mail, ticket_mail())

    caught = mail.control.wait_for_mail("Sari@example.com", subject="Tiket")

    assert caught["to"] == ["sari@example.com"]
    assert caught["from"] == "tickets@example.com"
    assert caught["subject"] == "Tiket Anda – No. 1"
    assert caught["message_id"] == "<order-1@example.com>"
    assert caught["headers"]["From"] == "Panitia <tickets@example.com>"
    assert caught["text"] == "Terima kasih, Sári!\n"
    assert caught["html"].startswith("<p>Terima kasih</p>")
    kinds = [(each["content_type"], each["size"]) for each in caught["attachments"]]
    assert kinds == [("image/png", len(PICTURE)), ("application/pdf", len(PDF))]
    assert caught["attachments"][1]["filename"] == "tiket Sári.pdf"
    assert mail.control.attachment(caught, 1) == PDF


def test_mails_are_listed_newest_first_and_by_recipient(mail: MailService) -> None:
    for number, to in enumerate(["a@example.com", "b@example.com", "a@example.com"]):
        send(mail, ticket_mail(to, f"Mail {number}"))

    assert [each["subject"] for each in mail.control.mails()] == ["Mail 2", "Mail 1", "Mail 0"]
    assert [each["subject"] for each in mail.control.mails("a@example.com")] == ["Mail 2", "Mail 0"]
    mail.control.clear()
    assert mail.control.mails() == []


def test_waiting_for_a_mail_ends_with_a_reason(mail: MailService) -> None:
    with pytest.raises(SandboxError, match=r"a mail to nobody@.* did not come"):
        mail.control.wait_for_mail("nobody@example.com", timeout=0.1)


def test_the_pages_show_the_mail_its_html_and_its_files(mail: MailService) -> None:
    send(mail, ticket_mail(subject="<b>Tiket</b>"))
    caught = mail.control.mails()[0]
    base = mail.control.base_url

    index = requests.get(base, timeout=60).text
    page = requests.get(f"{base}/mails/{caught['id']}", timeout=60).text
    html = requests.get(f"{base}/mails/{caught['id']}/html", timeout=60)
    pdf = requests.get(base + caught["attachments"][1]["url"], timeout=60)

    assert "&lt;b&gt;Tiket" in index
    assert "<b>Tiket" not in index + page
    assert 'iframe sandbox="allow-popups"' in page
    assert "Terima kasih, Sári!" in page
    assert html.headers["Content-Security-Policy"].startswith("sandbox")
    assert caught["attachments"][0]["url"] in html.text, "inline pictures point at their files"
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.headers["Content-Disposition"].startswith("inline")
    assert "Content-Security-Policy" not in pdf.headers, "a sandbox would stop the PDF viewer"


@pytest.mark.parametrize("code", [550, 451])
def test_one_recipient_can_be_refused(code: int, mail: MailService) -> None:
    mail.control.set_fault("recipient_refused", code=code, recipient="bad@example.com")

    refused = send(mail, ticket_mail(), to_addrs=["bad@example.com", "good@example.com"])

    assert refused["bad@example.com"][0] == code
    assert mail.control.mails()[0]["to"] == ["good@example.com"]


def test_every_recipient_can_be_refused(mail: MailService) -> None:
    mail.control.set_fault("recipient_refused", times=1)

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mail, ticket_mail())

    assert send(mail, ticket_mail()) == {}


def test_the_data_can_be_refused(mail: MailService) -> None:
    mail.control.set_fault("data_refused")

    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(mail, ticket_mail())

    assert refusal.value.smtp_code == 554
    assert mail.control.mails() == []


@pytest.mark.parametrize(("stage", "kept"), [("ehlo", 0), ("data", 0), ("answer", 1)])
def test_the_connection_can_be_dropped(stage: str, kept: int, mail: MailService) -> None:
    mail.control.set_fault("connection_dropped", stage=stage, times=1)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        send(mail, ticket_mail())

    assert len(mail.control.mails()) == kept
    assert send(mail, ticket_mail()) == {}


def test_the_server_can_be_slow(mail: MailService) -> None:
    mail.control.set_fault("slow", seconds=0.4, times=1)
    began = time.monotonic()

    send(mail, ticket_mail())

    assert time.monotonic() - began >= 0.4


def test_the_server_can_be_down_and_come_back(mail: MailService) -> None:
    mail.control.set_fault("down")
    with pytest.raises(ConnectionRefusedError):
        send(mail, ticket_mail())

    mail.control.clear_faults()

    assert send(mail, ticket_mail()) == {}


def test_an_unknown_switch_is_refused_with_the_known_ones(mail: MailService) -> None:
    with pytest.raises(SandboxError, match="recipient_refused"):
        mail.control.set_fault("greylisted")


def secure(mail: MailService, smtp: smtplib.SMTP) -> None:
    smtp.starttls(context=ssl.create_default_context(cadata=mail.control.certificate()))


def test_tls_and_the_password_let_a_mail_through(guarded_mail: MailService) -> None:
    guarded_mail.control.clear()
    with smtplib.SMTP(guarded_mail.host, guarded_mail.port, timeout=60) as smtp:
        secure(guarded_mail, smtp)
        smtp.login("shop", "open sesame")
        smtp.send_message(ticket_mail("tls@example.com"))

    caught = guarded_mail.control.wait_for_mail("tls@example.com")
    assert guarded_mail.control.attachment(caught, 1) == PDF


def test_a_wrong_password_is_answered_535(guarded_mail: MailService) -> None:
    with smtplib.SMTP(guarded_mail.host, guarded_mail.port, timeout=60) as smtp:
        secure(guarded_mail, smtp)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            smtp.login("shop", "wrong")

    assert refusal.value.smtp_code == 535


def test_nothing_goes_without_tls_nor_without_password(guarded_mail: MailService) -> None:
    with smtplib.SMTP(guarded_mail.host, guarded_mail.port, timeout=60) as smtp:
        with pytest.raises(smtplib.SMTPResponseException):
            smtp.send_message(ticket_mail())
        secure(guarded_mail, smtp)
        with pytest.raises(smtplib.SMTPResponseException):
            smtp.send_message(ticket_mail())


def test_a_client_that_checks_certificates_refuses_an_untrusted_one(
    guarded_mail: MailService,
) -> None:
    with (
        smtplib.SMTP(guarded_mail.host, guarded_mail.port, timeout=60) as smtp,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        smtp.starttls(context=ssl.create_default_context())


def test_five_hundred_mails_are_kept(mail: MailService) -> None:
    message = EmailMessage()
    message["Subject"] = "one of many"
    with smtplib.SMTP(mail.host, mail.port, timeout=60) as smtp:
        for number in range(502):
            smtp.sendmail("a@example.com", [f"n{number}@example.com"], message.as_bytes())

    kept = wait_until(mail.control.mails, timeout=60, what="mails")

    assert len(kept) == 500
    assert kept[-1]["to"] == ["n2@example.com"]
