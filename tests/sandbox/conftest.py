"""Both doubles as real processes on free ports, emptied before every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.client import Mailbox, StandIn
from tests.sandbox.merchant import KEY, Merchant
from tests.sandbox.processes import running
from tests.sandbox.receiver import Receiver, receiving


@dataclass(frozen=True)
class MailService:
    """A mail catcher: its control client and where it takes mail."""

    control: Mailbox
    host: str
    port: int


@pytest.fixture(scope="session")
def webhook_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stand_in_process(
    webhook_receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StandIn]:
    arguments = [
        *("--port", "0", "--secret-key", KEY, "--time-scale", "1/36000"),
        *("--callback-url", webhook_receiver.url),
        *("--refund-callback-url", webhook_receiver.url),
        *("--callback-token", "local-callback-token"),
    ]
    output = tmp_path_factory.mktemp("stand-in") / "output.log"
    with running("sandbox.xendit", *arguments, output=output) as process:
        client = StandIn(process.first_line.rsplit(" ", 1)[1])
        yield client
        client.close()


@pytest.fixture
def receiver(webhook_receiver: Receiver) -> Receiver:
    webhook_receiver.reset()
    return webhook_receiver


@pytest.fixture
def stand_in(stand_in_process: StandIn, receiver: Receiver) -> Iterator[StandIn]:
    stand_in_process.reset()
    receiver.reset()
    yield stand_in_process
    stand_in_process.reset()


@pytest.fixture
def merchant(stand_in: StandIn) -> Merchant:
    return Merchant(stand_in.base_url)


@pytest.fixture(scope="session")
def open_mail_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailService]:
    output = tmp_path_factory.mktemp("mailbox") / "output.log"
    with running(
        "sandbox.mailbox", "--smtp-port", "0", "--http-port", "0", output=output
    ) as process:
        service = mail_service(process.first_line)
        yield service
        service.control.close()


@pytest.fixture
def mail(open_mail_process: MailService) -> MailService:
    open_mail_process.control.clear_faults()
    open_mail_process.control.clear()
    return open_mail_process


@pytest.fixture(scope="session")
def guarded_mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailService]:
    output = tmp_path_factory.mktemp("guarded-mailbox") / "output.log"
    arguments = [
        *("--smtp-port", "0", "--http-port", "0", "--starttls", "required"),
        *("--username", "shop", "--password", "open sesame"),
    ]
    with running("sandbox.mailbox", *arguments, output=output) as process:
        service = mail_service(process.first_line)
        yield service
        service.control.close()


def mail_service(ready_line: str) -> MailService:
    """Read both addresses from `Mail catcher ready at URL, SMTP on HOST:PORT`."""
    page, smtp = ready_line.removeprefix("Mail catcher ready at ").split(", SMTP on ")
    host, port = smtp.split(":")
    return MailService(Mailbox(page), host, int(port))
