"""What a process remembers of a database: one thing for each, as long as it is there."""

import gc
from weakref import ref

import sqlalchemy as sa

from app.services.running.per_engine import per_engine


class Memory:
    """Something a process keeps."""


@per_engine
def memory_of(_engine: sa.Engine) -> Memory:
    return Memory()


def test_each_database_has_one_of_its_own() -> None:
    one, other = sa.create_engine("sqlite://"), sa.create_engine("sqlite://")

    assert memory_of(one) is memory_of(one)
    assert memory_of(one) is not memory_of(other)


def test_it_goes_with_its_engine() -> None:
    engine = sa.create_engine("sqlite://")
    kept = ref(memory_of(engine))
    gc.collect()
    assert kept() is not None, "as long as the engine is there"

    del engine
    gc.collect()

    assert kept() is None
