"""A guest the server let in is let in, however the answer was lost on its way to the phone."""

import re

import pytest

from tests.door.phones import OpenPhone, Phone, lose_answer
from tests.door.seeding import SeededDoor, SoldSeat

CHECK_INS = re.compile(r"/api/check-ins$")
# The first answer comes when the test lets it; until then patience lasts no time at all.
LATE = """() => {
  const real = fetch, wait = setTimeout;
  window.setTimeout = (work, _ms, ...more) => wait(work, 0, ...more);
  const released = new Promise((resolve) => {
    window.release = () => { window.setTimeout = wait; resolve(); };
  });
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    if (String(asked[0]).endsWith("/api/check-ins")) await released;
    return answer;
  };
}"""
RELEASE = "() => window.release()"
BOTH = "(code) => Promise.all([door.submit({ code }), door.submit({ code })])"


@pytest.mark.parametrize("way", ["typed", "signed, without tickets here"])
def test_the_same_code_again_gets_the_answer_that_was_lost(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, way: str
) -> None:
    phone = new_phone()
    code = seat.short_code if way == "typed" else seat.qr_text
    if way != "typed":
        phone.page.evaluate("() => door.wipe()")
    lose_answer(phone.page, CHECK_INS)

    verdicts = [phone.submit(code) for _ in range(3)]

    assert [each["result"] for each in verdicts] == ["unchecked", "admitted", "refused"]
    assert verdicts[0]["scanId"] == verdicts[1]["scanId"]
    assert [scan.scan_id for scan in door.scans_of(seat)] == [
        verdicts[1]["scanId"],
        verdicts[2]["scanId"],
    ]


def test_an_answer_nobody_waited_for_any_more_is_given_to_the_next_try(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.page.evaluate(LATE)

    assert phone.submit(seat.short_code)["result"] == "unchecked"
    phone.page.evaluate(RELEASE)
    assert phone.submit(seat.short_code)["result"] == "admitted"


def test_of_two_tries_at_once_after_a_lost_answer_one_is_let_in(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    lose_answer(phone.page, CHECK_INS)
    phone.submit(seat.short_code)

    assert results_of_two(phone, seat.short_code) == ["admitted", "refused"]


def test_of_two_scans_at_once_one_is_let_in(new_phone: OpenPhone, seat: SoldSeat) -> None:
    assert results_of_two(new_phone(), seat.short_code) == ["admitted", "refused"]


def results_of_two(phone: Phone, code: str) -> list[str]:
    """Return what two scans of one code at the same moment come to."""
    return sorted(verdict["result"] for verdict in phone.page.evaluate(BOTH, code))
