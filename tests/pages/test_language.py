"""Languages: chosen once and kept, taken from the browser otherwise, Indonesian at last."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form

ROOT = Path(__file__).parents[2]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "_l": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "_ln": (1, 2),
    "lazy_ngettext": (1, 2),
}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("id-ID,id;q=0.9,en;q=0.5", "id"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.5,id;q=0.4", "en"),
        ("fr-FR,fr;q=0.9", "id"),
        ("*", "id"),
        ("", "id"),
        ("nonsense;;;q=x", "id"),
    ],
)
def test_the_browser_says_which_language(shop: Shop, accepted: str, language: str) -> None:
    page = Page(shop.client.get("/", headers={"Accept-Language": accepted}))
    assert page.all("html")[0].attributes["lang"] == language


def test_a_chosen_language_is_kept_for_a_year_over_the_browsers(shop: Shop) -> None:
    client = shop.client
    response = client.get("/language/en?next=/checkout?t1=2")
    assert (response.status_code, response.headers["Location"]) == (303, "/checkout?t1=2")
    cookie = client.get_cookie("language")
    assert cookie is not None
    assert cookie.max_age == 365 * 24 * 3600
    page = Page(client.get("/", headers={"Accept-Language": "id"}))
    assert page.all("html")[0].attributes["lang"] == "en"


def test_every_page_offers_the_other_language_one_click_away(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    page = Page(client.get(f"/?t{ticket}=2", headers={"Accept-Language": "id"}))
    (link,) = [e for e in page.all("a") if e.attributes.get("hreflang") == "en"]
    back = client.get(link.attributes["href"]).headers["Location"]
    english = Page(client.get(back))
    assert english.all("html")[0].attributes["lang"] == "en"
    assert english.fields[f"t{ticket}"] == "2"


def test_an_unknown_cookie_is_ignored(shop: Shop) -> None:
    client = shop.client
    client.set_cookie("language", "../../etc")
    assert Page(client.get("/")).all("html")[0].attributes["lang"] == "id"


def test_an_unknown_language_is_not_found(shop: Shop) -> None:
    assert shop.client.get("/language/xx").status_code == 404


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/%0d%0aSet-Cookie:x=y\r\nX: y",
        "javascript:alert(1)",
        "evil",
        "http:evil.example",
        "//[",
        "",
    ],
)
def test_it_never_leads_to_another_site(shop: Shop, elsewhere: str) -> None:
    response = shop.client.get("/language/en", query_string={"next": elsewhere})
    assert (response.status_code, response.headers["Location"]) == (303, "/")


def texts_in_code() -> dict[str, str]:
    """Return every text that needs a translation, with its plural if it has one."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
    found = extract_from_dir(ROOT / "app", methods, keywords=KEYWORDS)
    texts = [text if isinstance(text, tuple) else (text, text) for _f, _line, text, *_ in found]
    return {text[0]: text[1] for text in texts}


def placeholders(text: str) -> set[str]:
    """Return the names in `%(name)s` of a text."""
    return {part.partition(")")[0] for part in text.split("%(")[1:]}


def test_every_text_is_translated_into_indonesian() -> None:
    with (ROOT / "app/translations/id/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="id")
    assert not catalogue.fuzzy, "the whole catalogue is marked fuzzy: it has no header"
    problems = []
    for text, plural in sorted(texts_in_code().items()):
        message = catalogue.get(text)
        strings = (message.string if message else None) or ""
        for string in [strings] if isinstance(strings, str) else strings:
            if not string or (message and message.fuzzy):
                problems.append(f"missing or fuzzy: {text!r}")
            elif not placeholders(string) <= placeholders(text + plural):
                problems.append(f"unknown placeholder: {string!r}")
    assert not problems, "\n".join(problems)
    assert len(texts_in_code()) > 100, "the texts were not found at all"


def test_no_translation_is_left_over() -> None:
    with (ROOT / "app/translations/id/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file, locale="id")
    kept = {m.id[0] if isinstance(m.id, tuple) else m.id for m in catalogue if m.id}
    assert kept <= texts_in_code().keys()


def test_the_checkout_changes_its_language_and_keeps_what_was_typed(shop: Shop) -> None:
    ticket = shop.add_ticket()
    client = shop.client
    sent = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {f"a{ticket}_2": "Budi"}
    page = Page(client.post("/checkout", data=sent | {"language": "en"}))
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.headers["Content-Language"] == "en"
    changed = {"csrf_token", "prefilled", f"a{ticket}_1"}  # the untouched seat took the name
    assert {k: v for k, v in page.fields.items() if k not in changed} == {
        k: v for k, v in sent.items() if k not in changed
    }
    assert shop.count_orders() == 0
    assert Page(client.get("/")).all("html")[0].attributes["lang"] == "en"


def test_an_unknown_language_changes_nothing_on_the_checkout(shop: Shop) -> None:
    client = shop.client
    page = Page(client.post("/checkout", data=open_form(client).fields | {"language": "xx"}))
    assert page.all("html")[0].attributes["lang"] == "id"
    assert client.get_cookie("language") is None


@pytest.mark.parametrize(("language", "marked"), [("id", []), ("en", ["Reguler", "Keterangan"])])
def test_the_organisers_words_are_marked_on_a_page_in_another_language(
    shop: Shop, language: str, marked: list[str]
) -> None:
    ticket = shop.add_ticket("Reguler")
    page = Page(shop.client.get("/", headers={"Accept-Language": language}))
    spans = [e for e in page.by_id(f"ticket-{ticket}").walk() if e.attributes.get("lang") == "id"]
    assert [e.text.split()[0] for e in spans[:2]] == marked
