"""Settings: what is missing or wrong is told whole, at once, and without any secret."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config import Settings, SettingsError

MINIMUM = {
    "SECRET_KEY": "k" * 32,
    "PUBLIC_URL": "https://tickets.example",
    "XENDIT_SECRET_KEY": "xnd_production_0123456789",
    "XENDIT_CALLBACK_TOKEN": "callback-token-0123456789",
    "MAIL_SERVER": "smtp.example",
    "MAIL_DEFAULT_SENDER": "tickets@tickets.example",
    "EVENT_NAME": "TEDxSenja Jakarta",
    "EVENT_STARTS_AT": "2030-01-26T09:00:00+07:00",
    "EVENT_VENUE": "Gedung Kesenian Senja",
    "EVENT_CONTACT_EMAIL": "halo@tickets.example",
}


def problems_with(**changes: str | None) -> list[str]:
    """Return what is wrong with the least settings after these changes (None unsets)."""
    environ = {name: value for name, value in (MINIMUM | changes).items() if value is not None}
    try:
        Settings.from_env(environ)
    except SettingsError as error:
        return error.problems
    return []


def test_the_defaults_are_those_of_production() -> None:
    settings = Settings.from_env(MINIMUM)

    assert settings.xendit_api_url == "https://api.xendit.co"
    assert settings.database_url.startswith("sqlite:////")
    assert settings.database_url.endswith("/instance/tickets.db")
    assert settings.order_hold == timedelta(minutes=30)
    assert settings.payment_poll == timedelta(minutes=1)
    assert settings.api_key_required is True
    assert settings.rate_limit_enabled is True
    assert (settings.mail.port, settings.mail.use_tls, settings.mail.use_ssl) == (587, True, False)
    assert str(settings.event.timezone) == "Asia/Jakarta"
    assert (settings.redis_url, settings.metrics_token, settings.log_dir) == (None, None, None)
    assert (settings.trusted_proxies, settings.log_level) == (0, "INFO")


def test_an_empty_environment_names_every_variable_it_needs_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({})

    for name in MINIMUM:
        assert len([each for each in refusal.value.problems if each.startswith(name)]) == 1, name
    for problem in refusal.value.problems:
        assert "should hold" in problem
        assert problem in str(refusal.value)


@pytest.mark.parametrize("name", MINIMUM)
def test_a_blank_variable_counts_as_missing(name: str) -> None:
    [problem] = problems_with(**{name: "  "})

    assert problem.startswith(f"{name} is missing")


WRONG = [
    ("DATABASE_URL", "postgresql://db/tickets"),
    ("DATABASE_URL", "mysql+pymysql://user:word@host:port/tickets"),
    ("DATABASE_URL", "mysql+pymysql"),
    ("DATABASE_URL", "tickets.db"),
    ("SECRET_KEY", "k" * 31),
    ("PUBLIC_URL", "tickets.example"),
    ("PUBLIC_URL", "ftp://tickets.example"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://tickets.example:99999"),
    ("PUBLIC_URL", "https://tickets.example/?page=1"),
    ("PUBLIC_URL", "https://me:word@tickets.example"),
    ("XENDIT_SECRET_KEY", "xnd_public_production_0123456789"),
    ("XENDIT_SECRET_KEY", "xnd_production_"),
    ("XENDIT_CALLBACK_TOKEN", "short"),
    ("MAIL_PORT", "smtp"),
    ("MAIL_PORT", "0"),
    ("MAIL_PORT", "65536"),
    ("MAIL_USE_TLS", "maybe"),
    ("MAIL_USE_SSL", "true"),
    ("MAIL_DEFAULT_SENDER", "Tickets <tickets@tickets.example>"),
    ("EVENT_STARTS_AT", "2030-01-26T09:00:00"),
    ("EVENT_STARTS_AT", "2030-01-26"),
    ("EVENT_STARTS_AT", "next Saturday"),
    ("EVENT_TIMEZONE", "Asia/Nowhere"),
    ("EVENT_TIMEZONE", "Asia"),
    ("EVENT_TIMEZONE", "../../etc/passwd"),
    ("EVENT_CONTACT_EMAIL", "halo"),
    ("EVENT_ENDS_AT", "2030-01-26T17:00:00"),
    ("EVENT_ENDS_AT", "2030-01-26T09:00:00+07:00"),
    ("EVENT_ENDS_AT", "2030-01-25T17:00:00+07:00"),
    ("EVENT_MAP_URL", "http://maps.example/senja"),
    ("EVENT_MAP_URL", "javascript:alert(1)"),
    ("EVENT_MAP_URL", "https://"),
    ("EVENT_MAP_URL", "https://maps.example/a b"),
    ("EVENT_MAP_URL", "https://maps.example:99999/"),
    ("EVENT_TAGLINE", "one line\nand another"),
    ("EVENT_TAGLINE", "x" * 141),
    ("EVENT_ACCENT", "red"),
    ("EVENT_ACCENT", "#e62"),
    ("EVENT_ACCENT", "#e62b1e; } body { display: none"),
    ("EVENT_LOGO", "/nowhere/logo.svg"),
    ("EVENT_HERO", "/"),
    ("ORDER_HOLD_SECONDS", "59"),
    ("ORDER_HOLD_SECONDS", "172801"),
    ("ORDER_HOLD_SECONDS", "30 minutes"),
    ("ORDER_HOLD_SECONDS", "9" * 40),
    ("PAYMENT_POLL_SECONDS", "0"),
    ("PAYMENT_POLL_SECONDS", "9" * 40),
    ("API_KEY_REQUIRED", "nope"),
    ("RATE_LIMIT_ENABLED", "2"),
    ("REDIS_URL", "localhost:6379"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "all"),
    ("LOG_LEVEL", "LOUD"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_by_the_variable_s_name(name: str, value: str) -> None:
    problems = problems_with(**{name: value})

    assert any(name in problem for problem in problems)
    assert all("should" in problem or "set one to" in problem for problem in problems)


def test_a_log_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    [problem] = problems_with(LOG_DIR=str(file / "logs"))
    [special] = problems_with(LOG_DIR="/proc/self")  # exists, and takes files from nobody

    assert problem.startswith("LOG_DIR is ")
    assert special.startswith("LOG_DIR is ")


def test_a_log_folder_is_made(tmp_path: Path) -> None:
    settings = Settings.from_env(MINIMUM | {"LOG_DIR": str(tmp_path / "a" / "b")})

    assert settings.log_dir == tmp_path / "a" / "b"
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("key", ["xnd_production_0123456789", ""])
def test_only_a_development_key_may_go_to_another_address(key: str) -> None:
    elsewhere = "http://127.0.0.1:8100"

    assert not problems_with(XENDIT_API_URL=elsewhere, XENDIT_SECRET_KEY="xnd_development_local")
    assert any(
        problem.startswith("XENDIT_API_URL may only be https://api.xendit.co")
        for problem in problems_with(XENDIT_API_URL=elsewhere, XENDIT_SECRET_KEY=key)
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://api.xendit.co.evil.example",
        "http://api.xendit.co",
        "https://api.xendit.co:8443",
        "https://api.xendit.co/v9",
    ],
)
def test_an_address_that_only_looks_like_xendit_s_never_gets_a_live_key(address: str) -> None:
    assert problems_with(XENDIT_API_URL=address)


@pytest.mark.parametrize(
    "written",
    ["https://tickets.example/", "https://tickets.example//", " https://tickets.example "],
)
def test_a_public_address_is_kept_without_its_last_slash(written: str) -> None:
    settings = Settings.from_env(MINIMUM | {"PUBLIC_URL": written})

    assert settings.public_url == "https://tickets.example"


def test_the_event_s_start_keeps_its_moment() -> None:
    settings = Settings.from_env(MINIMUM | {"EVENT_STARTS_AT": "2030-01-26T09:00:00+07:00"})

    assert settings.event.starts_at == datetime(2030, 1, 26, 2, tzinfo=UTC)


SECRETS = {
    "DATABASE_URL": ("mysql+pymysql://user:hunter2hunter2@db:port/x", "hunter2hunter2"),
    "SECRET_KEY": ("short-secret-key", "short-secret-key"),
    "XENDIT_SECRET_KEY": ("xnd_public_verysecret", "verysecret"),
    "XENDIT_CALLBACK_TOKEN": ("short-token", "short-token"),
    "REDIS_URL": ("rediss//:hunter3hunter3@redis:6379", "hunter3hunter3"),
    # Secrets that were put into the wrong variable.
    "XENDIT_API_URL": ("xnd_production_misplaced", "misplaced"),
    "PUBLIC_URL": ("https://admin:hunter4hunter4@tickets.example", "hunter4hunter4"),
}


def test_no_secret_is_shown_in_what_is_wrong_with_it() -> None:
    environ = MINIMUM | {name: value for name, (value, _) in SECRETS.items()}

    with pytest.raises(SettingsError) as refusal:
        Settings.from_env(environ)

    shown = f"{refusal.value}{refusal.value!r}"
    for name, (_, secret) in SECRETS.items():
        assert name in shown
        assert secret not in shown


def test_settings_can_be_printed_without_giving_secrets_away() -> None:
    secrets = {
        "DATABASE_URL": "mysql+pymysql://user:hunter2hunter2@db/x",
        "MAIL_PASSWORD": "mail-password-of-ours",
        "METRICS_TOKEN": "metrics-token-of-ours",
        "REDIS_URL": "redis://:redis-password-of-ours@redis:6379",
    }

    shown = repr(Settings.from_env(MINIMUM | secrets))

    for secret in ("hunter2", "-of-ours", "k" * 32, "0123456789"):
        assert secret not in shown
