"""The SMTP side: takes mails in, or refuses them as the switches say."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.mailbox.settings import Settings
from sandbox.mailbox.store import MailStore
from sandbox.switches import Switchboard


class Handler:
    """Answer the SMTP commands that aiosmtpd hands over (its names, hence the upper case)."""

    def __init__(self, store: MailStore, faults: Switchboard) -> None:
        self._store, self._faults = store, faults

    async def handle_EHLO(
        self, server: SMTP, session: Session, _envelope: Envelope, host: str, answers: list[str]
    ) -> list[str]:
        """Greet."""
        session.host_name = host
        await self._hinder(server, "ehlo")
        return answers

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient, or refuse it for good (5xx) or for now (4xx)."""
        refused = self._faults.take("recipient_refused", recipient=address)
        if refused:
            return f"{refused['code']} Recipient refused"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the mail."""
        if await self._hinder(server, "data"):
            return "421 Connection dropped"
        refused = self._faults.take("data_refused")
        if refused:
            return f"{refused['code']} Message refused"
        content = envelope.original_content or b""
        mail = self._store.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        await self._hinder(server, "answer")
        return f"250 Caught as {mail.id}"

    async def _hinder(self, server: SMTP, stage: str) -> bool:
        """Wait or drop the connection where switched on; tell whether it was dropped."""
        slow = self._faults.take("slow", stage=stage)
        if slow:
            await asyncio.sleep(slow["seconds"])
        dropped = self._faults.take("connection_dropped", stage=stage)
        if dropped and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return dropped is not None


class _AnyPortController(Controller):
    """Let port 0 mean any free port, which aiosmtpd's own check at start cannot reach."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class MailServer:
    """Run the SMTP server in its own thread; it can be stopped and started again."""

    def __init__(
        self,
        settings: Settings,
        store: MailStore,
        faults: Switchboard,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._settings, self._tls = settings, tls
        self._handler = Handler(store, faults)
        self._controller: Controller | None = None
        self.port = settings.smtp_port

    def start(self) -> None:
        """Listen, on the same port as before; does nothing when it listens already."""
        if self._controller is not None:
            return
        controller = _AnyPortController(
            self._handler, hostname=self._settings.host, port=self.port, **self._options()
        )
        controller.start()
        self._controller = controller
        # With port 0 the system chose one; keep it for the next start.
        self.port = controller.port

    def stop(self) -> None:
        """Close the port: connections are refused until start()."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"ident": "local mail catcher", "enable_SMTPUTF8": True}
        if self._tls:
            required = self._settings.starttls == "required"
            options |= {"tls_context": self._tls, "require_starttls": required}
        if self._settings.username:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": self._tls is not None,
            }
        return options

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        ok = isinstance(data, LoginPassword) and (
            hmac.compare_digest(data.login, self._settings.username.encode())
            and hmac.compare_digest(data.password, self._settings.password.encode())
        )
        # With handled=True aiosmtpd would send no answer on failure and the client would hang.
        return AuthResult(success=ok, handled=False)
