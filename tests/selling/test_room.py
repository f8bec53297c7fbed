"""What is left while the orders of a group are looked at one after the other."""

from datetime import UTC, datetime

from app.models import VoucherEffect
from app.services.selling.offers import Offer, Room
from app.services.selling.vouchers import VoucherTerms

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def offer(id: int, available: int, quota: tuple[int, int] | None = None) -> Offer:
    quota_id, shared = quota or (None, None)
    return Offer(id, "A", 1, 1, 9, NOW, NOW, False, None, quota_id, available, shared)


def test_seats_taken_by_one_order_are_gone_for_the_next_of_its_group() -> None:
    room = Room([offer(1, 5), offer(2, 9, (7, 4)), offer(3, 2, (7, 4))], [])
    assert [room.left_of(ticket) for ticket in (1, 2, 3)] == [5, 4, 2]
    assert room.is_enough({1: 5, 2: 2, 3: 2})
    assert not room.is_enough({2: 3, 3: 2}), "five of four, together"

    room.take({1: 5, 2: 3}, {})

    assert [room.left_of(ticket) for ticket in (1, 2, 3)] == [0, 1, 1]
    assert room.is_enough({3: 1})
    assert not room.is_enough({2: 1, 3: 1})


def test_uses_of_a_code_are_gone_too() -> None:
    limited = VoucherTerms(4, "ABCD", VoucherEffect.NONE, 0, True, None, None, None, left=3)
    endless = VoucherTerms(5, "EFGH", VoucherEffect.NONE, 0, True, None, None, None, left=None)
    room = Room([offer(1, 9)], [limited, endless])

    room.take({1: 4}, {4: 2, 5: 2})

    assert (room.uses_left(4), room.uses_left(5)) == (1, None)
