"""/door: who sees the scanner, what a phone keeps of it, and checking codes without scripts."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import ScanReason
from app.routes.door_words import door_words
from tests.app_factory import make_settings, running_app
from tests.door.seeding import SeededDoor, seeded_door
from tests.harness.database import fresh_sqlite
from tests.pages.html import Page

STATIC = Path(__file__).parents[2] / "app/static"
SCRIPTS = STATIC / "js/door"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on an SQLite file, shared by the tests of this file."""
    with running_app(make_settings(fresh_sqlite(tmp_path_factory.mktemp("door")))) as running:
        yield running


@pytest.fixture(scope="module")
def door(app: Flask) -> Iterator[SeededDoor]:
    with seeded_door(app.config["SQLALCHEMY_DATABASE_URI"]) as seeded:
        yield seeded


def phone(app: Flask, door: SeededDoor, name: str, **more: Any) -> FlaskClient:
    """Return the browser of a paired phone."""
    client = app.test_client()
    client.set_cookie("door_device", door.pair(name, **more))
    return client


def shell_of(client: FlaskClient) -> dict[str, Any]:
    """Return what the service worker keeps."""
    script = client.get("/door/sw.js").text
    found = re.match(r"const SHELL = (.+);\n", script)
    assert found
    shell: dict[str, Any] = json.loads(found[1])
    return shell


def test_a_stranger_is_told_the_two_ways_in(app: Flask) -> None:
    page = Page(app.test_client().get("/door"))
    links = [link.attributes for link in page.all("a")]
    ways = [link["href"] for link in links if link.get("class", "").startswith("button")]
    assert ways == ["/door/pair", "/staff/log-in?next=/door"]
    assert not page.all("video")


def test_a_phone_that_was_cut_off_is_told_so(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Lost")
    door.cut_off("Lost")
    page = Page(client.get("/door", headers={"Accept-Language": "en"}))
    assert page.all("h1")[0].text == "This phone was cut off"
    assert not page.all("video")


@pytest.mark.parametrize(("language", "word"), [("id", "Silakan masuk"), ("en", "Welcome")])
def test_the_scanner_speaks_the_chosen_language(
    app: Flask, door: SeededDoor, language: str, word: str
) -> None:
    client = phone(app, door, f"Phone {language}")
    page = Page(client.get(f"/door?language={language}"))
    assert json.loads(page.all("body")[0].attributes["data-words"])["admitted"] == word
    again = Page(client.get("/door", headers={"Accept-Language": "fr"}))
    assert again.all("html")[0].attributes["lang"] == language


def test_only_the_door_may_use_camera_and_webassembly(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Camera")
    headers = client.get("/door").headers
    assert "script-src 'self' 'wasm-unsafe-eval';" in headers["Content-Security-Policy"]
    assert "camera=(self)" in headers["Permissions-Policy"]
    elsewhere = client.get("/").headers
    assert "wasm-unsafe-eval" not in elsewhere["Content-Security-Policy"]
    assert "camera=()" in elsewhere["Permissions-Policy"]


def test_the_scanner_holds_no_inline_script_or_style_or_other_host(
    app: Flask, door: SeededDoor
) -> None:
    page = Page(phone(app, door, "Inline").get("/door"))
    assert not page.all("style")
    for element in page.elements:
        names = element.attributes.keys()
        assert "style" not in names
        assert not [name for name in names if name.startswith("on")]
        for name in ("src", "href", "action"):
            assert element.attributes.get(name, "/").startswith(("/", "#")), element
    assert [script.text for script in page.all("script")] == [""]


def test_the_kept_page_is_the_same_for_everybody(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Secret name")
    stranger = app.test_client()
    pages = shell_of(client)["pages"]
    for language, address in pages.items():
        kept = client.get(address)
        assert kept.text == stranger.get(address).text
        assert kept.headers["Content-Language"] == language
        for private in ("Secret name", "csrf_token"):
            assert private not in kept.text
            assert private in client.get("/door").text


def test_every_file_the_scanner_loads_is_kept(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Files")
    shell = shell_of(client)
    kept = set(shell["files"])
    page = Page(client.get("/door"))
    links = [e.attributes["href"] for e in page.all("link") if e.attributes["rel"] != "manifest"]
    assert set(links) | {page.all("script")[0].attributes["src"]} <= kept
    base = f"/door/shell/{shell['version']}/"
    imports = r'(?:from |import\(?|URL\()"(\.[^"]+)"'
    for script in SCRIPTS.glob("*.js"):
        for path in re.findall(imports, script.read_text()):
            target = (script.parent / path).resolve().relative_to(STATIC)
            assert f"{base}{target}" in kept, (script.name, path)
    assert f"{base}js/door/sw.js" not in kept


def test_each_file_comes_with_its_kind_and_may_be_kept_for_good(app: Flask) -> None:
    client = app.test_client()
    kinds = {".js": "text/javascript", ".wasm": "application/wasm", ".css": "text/css"}
    for address in shell_of(client)["files"]:
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        suffix = Path(address).suffix
        if suffix in kinds:
            assert answer.mimetype == kinds[suffix]
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "wasm-unsafe-eval" in answer.headers["Content-Security-Policy"]


def test_another_version_has_no_files_here(app: Flask) -> None:
    client = app.test_client()
    for address in [*shell_of(client)["files"][:2], *shell_of(client)["pages"].values()]:
        other = re.sub(r"/shell/\w+/", "/shell/000000000000/", address)
        assert client.get(other).status_code == 404
    version = shell_of(client)["version"]
    assert client.get(f"/door/shell/{version}/js/site.js").status_code == 404


def test_the_version_changes_with_any_word_of_the_page(app: Flask, tmp_path: Path) -> None:
    before = shell_of(app.test_client())["version"]
    settings = make_settings(fresh_sqlite(tmp_path))
    with running_app(settings) as same:
        assert shell_of(same.test_client())["version"] == before
    with running_app(replace(settings, event=replace(settings.event, name="Another"))) as other:
        assert shell_of(other.test_client())["version"] != before


def test_the_service_worker_may_serve_the_page_itself(app: Flask) -> None:
    answer = app.test_client().get("/door/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/door"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.mimetype == "text/javascript"


def test_the_manifest_installs_the_scanner(app: Flask) -> None:
    client = app.test_client()
    manifest = client.get("/door/manifest.webmanifest").get_json(force=True)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == (
        "/door",
        "/door",
        "standalone",
    )
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        with client.get(icon["src"]) as answer:
            assert answer.data[:4] == b"\x89PNG"
            size = int.from_bytes(answer.data[16:20], "big")
        assert icon["sizes"] == f"{size}x{size}"


def test_the_scripts_say_nothing_the_page_has_no_words_for(app: Flask) -> None:
    with app.test_request_context():
        words = door_words()
    for script in SCRIPTS.glob("*.js"):
        named = set(re.findall(r'(?<!#)\b(?:say|tell)\("(\w+)"', script.read_text()))
        assert named <= set(words), script.name
    assert {reason.value for reason in ScanReason} <= set(words)


def type_code(client: FlaskClient, code: str, **changed: str) -> Page:
    """Send the form of the page without scripts."""
    return Page(client.post("/door", data=form_of(client) | {"code": code} | changed))


def form_of(client: FlaskClient) -> dict[str, str]:
    """Return the hidden fields of the form without scripts."""
    hidden = Page(client.get("/door")).all("input", type="hidden")
    return {field.attributes["name"]: field.attributes["value"] for field in hidden}


def test_without_scripts_a_typed_code_is_answered_by_a_page(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Plain", gate_id=door.add_gate("Utama"))
    [seat] = door.sell(door.add_ticket(type="Reguler"))
    page = type_code(client, seat.short_code.lower().replace("-", " "))
    assert page.all("h1")[0].text == "Silakan masuk"
    assert f"{seat.attendee} Reguler · {seat.short_code}" in page.text
    page = type_code(client, seat.short_code)
    assert page.all("h1")[0].text == "Stop"
    assert re.search(r"Sudah masuk di gerbang Utama, \d\d\.\d\d WIB", page.text)
    page = type_code(client, "2222-2222")
    assert "Ini bukan tiket kami" in page.text


def test_a_form_sent_twice_is_one_scan(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Twice")
    [seat] = door.sell(door.add_ticket())
    fields = form_of(client) | {"code": seat.short_code}
    for _ in range(2):
        assert Page(client.post("/door", data=fields)).all("h1")[0].text == "Silakan masuk"
    assert len(door.scans_of(seat)) == 1


def test_guests_are_scanned_out_without_scripts_where_the_gate_does_so(
    app: Flask, door: SeededDoor
) -> None:
    gate_id = door.add_gate("Taman", has_exit=True, has_reentry=True)
    client = phone(app, door, "Garden", gate_id=gate_id)
    [seat] = door.sell(door.add_ticket())
    assert "Tidak tercatat di dalam" in type_code(client, seat.short_code, direction="out").text
    type_code(client, seat.short_code, direction="in")
    page = type_code(client, seat.short_code, direction="out")
    assert page.all("h1")[0].text == "Sudah keluar"


@pytest.mark.parametrize("changed", [{"direction": "up"}, {"scan_id": "x"}])
def test_a_forged_form_is_refused(app: Flask, door: SeededDoor, changed: dict[str, str]) -> None:
    client = phone(app, door, f"Forged {changed}")
    [seat] = door.sell(door.add_ticket())
    assert type_code(client, seat.short_code, **changed).status == 400
    assert not door.scans_of(seat)


def test_a_stranger_cannot_check_codes_in(app: Flask, door: SeededDoor) -> None:
    [seat] = door.sell(door.add_ticket())
    client = app.test_client()
    form = Page(client.get("/door/pair")).fields | {"code": seat.short_code}
    page = Page(client.post("/door", data=form))
    assert page.all("a", class_="button")
    assert not door.scans_of(seat)


def test_leaving_is_asked_for_by_our_own_page_only(app: Flask, door: SeededDoor) -> None:
    client = phone(app, door, "Leaving")
    assert client.post("/door/leave", data={"deviceId": ""}).status_code == 415
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/door/leave", json={}, headers=foreign).status_code == 403
    assert client.post("/door/leave", json=[]).status_code == 400
    assert client.post("/door/leave", json={"deviceId": None}).get_json() == {"left": False}
    assert client.get("/door").status_code == 200

    assert client.post("/door/leave", json={}).get_json() == {"left": True}

    assert client.get_cookie("door_device") is None
    assert client.post("/door/leave", json={}).status_code == 401
