"""Pages that look the same to everybody: drawn once, then sent to all who ask meanwhile."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

KEY = "drawings"
MOST_KINDS = 200


@dataclass(frozen=True)
class Drawing:
    """A page or a part of one, and the mark by which a browser knows that it has it already."""

    body: str
    etag: str


def draw(body: str) -> Drawing:
    """Return a drawing of this body; its mark is a hash of all of it."""
    return Drawing(body, hashlib.sha256(body.encode()).hexdigest()[:32])


def drawn(kind: object, source: object, render: Callable[[], str]) -> Drawing:
    """Return the last drawing of this kind while its source stays equal, else a new one.

    Each kind keeps one drawing, and of more than MOST_KINDS all are forgotten. Two who ask at once
    for a new one may both draw it; they draw the same.
    """
    kept: dict[object, tuple[object, Drawing]] = current_app.extensions.setdefault(KEY, {})
    last = kept.get(kind)
    if last is None or last[0] != source:
        if len(kept) >= MOST_KINDS:
            kept.clear()
        last = kept[kind] = source, draw(render())
    return last[1]
