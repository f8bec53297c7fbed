"""Settings: read once from the environment, every problem reported together."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

T = TypeVar("T")
_NOTHING: Any = None  # stands in for a value that is missing; never leaves this module

XENDIT_LIVE_URL = "https://api.xendit.co"
XENDIT_CHECKOUT_ORIGINS = ("https://checkout.xendit.co", "https://checkout-staging.xendit.co")
DEFAULT_DATABASE = "sqlite:///" + str(Path(__file__).parent.parent / "instance" / "tickets.db")


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Event:
    """What buyers are told about the event; `starts_at` is aware."""

    name: str
    starts_at: datetime
    venue: str
    timezone: ZoneInfo
    contact_email: str


@dataclass(frozen=True)
class MailSettings:
    """How to reach the SMTP server (Flask-Mail's names without their prefix)."""

    server: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    use_ssl: bool
    default_sender: str


@dataclass(frozen=True)
class Settings:
    """Everything the service needs to know; durations in seconds unless named otherwise."""

    database_url: str
    secret_key: str
    public_url: str
    xendit_secret_key: str
    xendit_callback_token: str
    xendit_api_url: str
    mail: MailSettings
    event: Event
    order_hold: timedelta
    payment_poll: timedelta
    api_key_required: bool
    rate_limit_enabled: bool
    redis_url: str | None
    metrics_token: str | None
    trusted_proxies: int
    log_level: str
    log_dir: Path | None

    @property
    def checkout_origins(self) -> tuple[str, ...]:
        """Return the origins of Xendit's hosted pages, for the form-action of the CSP."""
        if self.xendit_api_url == XENDIT_LIVE_URL:
            return XENDIT_CHECKOUT_ORIGINS
        parts = urlsplit(self.xendit_api_url)
        return (f"{parts.scheme}://{parts.netloc}",)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read all settings from `environ`. Raises SettingsError naming every problem at once."""
        reader = _Reader(environ)
        settings = _read(reader)
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


class _Reader:
    """Reads variables one by one and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, holds: str, default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None:
            self.problems.append(f"{name} is missing: it should hold {holds}")
        return value or ""

    def parsed(self, name: str, holds: str, parse: Callable[[str], T], default: str | None) -> T:
        """Return the parsed value; a problem is noted and a placeholder returned otherwise."""
        value = self.text(name, holds, default)
        try:
            return parse(value)
        except (ValueError, ZoneInfoNotFoundError):
            if value:
                self.problems.append(f"{name} is {value!r}: it should hold {holds}")
            return parse(default) if default is not None else _NOTHING

    def number(self, name: str, holds: str, default: int, least: int = 0) -> int:
        def parse(value: str) -> int:
            number = int(value)
            if number < least:
                raise ValueError(value)
            return number

        return self.parsed(name, holds, parse, str(default))

    def flag(self, name: str, default: bool) -> bool:
        return self.parsed(name, "true or false", _parse_flag, str(default).lower())


def _parse_flag(value: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in words:
        raise ValueError(value)
    return words[value.lower()]


def _parse_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(value)
    return value.rstrip("/")


def _parse_email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError(value)
    return value


def _parse_moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


def _read(reader: _Reader) -> Settings:
    database_url = reader.text("DATABASE_URL", "a database URL", DEFAULT_DATABASE)
    if not database_url.startswith(("sqlite:", "mysql+pymysql:")):
        reader.problems.append(
            "DATABASE_URL should start with sqlite:/// or mysql+pymysql:// "
            "(its value is not shown: it may hold a password)"
        )
    return Settings(
        database_url=database_url,
        secret_key=_secret(reader, "SECRET_KEY", "at least 32 random characters", least=32),
        public_url=reader.parsed(
            "PUBLIC_URL",
            "the address buyers type, such as https://tickets.example",
            _parse_url,
            None,
        ),
        **_read_xendit(reader),
        mail=_read_mail(reader),
        event=_read_event(reader),
        order_hold=timedelta(
            seconds=reader.number("ORDER_HOLD_SECONDS", "seconds, at least 60", 1800, least=60)
        ),
        payment_poll=timedelta(
            seconds=reader.number("PAYMENT_POLL_SECONDS", "seconds, at least 1", 60, least=1)
        ),
        api_key_required=reader.flag("API_KEY_REQUIRED", True),
        rate_limit_enabled=reader.flag("RATE_LIMIT_ENABLED", True),
        redis_url=reader.optional("REDIS_URL"),
        metrics_token=reader.optional("METRICS_TOKEN"),
        trusted_proxies=reader.number("TRUSTED_PROXIES", "how many proxies are in front", 0),
        log_level=reader.parsed("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", _parse_level, "INFO"),
        log_dir=Path(directory) if (directory := reader.optional("LOG_DIR")) else None,
    )


def _parse_level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(value)
    return value.upper()


def _secret(reader: _Reader, name: str, holds: str, least: int) -> str:
    """Read a secret; its value never appears in a problem."""
    value = reader.text(name, holds)
    if value and len(value) < least:
        reader.problems.append(f"{name} is too short: it should hold {holds}")
    return value


def _read_xendit(reader: _Reader) -> dict[str, str]:
    key = _secret(reader, "XENDIT_SECRET_KEY", "Xendit's secret API key (xnd_…)", least=16)
    if key and not key.startswith(("xnd_development_", "xnd_production_")):
        reader.problems.append(
            "XENDIT_SECRET_KEY should start with xnd_production_ or xnd_development_ "
            "(a public key cannot create invoices)"
        )
    url = reader.parsed("XENDIT_API_URL", "a web address", _parse_url, XENDIT_LIVE_URL)
    if url != XENDIT_LIVE_URL and not key.startswith("xnd_development_"):
        reader.problems.append(
            f"XENDIT_API_URL may only be {XENDIT_LIVE_URL} unless XENDIT_SECRET_KEY is a "
            "xnd_development_ key: a live key must never be sent anywhere else"
        )
    token = _secret(reader, "XENDIT_CALLBACK_TOKEN", "the webhook verification token", least=16)
    return {"xendit_secret_key": key, "xendit_api_url": url, "xendit_callback_token": token}


def _read_mail(reader: _Reader) -> MailSettings:
    settings = MailSettings(
        server=reader.text("MAIL_SERVER", "the SMTP server's host name"),
        port=reader.number("MAIL_PORT", "a port number", 587, least=1),
        username=reader.optional("MAIL_USERNAME"),
        password=reader.optional("MAIL_PASSWORD"),
        use_tls=reader.flag("MAIL_USE_TLS", True),
        use_ssl=reader.flag("MAIL_USE_SSL", False),
        default_sender=reader.parsed(
            "MAIL_DEFAULT_SENDER", "the address mails come from", _parse_email, None
        ),
    )
    if settings.use_tls and settings.use_ssl:
        reader.problems.append("MAIL_USE_TLS and MAIL_USE_SSL exclude each other: set one to false")
    return settings


def _read_event(reader: _Reader) -> Event:
    return Event(
        name=reader.text("EVENT_NAME", "the event's name"),
        starts_at=reader.parsed(
            "EVENT_STARTS_AT",
            "a time with its offset, such as 2027-01-23T09:00:00+07:00",
            _parse_moment,
            None,
        ),
        venue=reader.text("EVENT_VENUE", "where the event takes place"),
        timezone=reader.parsed("EVENT_TIMEZONE", "an IANA time zone", ZoneInfo, "Asia/Jakarta"),
        contact_email=reader.parsed(
            "EVENT_CONTACT_EMAIL", "the organiser's e-mail address", _parse_email, None
        ),
    )
