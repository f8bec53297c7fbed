"""The mail catcher's settings, from the command line or the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.mailbox.store import KEPT_MAILS


@dataclass(frozen=True)
class Settings:
    """Hold what the mail catcher was started with; `starttls` is off, offered or required."""

    host: str
    smtp_port: int
    http_port: int
    username: str
    password: str
    starttls: str
    keep: int = KEPT_MAILS


def from_process(
    arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings; arguments win over the environment. Exits with 2 when one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.mailbox", description="Catches mail instead of sending it."
    )

    def option(flag: str, variable: str, default: str, text: str, **more: object) -> None:
        shown = f"{text} [{variable}, default: {default or 'none'}]"
        value = environ.get(variable, default)
        parser.add_argument(flag, default=value, help=shown, **more)  # type: ignore[arg-type]

    option("--host", "MAILBOX_HOST", "127.0.0.1", "address to listen on")
    option("--smtp-port", "MAILBOX_SMTP_PORT", "2525", "SMTP port, 0: any free one", type=int)
    option("--http-port", "MAILBOX_HTTP_PORT", "8125", "page's port, 0: any free one", type=int)
    option("--keep", "MAILBOX_KEEP", str(KEPT_MAILS), "mails to keep, the newest", type=int)
    option("--username", "MAILBOX_USERNAME", "", "ask for AUTH with this name")
    option("--password", "MAILBOX_PASSWORD", "", "and this password")
    option("--starttls", "MAILBOX_STARTTLS", "off", "off, offered or required")
    given = parser.parse_args(arguments)
    if given.starttls not in ("off", "offered", "required"):
        parser.error("--starttls must be off, offered or required")
    return Settings(**vars(given))
