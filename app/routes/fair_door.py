"""The fair door: the waiting page, and the guard that lets visitors into the checkout in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from flask import (
    Blueprint,
    Flask,
    Response,
    after_this_request,
    current_app,
    g,
    redirect,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.clock import utcnow
from app.errors import DomainError
from app.extensions import csrf, limiter
from app.fair_door_settings import FairDoorSettings
from app.gateways import current_settings
from app.routes import fair_door_proof, lane_hooks
from app.routes.fair_door_cookies import PLACE, TURN, Seals, forget, keep_place, keep_turn
from app.routes.fair_door_news import PATH, RENEW, NewsDesk, describe, news_for, told
from app.routes.fair_door_proof import new_challenge, proof_sent
from app.routes.hooks import security_headers
from app.routes.htmx import wants_fragment
from app.routes.own_orders import has_made
from app.routes.waiting_page import chosen_query, write_page
from app.services.selling.ordering import OrderRequest
from app.services.waiting import places
from app.services.waiting.look import Look, Place, watch
from app.services.waiting.news import News, State
from app.services.waiting.places import Turn, Wanted
from app.services.waiting.refusals import ProofNeeded

KEY = "fair_door_seals"
# From here on a newcomer does not stand in a line that anybody would see.
SHORT_LINE = 3
BUSY = 503
UNPROVED = 422

bp = Blueprint("fair_door", __name__)


def init_app(app: Flask) -> None:
    """Put the fair door in front of the checkout, if the settings want one."""
    app.register_blueprint(bp)
    settings = app.extensions["settings"]
    if settings.fair_door is None:
        return
    seals = app.extensions[KEY] = Seals(settings.secret_key)
    if settings.fair_door.has_proof_of_work:
        fair_door_proof.init_app(app)
    app.after_request(_note_busy)
    with app.app_context():
        lane_hooks.when_refused(app, watch().note_busy)
        app.wsgi_app = NewsDesk(  # type: ignore[method-assign]
            app.wsgi_app, watch=watch(), seals=seals, headers=security_headers(settings)
        )


def guard() -> ResponseReturnValue | None:
    """Let a request for the checkout through when its visitor was admitted, else have it wait.

    Raises Busy.
    """
    settings = current_settings().fair_door
    if settings is None:
        return None
    now = utcnow()
    look = watch().look(now, settings)
    if not look.is_on or _is_repeat():
        return None
    g.fair_door_turn = _find_turn(look, now) or _enter(look, now, settings)
    return None if g.fair_door_turn else _send_to_wait()


def current_turn() -> Turn | None:
    """Return the turn this request uses; None without a fair door."""
    turn: Turn | None = g.get("fair_door_turn")
    return turn


@contextmanager
def using_turn(order: OrderRequest, order_key: str) -> Iterator[None]:
    """Use the turn for the order placed inside the block; a refusal gives it back.

    Raises TurnUsed, SeatLimitReached, Busy; nothing is placed then.
    """
    turn, settings = current_turn(), current_settings()
    if turn is None or settings.fair_door is None:
        yield
        return
    wanted = Wanted(
        order_key,
        places.contact_key(settings.secret_key, "email", order.buyer.email),
        places.contact_key(settings.secret_key, "phone", order.buyer.no_hp),
        sum(order.quantities().values()),
    )
    places.claim(turn, wanted, utcnow(), settings.fair_door)
    try:
        yield
    except DomainError:
        places.release(turn, order_key)
        raise
    after_this_request(_forget)


@bp.get("/waiting")
def show() -> ResponseReturnValue:
    """Show where the visitor stands; who need not wait is led on."""
    now, settings = utcnow(), _settings()
    look = watch().look(now, settings)
    news = _news(look, now)
    if news.state is State.OPEN:
        return redirect(_checkout(), code=303)
    is_stranger = news.state is State.STRANGER
    challenge = new_challenge(look, now) if is_stranger else ""
    response = Response(write_page(news, look.opens_at, challenge))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag(weak=True)
    return response.make_conditional(request)


# Forgery gains nothing here, and a page without a token is the same for everybody. Carriers put
# thousands behind one address: the limit stops a flood, the lot makes a handful of places useless.
@bp.post("/waiting")
@csrf.exempt
@limiter.limit("600 per minute")
def take() -> ResponseReturnValue:
    """Give the visitor a place, unless there is one already: tabs and reloads share it."""
    now, settings = utcnow(), _settings()
    look = watch().look(now, settings)
    if _news(look, now).state not in (State.STRANGER, State.MISSED):
        return redirect(_waiting(), code=303)
    try:
        place = places.take_place(now, settings, None if look.is_open else proof_sent())
    except ProofNeeded:
        return _ask_again(look, now)
    sealed = _seals().write_place(place)
    response = redirect(_checkout() if _is_called(place, look, now, settings) else _waiting(), 303)
    keep_place(response, sealed)
    return response


@bp.get(PATH)
def news() -> ResponseReturnValue:
    """Look at the line for all who ask in this second; see `NewsDesk`, which answers the others."""
    now, settings = utcnow(), _settings()
    is_to_renew = request.environ.get(RENEW, False)
    look = watch().renew(now, settings) if is_to_renew else watch().look(now, settings)
    body, etag = told(look, _news(look, now))
    response = Response(body, mimetype="application/json", headers=dict(describe(etag)))
    return response.make_conditional(request)


def _settings() -> FairDoorSettings:
    """Return the fair door's settings. Raises NotFound when there is none."""
    settings = current_settings().fair_door
    if settings is None:
        raise NotFound
    return settings


def _seals() -> Seals:
    return cast(Seals, current_app.extensions[KEY])


def _news(look: Look, now: datetime) -> News:
    return news_for(look, _seals(), request.headers.get("Cookie", ""), now)


def _ask_again(look: Look, now: datetime) -> ResponseReturnValue:
    """Show the page with a fresh challenge: what was sent solves none of the lot's."""
    page = write_page(
        _news(look, now), look.opens_at, new_challenge(look, now), is_refused=not look.is_open
    )
    return Response(page, status=UNPROVED, headers={"Cache-Control": "no-store"})


def _is_repeat() -> bool:
    """Tell whether this form has made its order already: it leads there, and makes no other."""
    return request.method == "POST" and has_made(request.form.get("order_token", ""))


def _find_turn(look: Look, now: datetime) -> Turn | None:
    turn = _seals().read_turn(request.cookies.get(TURN))
    is_good = turn is not None and turn.door_id == look.door.id and turn.until > now
    return turn if is_good else None


def _enter(look: Look, now: datetime, settings: FairDoorSettings) -> Turn | None:
    """Begin the turn of a visitor who was called."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return None  # nobody looks yet: the turn would run out behind their back
    place = _seals().read_place(request.cookies.get(PLACE))
    turn = places.enter(place, look, now, settings) if place else None
    if turn is not None:
        sealed = _seals().write_turn(turn)

        @after_this_request
        def keep(response: Response) -> Response:
            keep_turn(response, sealed)
            return response

    return turn


def _is_called(place: Place, look: Look, now: datetime, settings: FairDoorSettings) -> bool:
    """Tell whether a newcomer may go straight on: so it is when nobody waits."""
    number = look.number(place)
    if number is None or number - look.door.admitted > SHORT_LINE:
        return False
    return watch().renew(now, settings).is_called(number)


def _send_to_wait() -> ResponseReturnValue:
    if wants_fragment():
        return Response(status=204, headers={"HX-Redirect": _waiting()})
    response = redirect(_waiting(), code=303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _waiting() -> str:
    return url_for("fair_door.show") + chosen_query()


def _checkout() -> str:
    return url_for("checkout.show") + chosen_query()


def _forget(response: Response) -> Response:
    forget(response)
    return response


def _note_busy(response: Response) -> Response:
    """Have the line slow down when somebody had to be refused."""
    if response.status_code == BUSY and request.endpoint not in ("health.readyz", "health.healthz"):
        watch().note_busy()
    return response
