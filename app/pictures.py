"""Pictures that settings name: read once at the start, known by what they hold."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    # An XML document may begin with its declaration, comments and a document type.
    "image/svg+xml": re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!].*?>\s*)*<svg[\s>]", re.DOTALL),
}


@dataclass(frozen=True)
class Picture:
    """A picture in memory, as it was at the start; `mimetype` is one of SIGNATURES."""

    content: bytes = field(repr=False)
    mimetype: str

    @cached_property
    def version(self) -> str:
        """Return a short hash of the content, for an address that may be kept for good."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def read_picture(path: Path, *, most_bytes: int) -> Picture:
    """Return the picture in a file.

    Raises OSError when it cannot be read, ValueError when it is too big or no picture.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(path)
    for mimetype, signature in SIGNATURES.items():
        if signature.match(content):
            return Picture(content, mimetype)
    raise ValueError(path)
