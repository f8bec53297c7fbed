"""The words of mails, from `templates/email/<name>/`: subject.txt, body.txt and body.html."""

from css_inline import CSSInliner
from flask import render_template
from flask_babel import force_locale

# Nothing is loaded from anywhere.
INLINER = CSSInliner(load_remote_stylesheets=False)


def compose(name: str, locale: str, **context: object) -> tuple[str, str, str]:
    """Return subject, text and HTML of the mail called `name`, in a language ("id" or "en").

    Needs an application context. The subject is one line; the HTML carries its styles on its
    elements, as old mail clients ask.
    """
    with force_locale(locale):
        subject, text, html = (
            render_template(f"email/{name}/{part}", locale=locale, **context)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return " ".join(subject.split()), text.strip() + "\n", INLINER.inline(html)
