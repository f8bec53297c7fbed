"""API keys: remembered for a moment, never longer."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import ApiKey
from app.services.office.partners import KNOWN_FOR, add_key, find_partner
from tests.app_factory import make_settings, running_app
from tests.harness.waiting import eventually
from tests.staff.office import TESTS

NOW = datetime.now(UTC)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with running_app(make_settings(f"sqlite:///{tmp_path}/keys.db")) as app, app.app_context():
        yield app


@pytest.mark.usefixtures("app")
def test_a_revoked_key_is_refused_a_moment_later() -> None:
    key = add_key("Pendaftaran", ["orders:write"], by=TESTS, now=NOW)
    assert find_partner(key)

    db.session.execute(sa.update(ApiKey).values(revoked_at=NOW))
    db.session.commit()

    eventually(lambda: find_partner(key) is None, within=KNOWN_FOR + 20)


@pytest.mark.usefixtures("app")
def test_what_is_no_key_is_never_remembered() -> None:
    assert find_partner("tedx_guess") is None
    key = add_key("Pendaftaran", ["orders:write"], by=TESTS, now=NOW)

    db.session.execute(sa.update(ApiKey).values(key_hash=sa.literal("x" * 64)))
    db.session.commit()
    assert find_partner(key) is None
    db.session.execute(sa.update(ApiKey).values(key_hash=hashlib.sha256(key.encode()).hexdigest()))
    db.session.commit()

    found = find_partner(key)
    assert found
    assert found.name == "Pendaftaran"
