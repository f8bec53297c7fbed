"""Codes of e-tickets: only ours are true, and what is typed wrong is noticed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from app.integrations.signing import (
    KeyBox,
    SeatCode,
    UnreadableKey,
    new_key_pair,
    parse_code,
    sign_code,
)
from app.models.codes import (
    ALPHABET,
    LANES,
    lane_of,
    new_eticket_code,
    read_short_code,
)
from tests.door.make_code_vectors import FILE, vectors

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
KEYS = {key["id"]: bytes.fromhex(key["publicKey"]) for key in VECTORS["keys"]}
PRIVATE, PUBLIC = new_key_pair()
MOMENTS = st.none() | st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 (Hypothesis adds the zone)
    datetime(2060, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def test_the_vectors_are_what_their_script_writes() -> None:
    assert vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["codes"], ids=lambda vector: vector["name"])
def test_a_code_is_true_or_not_as_the_shared_vectors_say(vector: dict[str, Any]) -> None:
    code = parse_code(vector["text"])

    assert (code is not None and code.is_true(KEYS)) is vector["valid"]
    if code and vector["valid"]:
        assert as_json(code.seat) == vector["fields"]


def as_json(seat: SeatCode) -> dict[str, Any]:
    def moment(value: datetime | None) -> str | None:
        return value.isoformat().replace("+00:00", "Z") if value else None

    return {
        "keyId": seat.key_id,
        "seatId": seat.seat_id,
        "ticketId": seat.ticket_id,
        "lane": lane_of(seat.seat_id),
        "admitFrom": moment(seat.admit_from),
        "admitUntil": moment(seat.admit_until),
    }


@given(
    key_id=st.integers(1, 255),
    seat_id=st.integers(0, 2**40 - 1),
    ticket_id=st.integers(0, 2**16 - 1),
    admit_from=MOMENTS,
    length=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
)
def test_a_signed_code_says_what_was_signed(
    key_id: int,
    seat_id: int,
    ticket_id: int,
    admit_from: datetime | None,
    length: timedelta | None,
) -> None:
    admit_until = admit_from + length if admit_from and length else None
    seat = SeatCode(key_id, seat_id, ticket_id, admit_from, admit_until)

    code = parse_code(sign_code(seat, PRIVATE))

    assert code is not None
    assert code.is_true({key_id: PUBLIC})
    assert (code.seat.key_id, code.seat.seat_id) == (key_id, seat_id)
    assert code.seat.ticket_id == ticket_id
    assert covers(code.seat, admit_from, admit_until)


def covers(seat: SeatCode, begin: datetime | None, end: datetime | None) -> bool:
    """Tell whether the period in the code is the one that was signed, in whole hours outward."""
    hour = timedelta(hours=1)
    begins = seat.admit_from is None if begin is None else _within(begin, seat.admit_from, hour)
    if end is None or begin is None:
        return begins and seat.admit_until is None
    if seat.admit_until is None:
        return begins and end - begin > 253 * hour
    return begins and timedelta() <= seat.admit_until - end < hour


def _within(moment: datetime, start: datetime | None, hour: timedelta) -> bool:
    return start is not None and timedelta() <= moment - start < hour


@pytest.mark.parametrize(
    "seat",
    [
        SeatCode(0, 1, 1, None, None),
        SeatCode(256, 1, 1, None, None),
        SeatCode(1, 2**40, 1, None, None),
        SeatCode(1, 1, 2**16, None, None),
    ],
)
def test_a_number_too_large_for_its_field_is_refused_not_cut(seat: SeatCode) -> None:
    with pytest.raises(ValueError):
        sign_code(seat, PRIVATE)


def test_a_code_fits_the_fifth_version_at_level_m() -> None:
    symbol = QRCode(error_correction=ERROR_CORRECT_M)
    symbol.add_data(VECTORS["codes"][0]["text"], optimize=0)
    symbol.make()

    assert symbol.version == 5


def test_a_sealed_key_opens_with_its_secret_only() -> None:
    ours, another = KeyBox(), KeyBox()
    ours.open("a secret of at least thirty-two characters")
    another.open("another secret of at least that many chars")

    sealed = ours.seal(PRIVATE)

    assert PRIVATE.hex() not in sealed
    assert ours.unseal(sealed) == PRIVATE
    with pytest.raises(UnreadableKey):
        another.unseal(sealed)


# --- short codes ---------------------------------------------------------------------------------


def has_true_check(code: str) -> bool:
    """Tell whether a code's last character follows from the seven before it."""
    *digits, check = (ALPHABET.index(digit) for digit in code.replace("-", ""))
    return sum(place * digit for place, digit in enumerate(digits, start=1)) % 31 == check


SHORT_CODES = st.builds(lambda _: new_eticket_code(), st.integers())


@given(
    code=SHORT_CODES,
    place=st.sampled_from([0, 1, 2, 3, 5, 6, 7, 8]),
    wrong=st.sampled_from(ALPHABET),
)
def test_one_wrong_character_is_noticed(code: str, place: int, wrong: str) -> None:
    assert has_true_check(code)

    typed = code[:place] + wrong + code[place + 1 :]

    assert has_true_check(typed) is (typed == code)


@given(code=SHORT_CODES, first=st.integers(0, 6))
def test_two_swapped_neighbours_are_noticed(code: str, first: int) -> None:
    digits = list(code.replace("-", ""))
    digits[first], digits[first + 1] = digits[first + 1], digits[first]
    typed = "".join(digits)

    assert has_true_check(typed) is (typed == code.replace("-", ""))


@pytest.mark.parametrize("typed", ["7k2m9qpa", "7K2M-9QPA", " 7k2m 9qpa ", "7K2M - 9QPA"])
def test_a_short_code_may_be_typed_in_any_way(typed: str) -> None:
    assert read_short_code(typed) == "7K2M-9QPA"


@pytest.mark.parametrize("typed", ["", "7K2M-9QP", "7K2M-9QPAA", "7K2M-9QP!", "٧K2M9QPA"])
def test_what_cannot_be_a_short_code_is_none(typed: str) -> None:
    assert read_short_code(typed) is None


@given(st.integers(0, 2**40 - 1))
def test_lanes_share_evenly_among_two_three_four_and_six(seat_id: int) -> None:
    place = LANES.index(lane_of(seat_id))

    assert all(place % share == seat_id % share for share in (2, 3, 4, 6))
