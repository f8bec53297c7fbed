"""One solution, one place: also when it is sent many times at once."""

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
from tests.waiting.hall import Hall, door_settings
from tests.waiting.test_turns import TOGETHER, at_once

SOLUTIONS = 20


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


def test_of_many_who_send_one_solution_at_once_one_gets_a_place(guarded: Hall) -> None:
    for number in range(SOLUTIONS):
        proof = Proof(f"key-{number}", newest=number)
        at_once(guarded, [partial(taking, guarded, proof)] * TOGETHER)
        assert guarded.count_places() == number + 1


def test_solutions_of_different_visitors_do_not_stand_in_each_others_way(guarded: Hall) -> None:
    proofs = [Proof(f"key-{number}", newest=0) for number in range(TOGETHER)]
    at_once(guarded, [partial(taking, guarded, proof) for proof in proofs])
    assert guarded.count_places() == TOGETHER
