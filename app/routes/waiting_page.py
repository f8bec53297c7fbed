"""The waiting page: drawn once a language for everybody, then filled in for each visitor.

It holds the words for every state; the visitor's own is shown, also by the script that takes in
news, so that an opening does not make ten thousand browsers load a page at once.
"""

import re
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import quote, urlencode

from babel.numbers import format_decimal
from flask import render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import escape

from app.fair_door_settings import FairDoorSettings
from app.forms.voucher_code import read_voucher_code
from app.gateways import current_settings
from app.routes.drawings import drawn
from app.routes.language import current_language
from app.services.waiting.news import News, State

# While they wait; the other states have something to press, which a reload would take away.
RELOADING = (State.BEFORE, State.WAITING, State.PAUSED, State.TAKEN)
QUANTITY = re.compile(r"t[0-9]{1,19}")
# What stands in the drawing for each visitor's own: nothing an address or a page would escape.
MARKS = (
    "state_now",
    "pause",
    "opens_in",
    "ahead",
    "minutes",
    "action",
    "next",
    "here",
    "refresh",
    "proof",
)


def write_page(
    news: News, opens_at: datetime | None, challenge: str = "", *, is_refused: bool = False
) -> str:
    """Return the page for these news.

    `challenge`: JSON of the work a place costs, empty when it costs none. `is_refused`: somebody
    asked for a place without having done it.
    """
    language = current_language()
    drawing = drawn(("waiting", language), opens_at, lambda: _draw(opens_at))
    mine = f'data-state="{news.state.value}"'
    body = drawing.body.replace(f"{mine} hidden", mine, 1)
    if news.opens_in:
        body = body.replace("data-opening hidden", "data-opening", 1)
    if news.is_scarce and news.state is State.WAITING:
        body = body.replace("data-scarce hidden", "data-scarce", 1)
    if challenge:
        body = body.replace("data-lot hidden", "data-lot", 1)
    if is_refused:
        body = body.replace("data-refused hidden", "data-refused", 1)
    for name, value in (_values(news) | {"proof": str(escape(challenge))}).items():
        body = body.replace(f"__{name}__", value)
    return body


def chosen_query() -> str:
    """Return the quantities and the code in the address as a query: they survive the wait."""
    chosen = {k: v for k, v in request.args.items() if QUANTITY.fullmatch(k) and v.isdecimal()}
    if voucher := read_voucher_code(request.args.get("voucher", "")):
        chosen["voucher"] = voucher
    return f"?{urlencode(chosen)}" if chosen else ""


def _draw(opens_at: datetime | None) -> str:
    marks = {name: f"__{name}__" for name in MARKS}
    door = cast(FairDoorSettings, current_settings().fair_door)
    minutes = door.turn // timedelta(minutes=1)
    return render_template(
        "waiting/show.html",
        **marks,
        opens_at=opens_at,
        words=_words(),
        turn_minutes=minutes,
        has_proof=door.has_proof_of_work,
    )


def _values(news: News) -> dict[str, str]:
    waiting = url_for("fair_door.show") + chosen_query()
    is_reloading = news.state in RELOADING
    refresh = f'<noscript><meta http-equiv="refresh" content="{news.pause}"></noscript>'
    return {
        "state_now": news.state.value,
        "pause": str(news.pause),
        "opens_in": str(news.opens_in),
        "ahead": str(escape(_ahead(news.ahead))),
        "minutes": str(escape(_minutes(news.minutes))),
        "action": str(escape(waiting)),
        "next": str(escape(url_for("checkout.show") + chosen_query())),
        "here": quote(waiting, safe="/"),
        "refresh": refresh if is_reloading else "",
    }


def _words() -> dict[str, str]:
    """Return the sentences with a number in them; the script fills in the same ones."""
    return {
        "ahead-none": _("You are next."),
        "ahead-one": _("1 person is ahead of you."),
        "ahead-many": _("{n} people are ahead of you."),
        "minutes-unknown": _("How long that takes cannot be told at the moment."),
        "minutes-one": _("Your turn comes in less than a minute."),
        "minutes-many": _("Your turn comes in about {n} minutes."),
        "minutes-hour": _("It takes more than an hour until your turn."),
    }


def _ahead(number: int) -> str:
    kind = {0: "none", 1: "one"}.get(number, "many")
    return _fill(f"ahead-{kind}", number)


def _minutes(number: int) -> str:
    kind = "hour" if number > 60 else {0: "unknown", 1: "one"}.get(number, "many")
    return _fill(f"minutes-{kind}", number)


def _fill(name: str, number: int) -> str:
    return _words()[name].replace("{n}", format_decimal(number, locale=get_locale()))
