"""The waiting room as a browser without JavaScript meets it, and who need not wait."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.extensions import db
from app.routes.fair_door_cookies import PLACE, TURN, Seals
from app.services.waiting.look import Place
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, pay_form
from tests.waiting.conftest import OpenHall
from tests.waiting.hall import Hall, visitor

FULL = {"is_paused": True}
MARK = re.compile(r"__[a-z]+(_[a-z]+)?__")


def state(client: FlaskClient) -> str:
    """Return the state that the waiting page shows, the only one not hidden."""
    answer = client.get("/waiting")
    assert answer.status_code == 200
    shown = [
        each.attributes["data-state"]
        for each in Page(answer).all("section")
        if "data-state" in each.attributes and "hidden" not in each.attributes
    ]
    assert len(shown) == 1
    return shown[0]


@contextmanager
def counted_statements(hall: Hall) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    with hall.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def test_without_the_setting_there_is_no_door_and_no_statement_for_it(shop: Shop) -> None:
    ticket = shop.add_ticket()
    assert shop.client.get("/waiting").status_code == 404
    assert shop.client.get("/waiting/news").status_code == 404
    assert shop.client.get(f"/checkout?t{ticket}=1").status_code == 200


def test_a_visitor_takes_a_place_goes_in_and_orders_once(hall: Hall) -> None:
    ticket, client = hall.add_ticket(), hall.client
    wanted = f"t{ticket}=2"

    sent_to_wait = client.get(f"/checkout?{wanted}")
    assert (sent_to_wait.status_code, sent_to_wait.location) == (303, f"/waiting?{wanted}")
    assert sent_to_wait.headers["Cache-Control"] == "no-store"
    form = Page(client.get(sent_to_wait.location)).all("form")[0]
    taken = client.post(form.attributes["action"])
    assert taken.location == f"/checkout?{wanted}"
    answer, sent = pay_form(client, **{f"t{ticket}": "2"})
    assert answer.status == 303
    assert hall.count_orders() == 1

    assert client.get("/checkout").location == "/waiting"
    assert client.post("/checkout", data=sent).status_code == 303
    assert client.post("/checkout", data={**sent, "order_token": "x" * 22}).location == "/waiting"
    assert hall.count_orders() == 1


def test_a_place_survives_reloads_and_tabs_and_is_one(hall: Hall) -> None:
    hall.add_ticket()
    hall.set_door(**FULL)
    client = visitor(hall)
    for _ in range(3):
        assert client.post("/waiting").location == "/waiting"
        assert state(client) == "paused"

    assert hall.count_places() == 1


def test_nobody_jumps_the_line_with_a_cookie_of_their_own_making(hall: Hall) -> None:
    hall.add_ticket()
    honest = visitor(hall)
    assert honest.get("/checkout").status_code == 200
    other = Seals("another secret, of somebody who guesses")
    forged = [
        (PLACE, other.write_place(Place(1, 1, "x" * 22))),
        (PLACE, "1.1.x.y.z"),
        (PLACE, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1") * 9),
        (PLACE, Seals(hall.settings.secret_key).write_place(Place(1, 10**15, "x" * 22))),
        (TURN, Seals(hall.settings.secret_key).write_place(Place(1, 1, "9999999999"))),
    ]
    for name, value in forged:
        client = hall.client
        client.set_cookie(name, value)
        assert client.get("/checkout").location == "/waiting", (name, value)
        assert client.get("/waiting/news").status_code == 200


def test_a_turn_of_one_line_is_worth_nothing_in_the_next(hall: Hall) -> None:
    hall.add_ticket()
    client = visitor(hall)
    assert client.get("/checkout").status_code == 200
    result = hall.app.test_cli_runner().invoke(args=["fair-door", "new-line", "--yes"])
    assert result.exit_code == 0, result.output
    hall.set_door()

    assert client.get("/checkout").location == "/waiting"


def test_before_the_opening_everybody_waits_and_sees_when_it_is(open_hall: OpenHall) -> None:
    opening = datetime.now(UTC) + timedelta(minutes=10)
    hall = open_hall(opening)
    hall.add_ticket()
    client = visitor(hall)

    assert state(client) == "before"
    page = client.get("/waiting")
    assert "pukul" in Page(page).text
    assert b'http-equiv="refresh"' in page.data
    assert client.get("/checkout").location == "/waiting"
    opens_at = client.get("/waiting/news").get_json()["opensAt"]
    assert abs(opens_at - opening.timestamp()) <= 1


def test_who_waits_is_told_at_once_when_all_is_sold(hall: Hall) -> None:
    ticket = hall.add_ticket(amount=1)
    hall.set_door(**FULL)
    client = visitor(hall)
    hall.change(ticket, held=1)
    hall.set_door()
    assert state(client) == "taken"

    hall.change(ticket, held=0, amount=0)
    hall.set_door()

    assert state(client) == "sold_out"
    assert "/" in [link.attributes["href"] for link in Page(client.get("/waiting")).all("a")]


def test_who_sleeps_through_the_turn_is_told_and_starts_again_at_the_end(hall: Hall) -> None:
    hall.add_ticket()
    client = visitor(hall)
    assert state(client) == "turn"
    hall.call_long_ago()
    assert state(client) == "missed"
    assert client.get("/checkout").location == "/waiting"

    assert client.post("/waiting").location == "/checkout"
    assert hall.count_places() == 2


def test_what_a_browser_fetches_ahead_does_not_begin_a_turn(hall: Hall) -> None:
    hall.add_ticket()
    client = visitor(hall)
    ahead = client.get("/checkout", headers={"Sec-Purpose": "prefetch;prerender"})
    assert ahead.location == client.head("/checkout").location == "/waiting"
    assert "fair_door_turn" not in str(ahead.headers)
    assert client.get("/checkout").status_code == 200


def test_switched_off_everybody_goes_straight_in(hall: Hall) -> None:
    hall.add_ticket()
    result = hall.app.test_cli_runner().invoke(args=["fair-door", "off"])
    assert result.exit_code == 0
    hall.set_door()

    assert hall.client.get("/checkout").status_code == 200
    assert hall.client.get("/waiting").location == "/checkout"


def test_commands_tell_and_change_how_the_line_stands(hall: Hall) -> None:
    run = hall.app.test_cli_runner().invoke
    assert "on; line 1" in run(args=["fair-door", "status"]).output
    assert run(args=["fair-door", "pause"]).exit_code == 0
    assert "is paused" in run(args=["fair-door", "status"]).output
    assert run(args=["fair-door", "rate", "30"]).exit_code == 0
    assert hall.look().door.most_per_minute == 30
    late = run(args=["fair-door", "open-at", "2027-01-01T09:00:00+07:00"])
    assert late.exit_code == 1
    assert "new-line" in late.output
    assert run(args=["fair-door", "open-at", "tomorrow"]).exit_code == 2


def test_orders_callbacks_door_and_staff_stay_free(hall: Hall) -> None:
    ticket = hall.add_ticket()
    token = hall.order(ticket)
    hall.set_door(**FULL)
    client = hall.client
    for path in (f"/orders/{token}", f"/orders/{token}/cancel", "/", "/staff/log-in", "/door/pair"):
        assert client.get(path).status_code == 200, path
    assert client.post("/api/payment-callback").status_code == 401
    assert client.get("/api/tickets").status_code == 200


def test_a_part_of_the_form_leads_to_the_waiting_room_as_a_whole(hall: Hall) -> None:
    hall.add_ticket()
    hall.set_door(**FULL)
    answer = hall.client.get("/checkout", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/waiting")


def test_one_person_is_refused_more_seats_than_allowed_and_keeps_the_turn(hall: Hall) -> None:
    ticket = hall.add_ticket(most=5)
    first, second = visitor(hall), visitor(hall)
    assert pay_form(first, **{f"t{ticket}": "3"})[0].status == 303

    refused, sent = pay_form(second, **{f"t{ticket}": "2"})
    assert refused.status == 409
    assert "sudah dipesan dengan data Anda" in refused.text
    assert BUYER["email"] in str(refused.fields)
    fewer = {**sent, **refused.fields, f"t{ticket}": "1", "intent": "pay"}
    assert second.post("/checkout", data=fewer).status_code in (303, 422)
    again = Page(second.post("/checkout", data=fewer))
    if again.status == 422:  # the total changed: it is shown before it is ordered
        again = Page(second.post("/checkout", data={**again.fields, "intent": "pay"}))
    assert again.status == 303
    assert hall.held(ticket) == 4


@pytest.mark.parametrize("language", ["id", "en"])
def test_news_cost_no_statement_and_are_not_repeated(hall: Hall, language: str) -> None:
    hall.add_ticket()
    hall.set_door(**FULL)
    client = visitor(hall)
    client.set_cookie("language", language)
    hall.set_door()
    with counted_statements(hall) as statements:
        answer = client.get("/waiting/news", headers={"X-Request-ID": "my-own-request"})
        etag = answer.headers["ETag"]
        same = client.get("/waiting/news", headers={"If-None-Match": etag})

    assert statements == []
    assert answer.get_json()["state"] == "paused"
    assert (same.status_code, same.data) == (304, b"")
    assert answer.headers["X-Request-ID"] == "my-own-request"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert answer.headers[name] == client.get("/waiting").headers[name]


def test_quantities_survive_the_wait_and_nothing_else_of_the_address_does(hall: Hall) -> None:
    hall.set_door(**FULL)
    page = hall.client.get('/waiting?t3=2&t4="><b>&next=//evil&tx=1')
    assert b'action="/waiting?t3=2"' in page.data
    assert b"evil" not in page.data.replace(b"__", b"")
    assert b"<b>" not in page.data


def test_every_mark_of_the_drawing_is_filled_in(hall: Hall) -> None:
    hall.add_ticket()
    for language in ("id", "en"):
        client = hall.client
        client.set_cookie("language", language)
        for _ in range(2):
            page = client.get("/waiting?t1=2").get_data(as_text=True)
            assert not MARK.search(page)
            assert "next=/waiting%3Ft1%3D2" in page
