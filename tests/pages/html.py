"""Reading pages as a browser would: elements, texts, the fields a form would send."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import TestResponse

VOID = {"meta", "link", "input", "br", "img", "hr", "rect", "use"}


@dataclass
class Element:
    """An element with its attributes and everything inside it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    @property
    def text(self) -> str:
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        # A no-break space is a space to a reader.
        return " ".join("".join(parts).split())


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Page:
    """An answer of the service: its status and headers, and its parsed, well-nested HTML."""

    def __init__(self, response: TestResponse) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.source = response.get_data(as_text=True)
        builder = _Builder()
        if response.mimetype == "text/html" and response.status_code // 100 != 3:
            builder.feed(self.source)
            assert len(builder._open) == 1, f"left open: {[e.tag for e in builder._open]}"
        self.root = builder.root

    @property
    def elements(self) -> list[Element]:
        return list(self.root.walk())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag whose attributes have these values."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    def by_id(self, name: str) -> Element:
        """Return the one element with this id."""
        found = [e for e in self.elements if e.attributes.get("id") == name]
        assert len(found) == 1, f"{len(found)} elements have the id {name}"
        return found[0]

    def has_id(self, name: str) -> bool:
        return any(e.attributes.get("id") == name for e in self.elements)

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def fields(self) -> dict[str, str]:
        """Return what the page's form would send: inputs, and the chosen options of selects."""
        fields = {
            e.attributes["name"]: e.attributes.get("value", "")
            for e in self.all("input")
            if "name" in e.attributes
        }
        for select in self.all("select"):
            options = [e for e in select.walk() if e.tag == "option"]
            chosen = [o for o in options if "selected" in o.attributes] or options[:1]
            fields[select.attributes["name"]] = chosen[0].attributes["value"]
        return fields
