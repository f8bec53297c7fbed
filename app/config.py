"""Settings: read once from the environment, every problem reported together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit
from zoneinfo import ZoneInfo

from app.colours import parse_colour, readable_with_white
from app.environment import (
    LONGEST_LINE,
    Reader,
    parse_database,
    parse_email,
    parse_folder,
    parse_level,
    parse_line,
    parse_link,
    parse_moment,
    parse_redis,
    parse_tax_id,
    parse_url,
)
from app.fair_door_settings import FairDoorSettings, read_fair_door
from app.pictures import Picture, read_picture

XENDIT_LIVE_URL = "https://api.xendit.co"
XENDIT_CHECKOUT_ORIGINS = ("https://checkout.xendit.co", "https://checkout-staging.xendit.co")
# A job is given up three days after it was made; the one that ends a hold needs time to retry.
LONGEST_HOLD = 2 * 24 * 3600
LONGEST_POLL = 24 * 3600
DEFAULT_ACCENT = "#e62b1e"
DEFAULT_LENGTH = timedelta(hours=8)
MAP_SEARCH = "https://www.openstreetmap.org/search?query="
# Every visitor fetches them, on slow lines too.
LARGEST_LOGO = 100 * 1024
LARGEST_HERO = 500 * 1024
DEFAULT_DATABASE = "sqlite:///" + str(Path(__file__).parent.parent / "instance" / "tickets.db")


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class Organizer:
    """Who sells, as receipts name them; `tax_id` is an Indonesian NPWP."""

    name: str
    address: str | None
    tax_id: str | None


@dataclass(frozen=True)
class Event:
    """What buyers are told about the event; times are aware, `accent` is `#rrggbb`."""

    name: str
    tagline: str | None
    starts_at: datetime
    ends_at: datetime
    venue: str
    map_url: str
    timezone: ZoneInfo
    contact_email: str
    logo: Picture | None
    hero: Picture | None
    accent: str
    organizer: Organizer

    @property
    def action(self) -> str:
        """Return the shade of the accent that carries white text and is seen on any page."""
        return readable_with_white(self.accent)


@dataclass(frozen=True)
class MailSettings:
    """How to reach the SMTP server (Flask-Mail's names without their prefix)."""

    server: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    use_ssl: bool
    default_sender: str


@dataclass(frozen=True)
class Settings:
    """Everything the service needs to know. Secrets are left out of its repr."""

    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    public_url: str
    xendit_secret_key: str = field(repr=False)
    xendit_callback_token: str = field(repr=False)
    xendit_api_url: str
    mail: MailSettings
    event: Event
    order_hold: timedelta
    payment_poll: timedelta
    api_key_required: bool
    fair_door: FairDoorSettings | None
    rate_limit_enabled: bool
    redis_url: str | None = field(repr=False)
    metrics_token: str | None = field(repr=False)
    trusted_proxies: int
    log_level: str
    log_dir: Path | None
    web_threads: int

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
        reader = Reader(environ)
        settings = _read(reader)
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


def _read(reader: Reader) -> Settings:
    return Settings(
        database_url=reader.secret(
            "DATABASE_URL", "sqlite:/// or mysql+pymysql://…", parse_database, DEFAULT_DATABASE
        ),
        secret_key=_secret(reader, "SECRET_KEY", "at least 32 random characters", least=32),
        public_url=reader.parsed(
            "PUBLIC_URL",
            "the address buyers type, such as https://tickets.example",
            parse_url,
            None,
        ),
        xendit_secret_key=_read_xendit_key(reader),
        xendit_callback_token=_secret(
            reader, "XENDIT_CALLBACK_TOKEN", "the webhook verification token", least=16
        ),
        xendit_api_url=_read_xendit_url(reader),
        mail=_read_mail(reader),
        event=_read_event(reader),
        order_hold=_read_seconds(reader, "ORDER_HOLD_SECONDS", 1800, least=60, most=LONGEST_HOLD),
        payment_poll=_read_seconds(reader, "PAYMENT_POLL_SECONDS", 60, least=1, most=LONGEST_POLL),
        api_key_required=(is_key_required := reader.flag("API_KEY_REQUIRED", True)),
        fair_door=read_fair_door(reader, is_key_required=is_key_required),
        rate_limit_enabled=reader.flag("RATE_LIMIT_ENABLED", True),
        redis_url=reader.secret("REDIS_URL", "redis://host:6379/0", parse_redis, None),
        metrics_token=reader.optional("METRICS_TOKEN"),
        trusted_proxies=reader.number(
            "TRUSTED_PROXIES", "how many proxies are in front, 0 to 10", 0, least=0, most=10
        ),
        log_level=reader.parsed("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", parse_level, "INFO"),
        log_dir=reader.parsed("LOG_DIR", "a folder that can be written to", parse_folder, None)
        if reader.optional("LOG_DIR")
        else None,
        web_threads=reader.number("WEB_THREADS", "a number, 4 to 500", 64, least=4, most=500),
    )


def _read_seconds(reader: Reader, name: str, default: int, *, least: int, most: int) -> timedelta:
    seconds = reader.number(name, f"seconds, {least} to {most}", default, least=least, most=most)
    return timedelta(seconds=seconds)


def _secret(reader: Reader, name: str, holds: str, least: int) -> str:
    """Read a secret; its value never appears in a problem."""
    value = reader.text(name, holds)
    if value and len(value) < least:
        reader.problems.append(f"{name} is too short: it should hold {holds}")
    return value


def _read_xendit_key(reader: Reader) -> str:
    key = _secret(reader, "XENDIT_SECRET_KEY", "Xendit's secret API key (xnd_…)", least=16)
    if key and not key.startswith(("xnd_development_", "xnd_production_")):
        reader.problems.append(
            "XENDIT_SECRET_KEY should start with xnd_production_ or xnd_development_ "
            "(a public key cannot create invoices)"
        )
    return key


def _read_xendit_url(reader: Reader) -> str:
    url = reader.parsed("XENDIT_API_URL", "a web address", parse_url, XENDIT_LIVE_URL)
    key = reader.optional("XENDIT_SECRET_KEY") or ""
    if url != XENDIT_LIVE_URL and not key.startswith("xnd_development_"):
        reader.problems.append(
            f"XENDIT_API_URL may only be {XENDIT_LIVE_URL} unless XENDIT_SECRET_KEY is a "
            "xnd_development_ key: a live key must never be sent anywhere else"
        )
    return url


def _read_mail(reader: Reader) -> MailSettings:
    settings = MailSettings(
        server=reader.text("MAIL_SERVER", "the SMTP server's host name"),
        port=reader.number("MAIL_PORT", "a port number", 587, least=1, most=65535),
        username=reader.optional("MAIL_USERNAME"),
        password=reader.optional("MAIL_PASSWORD"),
        use_tls=reader.flag("MAIL_USE_TLS", True),
        use_ssl=reader.flag("MAIL_USE_SSL", False),
        default_sender=reader.parsed(
            "MAIL_DEFAULT_SENDER", "the address mails come from", parse_email, None
        ),
    )
    if settings.use_tls and settings.use_ssl:
        reader.problems.append("MAIL_USE_TLS and MAIL_USE_SSL exclude each other: set one to false")
    return settings


def _read_event(reader: Reader) -> Event:
    starts_at = reader.parsed(
        "EVENT_STARTS_AT",
        "a time with its offset, such as 2027-01-23T09:00:00+07:00",
        parse_moment,
        None,
    )
    venue = reader.text("EVENT_VENUE", "where the event takes place")
    map_url = reader.chosen("EVENT_MAP_URL", "an https:// address of a map", parse_link)
    name = reader.text("EVENT_NAME", "the event's name")
    return Event(
        name=name,
        tagline=reader.chosen(
            "EVENT_TAGLINE", f"one line of at most {LONGEST_LINE} characters", parse_line
        ),
        starts_at=starts_at,
        ends_at=_read_end(reader, starts_at),
        venue=venue,
        map_url=map_url or MAP_SEARCH + quote_plus(venue),
        timezone=reader.parsed("EVENT_TIMEZONE", "an IANA time zone", ZoneInfo, "Asia/Jakarta"),
        contact_email=reader.parsed(
            "EVENT_CONTACT_EMAIL", "the organiser's e-mail address", parse_email, None
        ),
        logo=_read_picture(reader, "EVENT_LOGO", LARGEST_LOGO),
        hero=_read_picture(reader, "EVENT_HERO", LARGEST_HERO),
        accent=reader.parsed(
            "EVENT_ACCENT", "a colour such as #e62b1e", parse_colour, DEFAULT_ACCENT
        ),
        organizer=_read_organizer(reader, name),
    )


def _read_organizer(reader: Reader, event_name: str) -> Organizer:
    line = f"one line of at most {LONGEST_LINE} characters"
    return Organizer(
        name=reader.chosen("EVENT_ORGANIZER_NAME", line, parse_line) or event_name,
        address=reader.chosen("EVENT_ORGANIZER_ADDRESS", line, parse_line),
        tax_id=reader.chosen("EVENT_ORGANIZER_TAX_ID", "an NPWP of 15 or 16 digits", parse_tax_id),
    )


def _read_end(reader: Reader, starts_at: datetime | None) -> Any:
    """Read when the event ends; None when the start is missing, a problem of its own."""
    holds = "a time with its offset, such as 2027-01-23T17:00:00+07:00"
    ends_at = reader.chosen("EVENT_ENDS_AT", holds, parse_moment)
    if starts_at and ends_at and ends_at <= starts_at:
        reader.problems.append("EVENT_ENDS_AT should be after EVENT_STARTS_AT")
    return ends_at or (starts_at and starts_at + DEFAULT_LENGTH)


def _read_picture(reader: Reader, name: str, most_bytes: int) -> Picture | None:
    """Read a picture's file, so that what is wrong with it stops the start and no page."""
    holds = f"the path of an SVG, PNG, JPEG or WebP file of at most {most_bytes // 1024} kB"
    return reader.chosen(name, holds, lambda path: read_picture(Path(path), most_bytes=most_bytes))
