"""What every page keeps to, of buyers and of staff; each check names the page that does not."""

from tests.pages.html import Page


def check_structure(path: str, page: Page, language: str) -> None:
    """One title, one heading, one main part, in the language that was asked for."""
    assert page.all("html")[0].attributes["lang"] == language, path
    for tag in ("h1", "main", "title"):
        assert len(page.all(tag)) == 1, (path, tag)
    assert page.all("a", class_="skip")[0].attributes["href"] == "#main", path


def check_references(path: str, page: Page) -> None:
    """Every id once, and there for whatever refers to it."""
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids)), path
    for element in page.elements:
        for name in ("for", "aria-describedby", "aria-labelledby"):
            for target in element.attributes.get(name, "").split():
                assert target in ids, (path, name, target)
        address = element.attributes.get("href", "")
        if element.tag == "a" and address.startswith("#"):
            assert address[1:] in ids, (path, address)


def check_nothing_inline(path: str, page: Page) -> None:
    """No script or style within the page, and nothing of another host but links."""
    assert "default-src 'self'" in page.headers["Content-Security-Policy"], path
    assert not page.all("style"), path
    for element in page.elements:
        names = element.attributes.keys()
        assert "style" not in names, (path, element)
        assert not [name for name in names if name.startswith(("on", "hx-on"))], (path, element)
        if element.tag == "script":
            assert element.attributes["src"].startswith("/static/"), path
            assert not element.text, path
        for name in ("src", "href", "action", "hx-get", "hx-post"):
            address = element.attributes.get(name, "/")
            is_link_away = element.tag == "a" and address.startswith("https://")
            is_drawn = element.tag == "img" and address.startswith("data:")
            is_ours = address.startswith(("/", "#", "mailto:", "tel:"))
            assert is_ours or is_link_away or is_drawn, (path, address)


def check_names(path: str, page: Page) -> None:
    """Every control has a label, every link and button a text."""
    labelled = {e.attributes["for"] for e in page.all("label")}
    for control in [*page.all("select"), *page.all("input")]:
        if control.attributes.get("type") != "hidden" and "hidden" not in control.attributes:
            assert control.attributes["id"] in labelled, (path, control)
    for element in [*page.all("a"), *page.all("button")]:
        assert element.text, (path, element)
