"""The words of mails, from `templates/email/<name>/`: subject.txt, body.txt and body.html."""

import re
import textwrap

from css_inline import CSSInliner
from flask import render_template
from flask_babel import force_locale

# Nothing is loaded from anywhere. At-rules (narrow screens, dark mode) cannot stand on elements.
INLINER = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
TEXT_WIDTH = 72  # leaves room to be quoted in answers
LIST_MARK = re.compile(r"(\* |\d+\. |\s+)?")


def compose(name: str, locale: str, **context: object) -> tuple[str, str, str]:
    """Return subject, text and HTML of the mail called `name`, in a language ("id" or "en").

    Needs an application context. The subject is one line; the text is set to TEXT_WIDTH; the HTML
    carries its styles on its elements, as old mail clients ask.
    """
    with force_locale(locale):
        subject, text, html = (
            render_template(f"email/{name}/{part}", locale=locale, **context)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return " ".join(subject.split()), _set(text), INLINER.inline(html)


def _set(text: str) -> str:
    """Break long lines between words, points of a list with a hanging indent; addresses stay."""
    lines = (_wrapped(line) for line in text.strip().splitlines())
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> str:
    mark = LIST_MARK.match(line)
    indent = " " * len(mark.group()) if mark else ""
    return textwrap.fill(
        line,
        TEXT_WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=line != "-- ",  # the mark before a signature ends in a space (RFC 3676)
    )
