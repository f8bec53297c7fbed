"""The stand-in's settings, from the command line or the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sandbox.xendit.channels import ACTIVE_BY_DEFAULT, CHANNELS


@dataclass(frozen=True)
class Settings:
    """Hold what the stand-in was started with; `time_scale` shortens retry and refund waits."""

    host: str
    port: int
    secret_key: str
    callback_url: str
    refund_callback_url: str
    callback_token: str
    public_url: str
    time_scale: float
    rate_limit: int
    channels: tuple[str, ...]
    merchant_name: str
    user_id: str = "5f0c0ffee0ddba11ca5cade0"


def read_settings(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings; arguments win over the environment. Exits with 2 when one is wrong."""
    given = _parser(environ).parse_args(arguments)
    return Settings(**vars(given))


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.xendit", description="A local stand-in for Xendit invoices."
    )

    def option(flag: str, variable: str, default: str, text: str, kind: object = str) -> None:
        value = environ.get(variable, default)
        shown = f"{text} [{variable}, default: {default or 'none'}]".replace("%", "%%")
        parser.add_argument(flag, default=value, type=kind, help=shown)  # type: ignore[arg-type]

    option("--host", "STANDIN_HOST", "127.0.0.1", "address to listen on")
    option("--port", "STANDIN_PORT", "8100", "port to listen on, 0 for any free one", int)
    option("--secret-key", "XENDIT_SECRET_KEY", "xnd_development_local", "the API key", _test_key)
    option(
        "--callback-url",
        "STANDIN_CALLBACK_URL",
        "http://127.0.0.1:8000/api/payment-callback",
        "where invoice webhooks go",
    )
    option("--refund-callback-url", "STANDIN_REFUND_CALLBACK_URL", "", "where refund webhooks go")
    option("--callback-token", "XENDIT_CALLBACK_TOKEN", "local-callback-token", "x-callback-token")
    option("--time-scale", "STANDIN_TIME_SCALE", "1/900", "factor on retry waits", _scale)
    option("--public-url", "STANDIN_PUBLIC_URL", "", "what invoice_url starts with; else own URL")
    option("--rate-limit", "STANDIN_RATE_LIMIT", "60", "calls a minute per endpoint", int)
    option("--channels", "STANDIN_CHANNELS", ",".join(ACTIVE_BY_DEFAULT), "active", _channels)
    option("--merchant-name", "STANDIN_MERCHANT_NAME", "TEDx Lokal", "name on the hosted page")
    return parser


def _test_key(value: str) -> str:
    if not value.startswith("xnd_development_"):
        raise argparse.ArgumentTypeError("only a xnd_development_ key is accepted here")
    return value


def _scale(value: str) -> float:
    try:
        scale = float(Fraction(value))
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError("a number or a fraction such as 1/900") from None
    if scale <= 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return scale


def _channels(value: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in value.split(",") if code.strip())
    unknown = [code for code in codes if code not in CHANNELS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return codes


def from_process(arguments: Sequence[str] | None = None) -> Settings:
    """Read the settings of this process."""
    return read_settings(arguments, os.environ)
