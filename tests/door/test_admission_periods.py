"""When the holders of a ticket may enter: in the catalogue file, and in the code they get."""

from datetime import UTC, datetime

from flask import Flask

from app.extensions import db
from app.forms.catalogue_file import read_catalogue
from app.integrations.signing import parse_code
from app.models import ETicket, Ticket
from app.services.selling.catalogue_loading import load_catalogue
from tests.app_factory import make_settings
from tests.running.sales import order
from tests.test_catalogue_file import catalogue, problems_of, ticket


def test_when_holders_may_enter_can_be_said_and_left_out() -> None:
    """An afternoon ticket; most tickets are good at any time."""
    times = {"admitFrom": "2027-01-23T13:00:00+07:00", "admitUntil": "2027-01-23T18:00:00+07:00"}
    plain, afternoon, late = read_catalogue(
        catalogue(
            ticket(),
            ticket(type="Afternoon", **times),
            ticket(type="Late", admitFrom=times["admitFrom"]),
        )
    ).tickets

    assert (plain.admit_from, plain.admit_until) == (None, None)
    assert afternoon.admit_from == datetime(2027, 1, 23, 6, tzinfo=UTC)
    assert afternoon.admit_until == datetime(2027, 1, 23, 11, tzinfo=UTC)
    assert (late.admit_from, late.admit_until) == (afternoon.admit_from, None)


def test_an_admission_that_ends_before_it_begins_is_refused() -> None:
    swapped = {"admitFrom": "2027-01-23T18:00:00+07:00", "admitUntil": "2027-01-23T13:00:00+07:00"}

    [problem] = problems_of(catalogue(ticket(**swapped)))

    assert problem == "line 2: admitUntil should be later than admitFrom"


def test_the_period_stands_in_the_code(app: Flask) -> None:
    times = {"admitFrom": "2027-01-23T13:00:00+07:00", "admitUntil": "2027-01-23T18:00:00+07:00"}
    settings = make_settings(app.config["SQLALCHEMY_DATABASE_URI"])
    with app.app_context():
        load_catalogue(
            read_catalogue(catalogue(ticket(price="0", **times))), by="tests", now=datetime.now(UTC)
        )
        ticket_id = db.session.query(Ticket.id).scalar()
        order(ticket_id, 1, now=datetime(2026, 12, 1, tzinfo=UTC), settings=settings)

        code = parse_code(db.session.query(ETicket).one().qr_text)

    assert code is not None
    assert code.seat.admit_from == datetime(2027, 1, 23, 6, tzinfo=UTC)
    assert code.seat.admit_until == datetime(2027, 1, 23, 11, tzinfo=UTC)
