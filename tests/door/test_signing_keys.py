"""Signing keys: made once whoever needs one first, rotated, revoked, never in the clear."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db, key_box
from app.integrations.signing import parse_code
from app.models import ETicket, Job, SigningKey
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling import signing_keys
from app.services.selling.resending import RESEND
from tests.app_factory import ENVIRONMENT, make_settings
from tests.harness.interleaving import overlap
from tests.running.sales import add_ticket, order

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


def buy_free_seats(app: Flask, name: str, seats: int = 2) -> None:
    """Get seats of a ticket that costs nothing: paid at once, with e-tickets."""
    settings = make_settings(app.config["SQLALCHEMY_DATABASE_URI"])
    order(add_ticket(name, now=NOW, price=0), seats, now=NOW, settings=settings)


def true_codes() -> list[bool]:
    """Tell of each e-ticket, in order, whether its code is signed by a key that is good now."""
    with reading() as session:
        keys = signing_keys.public_keys(session)
        texts = session.scalars(sa.select(ETicket.qr_text).order_by(ETicket.id)).all()
        codes = [parse_code(text) for text in texts]
        return [code is not None and code.is_true(keys) for code in codes]


def test_the_first_seat_makes_the_first_key_and_all_are_signed_by_it(app: Flask) -> None:
    with app.app_context():
        buy_free_seats(app, "Free")
        buy_free_seats(app, "Also free")

        assert true_codes() == [True] * 4
        [key] = signing_keys.list_keys()
        assert (key.key_id, key.state) == (1, "active")
        seats = db.session.scalars(sa.select(ETicket)).all()
        assert {parse_code(seat.qr_text).seat.seat_id for seat in seats} == {  # type: ignore[union-attr]
            seat.seat_id for seat in seats
        }


@use_case
def sign_first() -> int:
    with transaction() as session:
        return signing_keys.get_signer(session, NOW).key_id


@pytest.mark.parametrize("statements", [1, 2, 3, 4])
def test_two_first_buyers_make_one_key_wherever_they_meet(
    mariadb_app: Flask, statements: int
) -> None:
    """The last id is read, then the active keys; a savepoint; the new key is written."""
    assert overlap(mariadb_app, sign_first, sign_first, after=statements) == (1, 1)

    with mariadb_app.app_context():
        assert len(signing_keys.list_keys()) == 1


def test_asking_for_the_last_id_later_the_two_would_make_two_keys(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the id is the next one after a key that was not seen."""
    add = signing_keys._add

    def ask_then_add(session: Session, _seen: int, now: datetime) -> SigningKey | None:
        last_id = session.scalar(sa.select(sa.func.max(SigningKey.id))) or 0
        return add(session, last_id, now)

    monkeypatch.setattr(signing_keys, "_add", ask_then_add)
    assert overlap(mariadb_app, sign_first, sign_first, after=2) == (2, 1)


def test_after_a_rotation_old_codes_stay_good_and_the_old_private_key_is_gone(app: Flask) -> None:
    with app.app_context():
        buy_free_seats(app, "Before")
        assert signing_keys.rotate(by="tests", now=NOW) == 2
        buy_free_seats(app, "After")

        assert true_codes() == [True] * 4
        assert [key.state for key in signing_keys.list_keys()] == ["retired", "active"]
        assert db.session.get_one(SigningKey, 1).sealed_key is None


def test_codes_of_a_revoked_key_are_worthless_until_they_are_made_again(app: Flask) -> None:
    with app.app_context():
        buy_free_seats(app, "Before")
        entered = db.session.scalars(sa.select(ETicket).order_by(ETicket.id)).first()
        assert entered is not None
        with transaction() as session:
            session.get_one(ETicket, entered.id).admitted_at = NOW

        assert signing_keys.revoke(1, by="tests", now=NOW) == 2
        assert true_codes() == [False, False]

        [order_id] = signing_keys.reissue(1, by="tests", now=NOW)
        assert true_codes() == [False, True], "who is inside keeps the code that let them in"
        assert order_id == entered.order_id


def test_a_key_that_is_not_there_cannot_be_revoked_and_a_good_one_not_reissued(app: Flask) -> None:
    with app.app_context():
        buy_free_seats(app, "Before")
        with pytest.raises(signing_keys.NoSuchKey):
            signing_keys.revoke(7, by="tests", now=NOW)
        with pytest.raises(signing_keys.NoSuchKey):
            signing_keys.reissue(1, by="tests", now=NOW)


def test_with_another_secret_key_buyers_still_get_their_codes(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        buy_free_seats(sqlite_app, "Before")
        key_box.open("a SECRET_KEY that somebody changed in the settings")
        try:
            buy_free_seats(sqlite_app, "After")
        finally:
            key_box.open(ENVIRONMENT["SECRET_KEY"])

        assert true_codes() == [True] * 4


def test_two_machines_with_different_secret_keys_make_one_key_each_and_say_so(
    sqlite_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """Retiring what the other one made, they would use up all 255 keys in an hour of sales."""
    secrets = (ENVIRONMENT["SECRET_KEY"], "another SECRET_KEY, on the other machine")
    with sqlite_app.app_context():
        try:
            for number in range(6):
                key_box.open(secrets[number % 2])
                buy_free_seats(sqlite_app, f"Sale {number}", 1)
        finally:
            key_box.open(ENVIRONMENT["SECRET_KEY"])

        assert true_codes() == [True] * 6
        assert [key.state for key in signing_keys.list_keys()] == ["active"] * 2
        told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert [words.split(":")[0] for words in told] == ["signing key 2 was made"]
        assert signing_keys.rotate(by="tests", now=NOW) == 3
        assert [key.state for key in signing_keys.list_keys()] == ["retired", "retired", "active"]


def test_when_all_ids_are_taken_it_says_so(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        with transaction() as session:
            session.add(
                SigningKey(id=255, public_key="00", sealed_key=None, created_at=NOW, retired_at=NOW)
            )
        with pytest.raises(signing_keys.KeysExhausted), transaction() as session:
            signing_keys.get_signer(session, NOW)


def test_the_commands_tell_what_they_did(sqlite_app: Flask) -> None:
    run = sqlite_app.test_cli_runner()

    assert "no key yet" in run.invoke(args=["signing-keys", "list"]).output
    with sqlite_app.app_context():
        buy_free_seats(sqlite_app, "Before")
        db.session.remove()
    assert "key 2 signs" in run.invoke(args=["signing-keys", "rotate"]).output
    assert run.invoke(args=["signing-keys", "revoke", "1"], input="n\n").exit_code != 0
    assert "2 seats need" in run.invoke(args=["signing-keys", "revoke", "1", "--yes"]).output
    assert "1 orders" in run.invoke(args=["signing-keys", "reissue", "1"]).output
    assert "not a revoked key" in run.invoke(args=["signing-keys", "reissue", "2"]).output
    assert "there is no key 9" in run.invoke(args=["signing-keys", "revoke", "9", "--yes"]).output
    listed = run.invoke(args=["signing-keys", "list"]).output
    assert "revoked" in listed
    assert "active" in listed
    with sqlite_app.app_context():
        again = sa.select(Job.payload).where(Job.kind == RESEND)
        assert [payload["order_id"] for payload in db.session.scalars(again)] == [1]
