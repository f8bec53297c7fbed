"""The work a place in the lot costs, where it is switched on: ALTCHA, done by the browser."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from app.environment import Reader
from app.fair_door_settings import FairDoorSettings, read_fair_door
from app.services.waiting import places, proofs
from app.services.waiting.proofs import Proofs
from app.services.waiting.refusals import ProofNeeded
from tests.door.web import web_server
from tests.harness.browser import browsing
from tests.pages import axe
from tests.pages.html import Page
from tests.waiting.conftest import OpenHall
from tests.waiting.hall import Hall

IN_AN_HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MOST", 2_000)


@pytest.fixture
def guarded(open_hall: OpenHall) -> Hall:
    """A hall an hour before its opening, where a place costs work."""
    hall = open_hall(datetime.now(UTC) + IN_AN_HOUR, has_proof_of_work=True)
    hall.add_ticket()
    return hall


def task(answer: TestResponse) -> dict[str, Any]:
    """Return the challenge in a page."""
    [form] = [each for each in Page(answer).all("form") if "data-proof" in each.attributes]
    challenge: dict[str, Any] = json.loads(form.attributes["data-proof"] or "")
    return challenge


def solve(challenge: dict[str, Any], /, **changes: Any) -> str:
    """Solve a challenge as a browser does; `changes` are what somebody forges in the answer."""
    algorithm = challenge["algorithm"].replace("-", "").lower()
    numbers = range(challenge["maxNumber"] + 1)

    def is_it(number: int) -> bool:
        tried = hashlib.new(algorithm, f"{challenge['salt']}{number}".encode())
        return bool(tried.hexdigest() == challenge["challenge"])

    sent = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return encode({**sent, "number": next(filter(is_it, numbers)), **changes})


def encode(sent: object) -> str:
    return base64.b64encode(json.dumps(sent).encode()).decode()


def take(client: FlaskClient, solution: str | None = None) -> TestResponse:
    return client.post("/waiting", data={} if solution is None else {"altcha": solution})


def test_switched_off_a_place_costs_nothing(open_hall: OpenHall) -> None:
    hall = open_hall(datetime.now(UTC) + IN_AN_HOUR)
    hall.add_ticket()
    page = hall.client.get("/waiting").get_data(as_text=True)
    assert "altcha" not in page
    assert "proof" not in page
    assert take(hall.client).status_code == 303
    assert hall.count_places() == 1


def test_it_is_off_unless_switched_on() -> None:
    def read(**environ: str) -> FairDoorSettings | None:
        return read_fair_door(Reader({"FAIR_DOOR": "true", **environ}), is_key_required=True)

    usual, chosen = read(), read(FAIR_DOOR_PROOF_OF_WORK="true")
    assert usual is not None and not usual.has_proof_of_work
    assert chosen is not None and chosen.has_proof_of_work


def test_a_solved_task_is_worth_one_place_in_the_lot(guarded: Hall) -> None:
    client = guarded.client
    solution = solve(task(client.get("/waiting")))
    assert take(client, solution).status_code == 303
    assert client.get("/waiting/news").get_json()["state"] == "before"
    assert guarded.count_places() == 1

    again = take(guarded.client, solution)
    assert again.status_code == 422
    assert "Set-Cookie" not in again.headers
    assert guarded.count_places() == 1


def test_who_is_refused_gets_a_fresh_task_and_its_words(guarded: Hall) -> None:
    client = guarded.client
    first = task(client.get("/waiting"))
    refused = take(client)
    assert refused.status_code == 422
    assert "Tempat belum diambil." in refused.get_data(as_text=True)
    assert "data-refused hidden" not in refused.get_data(as_text=True)
    assert task(refused)["salt"] != first["salt"]
    assert take(client, solve(task(refused))).status_code == 303


@pytest.mark.parametrize(
    "changes",
    [
        {"number": -1},
        {"number": True},
        {"number": "1"},
        {"number": 10**300},
        {"signature": "0" * 64},
        {"algorithm": "SHA-1"},
        {"algorithm": "MD5"},
        {"algorithm": None},
        {"challenge": None},
        {"salt": "\ud800"},
        {"salt": "00?newest=0&expires=99999999999&"},
        {"salt": ["a"]},
    ],
)
def test_a_forged_solution_is_worth_nothing(guarded: Hall, changes: dict[str, Any]) -> None:
    forged = solve(task(guarded.client.get("/waiting")), **changes)
    assert take(guarded.client, forged).status_code == 422
    assert guarded.count_places() == 0


@pytest.mark.parametrize(
    "sent",
    ["", "%%%", "bm9uZQ==", encode(7), encode([]), encode({}), "W1tb" * 149, "A" * 5_000],
)
def test_what_is_no_solution_at_all_is_worth_nothing(guarded: Hall, sent: str) -> None:
    assert take(guarded.client, sent).status_code == 422
    assert guarded.count_places() == 0


def test_a_solution_of_another_service_or_of_a_shorter_life_is_worth_nothing(guarded: Hall) -> None:
    now = datetime.now(UTC)
    secret = guarded.settings.secret_key
    strange = Proofs("another secret, as long as it is").challenge(0, now)
    late = Proofs(secret).challenge(0, now - proofs.LIFE - timedelta(seconds=2))
    in_time = Proofs(secret).challenge(0, now - proofs.LIFE + timedelta(minutes=1))
    assert take(guarded.client, solve(json.loads(strange))).status_code == 422
    assert take(guarded.client, solve(json.loads(late))).status_code == 422
    assert guarded.count_places() == 0
    assert take(guarded.client, solve(json.loads(in_time))).status_code == 303


def test_the_end_of_its_life_cannot_be_moved(guarded: Hall) -> None:
    challenge = task(guarded.client.get("/waiting"))
    nonce, _, terms = challenge["salt"].partition("?")
    for salt in (f"{nonce}?expires=99999999999&{terms}", f"{nonce}?{terms}expires=99999999999&"):
        assert take(guarded.client, solve(challenge, salt=salt)).status_code == 422
    assert guarded.count_places() == 0


def test_from_the_opening_on_a_place_at_the_end_costs_nothing(guarded: Hall) -> None:
    drawn = guarded.client
    assert take(drawn, solve(task(drawn.get("/waiting")))).status_code == 303
    guarded.set_door(opens_at=datetime.now(UTC) - timedelta(minutes=1), is_paused=True)

    late = guarded.client
    page = late.get("/waiting").get_data(as_text=True)
    assert "data-lot hidden" in page
    assert take(late).status_code == 303
    assert "Ada 1 orang di depan Anda." in late.get("/waiting").get_data(as_text=True)


def test_a_page_that_has_not_seen_the_new_line_yet_gives_nothing_away(guarded: Hall) -> None:
    """Whether the lot is still to come is read where the place is made, not a second before."""
    with guarded.working(), pytest.raises(ProofNeeded):
        places.take_place(guarded.now, guarded.door)
    assert guarded.count_places() == 0


def test_a_browser_does_the_work_by_itself(guarded: Hall, browser: Browser) -> None:
    with web_server(guarded.app) as address, browsing(browser) as page:
        page.goto(f"{address}/waiting")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Penjualan belum dibuka")
        assert guarded.count_places() == 1


def test_a_refused_browser_shows_its_work_and_does_it_at_the_button(
    guarded: Hall, browser: Browser
) -> None:
    with web_server(guarded.app) as address, browsing(browser) as page:
        page.add_init_script("sessionStorage.setItem('place asked for', String(Date.now()))")
        page.goto(f"{address}/waiting")
        page.evaluate("document.querySelector('form[data-proof]').submit()")
        expect(page.get_by_text("Tempat belum diambil.")).to_be_visible()
        expect(page.locator("[data-no-cookies]")).to_be_hidden()
        page.evaluate("document.querySelector('.waiting__work').hidden = false")
        assert axe.violations(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        page.evaluate("document.querySelector('.waiting__work').hidden = true")
        page.get_by_role("button", name="Ambil tempat saya").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Penjualan belum dibuka")
    assert guarded.count_places() == 1


def test_a_body_beyond_every_form_of_ours_is_not_even_read(guarded: Hall) -> None:
    assert take(guarded.client, "A" * 100_000).status_code == 413
    assert guarded.count_places() == 0


def test_a_page_without_javascript_says_kindly_how_it_goes_on(guarded: Hall) -> None:
    page = guarded.client.get("/waiting").get_data(as_text=True)
    [hint] = [each for each in page.split("<noscript>") if "data-lot" in each]
    assert hint.startswith('<p class="hint" data-lot>Peramban Anda tidak menjalankan JavaScript')


# Chromium's switch for scripts leaves out <noscript>: its words are tested above.
def test_without_javascript_a_place_is_to_be_had_from_the_opening_on(
    guarded: Hall, browser: Browser
) -> None:
    with (
        web_server(guarded.app) as address,
        browsing(browser, java_script_enabled=False) as page,
    ):
        page.goto(f"{address}/waiting")
        page.get_by_role("button", name="Ambil tempat saya").click()
        expect(page.get_by_text("Tempat belum diambil.")).to_be_visible()
        assert guarded.count_places() == 0
        guarded.set_door(opens_at=datetime.now(UTC) - timedelta(minutes=1), is_paused=True)
        page.goto(f"{address}/waiting")
        page.get_by_role("button", name="Ambil tempat saya").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Antrean dijeda")
    assert guarded.count_places() == 1
