"""GET /api/door/tickets: every seat that may enter, and nobody's name in the clear."""

import base64
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask.testing import FlaskClient

from app.models import (
    ETicket,
    Order,
    OrderStatus,
)
from tests.door.calls import pages, seat_ids, sync
from tests.door.seeding import SeededDoor


def test_a_box_is_opened_by_the_text_of_the_ticket_alone(
    door: SeededDoor, phone: FlaskClient
) -> None:
    ticket_id = door.add_ticket()
    [seat] = door.sell(ticket_id, names=iter(["Sari Dewi"]))

    [[seat_id, box]] = phone.get("/api/door/tickets").get_json()["seats"]

    sealed = base64.b64decode(box)
    kdf = HKDF(algorithm=SHA256(), length=16, salt=None, info=b"tedx-door-1")
    key = AESGCM(kdf.derive(seat.qr_text.encode()))
    plain = key.decrypt(sealed[:12], sealed[12:], str(seat_id).encode())
    assert json.loads(plain) == {"n": "Sari Dewi", "t": ticket_id, "c": seat.short_code}
    assert seat_id == seat.seat_id


def test_nothing_of_a_guest_is_in_the_clear(door: SeededDoor, phone: FlaskClient) -> None:
    [seat] = door.sell(door.add_ticket(), names=iter(["Sari Dewi"]))

    answers = phone.get("/api/door/tickets").text + json.dumps(sync(phone))

    for secret in ("Sari", "Dewi", seat.short_code, seat.qr_text, "example.com", "+62"):
        assert secret not in answers


def test_only_seats_that_may_enter_are_carried(door: SeededDoor, phone: FlaskClient) -> None:
    ticket_id = door.add_ticket()
    [good, revoked] = door.sell(ticket_id, 2)
    [cancelled] = door.sell(ticket_id, status=OrderStatus.CANCELLED)
    gone = sa.update(ETicket).where(ETicket.id == revoked.e_ticket_id)
    door.run(gone.values(revoked_at=door.now))

    answer = sync(phone)

    assert seat_ids(phone) == [good.seat_id]
    assert sorted(answer["refused"]) == sorted(
        [[revoked.seat_id, "revoked"], [cancelled.seat_id, "order_cancelled"]]
    )
    assert (answer["seats"], answer["seatsChecksum"]) == (1, good.seat_id % 1_000_003)


def test_a_cancelled_order_is_named_although_it_revokes_its_e_tickets(
    door: SeededDoor, phone: FlaskClient
) -> None:
    [seat] = door.sell(door.add_ticket(), status=OrderStatus.CANCELLED)
    door.run(sa.update(ETicket).values(revoked_at=door.now))

    assert sync(phone)["refused"] == [[seat.seat_id, "order_cancelled"]]


def test_pages_hold_every_seat_once(door: SeededDoor, phone: FlaskClient) -> None:
    sold = door.sell(door.add_ticket(), 2_001)

    sizes = [len(page["seats"]) for page in pages(phone)]

    assert sizes == [1000, 1000, 1]
    assert sorted(seat_ids(phone)) == sorted(seat.seat_id for seat in sold)


def test_a_seat_committed_late_is_found_from_the_settled_cursor(
    door: SeededDoor, phone: FlaskClient
) -> None:
    """Of two sales at once, the one with the lower ids may be committed last."""
    ticket_id = door.add_ticket()
    old = door.sell(ticket_id)
    [late, early] = door.sell(ticket_id, 2, at=datetime.now(UTC))
    hidden = sa.update(Order).where(Order.id == late.order_id)
    row = door.rows(sa.select(*ETicket.__table__.c).where(ETicket.id == late.e_ticket_id))[0]
    door.run(sa.delete(ETicket).where(ETicket.id == late.e_ticket_id))

    first = phone.get("/api/door/tickets").get_json()
    door.insert(ETicket, **row._mapping)
    door.run(hidden.values(status=OrderStatus.PAID))

    assert {seat[0] for seat in first["seats"]} == {old[0].seat_id, early.seat_id}
    assert late.seat_id in seat_ids(phone, first["settled"])
    assert old[0].seat_id not in seat_ids(phone, first["settled"])


def test_a_page_needs_a_sensible_cursor(phone: FlaskClient) -> None:
    for after in ("x", "-1", "9" * 30):
        assert phone.get(f"/api/door/tickets?after={after}").status_code == 422
