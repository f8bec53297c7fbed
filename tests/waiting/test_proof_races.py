"""One solution, one place: also when it is sent twice at once."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask

from app.services.waiting import places
from app.services.waiting.proofs import Proof
from app.services.waiting.refusals import ProofNeeded
from tests.app_factory import make_settings
from tests.harness.interleaving import overlap
from tests.waiting.hall import Hall, door_settings


@pytest.fixture
def guarded(mariadb_app: Flask) -> Hall:
    settings = replace(make_settings("sqlite://"), fair_door=door_settings())
    hall = Hall(mariadb_app, settings)
    hall.door = replace(hall.door, opens_at=hall.now + timedelta(hours=1), has_proof_of_work=True)
    return hall


def taking(hall: Hall, proof: Proof) -> None:
    """Take a place, or be refused; who is refused takes nothing."""
    with suppress(ProofNeeded):
        places.take_place(hall.now, hall.door, proof)


@pytest.mark.parametrize("statements", [1, 2, 3, 4])
def test_of_two_who_send_one_solution_at_once_one_gets_a_place(
    guarded: Hall, statements: int
) -> None:
    take = partial(taking, guarded, Proof("key", newest=0))

    assert overlap(guarded.app, take, take, after=statements).count(None) == 2

    assert guarded.count_places() == 1


@pytest.mark.parametrize("statements", [1, 2, 3, 4])
def test_solutions_of_two_visitors_do_not_stand_in_each_others_way(
    guarded: Hall, statements: int
) -> None:
    takes = [partial(taking, guarded, Proof(f"key-{number}", newest=0)) for number in (1, 2)]

    assert overlap(guarded.app, *takes, after=statements) == (None, None)

    assert guarded.count_places() == 2
