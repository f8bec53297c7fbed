"""The scanner's codes and rules in Chromium, held by the same vectors as the server's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from app.models.codes import lane_of, new_eticket_code
from app.services.door.offline import seal
from tests.app_factory import make_settings, running_app
from tests.door.web import web_server
from tests.harness.browser import browsing
from tests.harness.database import fresh_sqlite

VECTORS = Path(__file__).parent / "vectors"
CODES = json.loads((VECTORS / "codes.json").read_text(encoding="utf-8"))
RULES = json.loads((VECTORS / "rules.json").read_text(encoding="utf-8"))["vectors"]

READ_CODES = """async ({ keys, codes, way }) => {
  const { parseCode, verifyCode, verifyByFallback } = await import("/static/js/door/codes.js");
  const verify = way === "fallback" ? verifyByFallback : undefined;
  const read = async ({ text }) => {
    const code = parseCode(text);
    const { keyId, seatId, ticketId, lane, admitFrom, admitUntil } = code ?? {};
    return { valid: code !== null && (await verifyCode(code, keys, verify)),
      fields: { keyId, seatId, ticketId, lane, admitFrom, admitUntil } };
  };
  return Promise.all(codes.map(read));
}"""

WITHOUT_ED25519 = """() => {
  const refuse = () => Promise.reject(new DOMException("no Ed25519", "NotSupportedError"));
  crypto.subtle.importKey = refuse;
}"""

JUDGE = """async (vectors) => {
  const { judge } = await import("/static/js/door/rules.js");
  return vectors.map(({ seat, gate, at, ...how }) => judge(seat, gate, at, how));
}"""

OPEN_BOX = """async ({ box, code, seatId }) => {
  const { openBox } = await import("/static/js/door/box.js");
  return openBox(box, code, seatId);
}"""

LANES = """async (seatIds) => {
  const { laneOf } = await import("/static/js/door/codes.js");
  return seatIds.map(laneOf);
}"""

KINDS = """async (texts) => {
  const { isShortCode, isUnsignedCode } = await import("/static/js/door/codes.js");
  return texts.map((text) => [isShortCode(text), isUnsignedCode(text)]);
}"""

# A scanner whose last key, Enter, comes some milliseconds after the code: what was read, and
# whether Enter still presses the button that has the focus.
SCAN_WITH_LATE_ENTER = """async ([code, after]) => {
  const { listenToScanners } = await import("/static/js/door/wedge.js");
  const keyboard = new EventTarget();
  const read = new Promise((done) => listenToScanners(done, keyboard));
  const at = performance.now();
  const press = (key, timeStamp) => {
    const event = new KeyboardEvent("keydown", { key, cancelable: true });
    Object.defineProperty(event, "timeStamp", { value: timeStamp });
    keyboard.dispatchEvent(event);
    return !event.defaultPrevented;
  };
  for (const key of code) press(key, at);
  return [await read, press("Enter", at + after)];
}"""
# Which looks take a code: each look is the time (ms) of a picture, and whether the code is in it.
LOOKS = """async (looks) => {
  const { Repeats } = await import("/static/js/door/repeats.js");
  const repeats = new Repeats();
  return looks.map(([at, isSeen]) => repeats.fresh(isSeen ? ["code"] : [], at).length);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of ours that may import our modules under the site's own security policy."""
    settings = make_settings(fresh_sqlite(tmp_path_factory.mktemp("door")))
    with running_app(settings) as app, web_server(app) as address, browsing(browser) as opened:
        opened.goto(f"{address}/healthz")
        yield opened


def read_codes(page: Page, way: str) -> dict[str, Any]:
    """Return what the browser makes of every vector, by its name."""
    read = page.evaluate(READ_CODES, {**CODES, "way": way})
    return {code["name"]: found for code, found in zip(CODES["codes"], read, strict=True)}


def as_vectors_say(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.replace(".000Z", "Z") if key.startswith("admit") and value else value
        for key, value in fields.items()
    }


@pytest.mark.parametrize("way", ["browser", "fallback"])
def test_the_browser_tells_true_codes_from_others_like_the_server(page: Page, way: str) -> None:
    read = read_codes(page, way)

    wrong = [c["name"] for c in CODES["codes"] if read[c["name"]]["valid"] is not c["valid"]]
    assert wrong == []
    for code in CODES["codes"]:
        if code["valid"]:
            fields = as_vectors_say(read[code["name"]]["fields"])
            assert fields == code["fields"], code["name"]


def test_a_browser_without_ed25519_falls_back_by_itself(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    other.evaluate(WITHOUT_ED25519)

    read = read_codes(other, "browser")

    assert {name: code["valid"] for name, code in read.items()} == {
        code["name"]: code["valid"] for code in CODES["codes"]
    }


def test_the_browser_judges_every_scan_like_the_server(page: Page) -> None:
    judged = page.evaluate(JUDGE, RULES)

    wrong = [
        (vector["name"], vector["reason"], reason)
        for vector, reason in zip(RULES, judged, strict=True)
        if reason != vector["reason"]
    ]
    assert wrong == []


def test_a_box_opens_to_its_own_code_and_seat_only(page: Page) -> None:
    code, seat_id = CODES["codes"][0]["text"], 2**40 - 1
    contents: dict[str, object] = {"n": "Sinta Ayú 美", "t": 7, "c": "7K2M-9QPA"}
    box = seal(seat_id, code, contents)

    own = page.evaluate(OPEN_BOX, {"box": box, "code": code, "seatId": seat_id})
    others = [
        page.evaluate(OPEN_BOX, {"box": box, "code": code[:-1] + "A", "seatId": seat_id}),
        page.evaluate(OPEN_BOX, {"box": box, "code": code, "seatId": 1}),
    ]

    assert own == {"attendee": "Sinta Ayú 美", "ticketId": 7, "code": "7K2M-9QPA"}
    assert others == [None, None]


def test_both_sides_give_a_seat_the_same_lane(page: Page) -> None:
    seat_ids = [0, 1, 11, 12, 13, 2**32, 2**32 + 7, 2**40 - 1, 78_187_493_530]

    assert page.evaluate(LANES, seat_ids) == [lane_of(seat_id) for seat_id in seat_ids]


def test_codes_that_only_the_server_knows_are_told_apart(page: Page) -> None:
    short = new_eticket_code()
    signed = CODES["codes"][0]["text"]
    texts = [short, short.lower().replace("-", " "), "K5QWY3DPEHPK3PXPK5QWY3DPEH", signed, "hello"]

    assert page.evaluate(KINDS, texts) == [
        [True, False],
        [True, False],
        [False, True],
        [False, False],
        [False, False],
    ]


@pytest.mark.parametrize(("after", "presses"), [(400, False), (600, True)])
def test_the_enter_of_a_slow_scanner_presses_no_button(
    page: Page, after: int, presses: bool
) -> None:
    code = CODES["codes"][0]["text"]

    assert page.evaluate(SCAN_WITH_LATE_ENTER, [code, after]) == [code, presses]


@pytest.mark.parametrize(
    ("looks", "taken"),
    [
        ([(0, True), (100, True), (200, True)], [1, 0, 0]),
        ([(0, True), (1000, False), (2000, True)], [1, 0, 0]),  # it slipped for a moment
        ([(0, True), (1000, False), (4000, True)], [1, 0, 1]),
        ([(0, True), (4000, True), (8000, True)], [1, 0, 0]),  # a phone that reads slowly
        ([(0, True), (4000, False), (8000, True)], [1, 0, 1]),
        ([(0, True), (60_000, True)], [1, 1]),  # nobody looked for long
    ],
)
def test_a_code_that_stays_in_view_is_taken_once(
    page: Page, looks: list[tuple[int, bool]], taken: list[int]
) -> None:
    assert page.evaluate(LOOKS, [list(look) for look in looks]) == taken
