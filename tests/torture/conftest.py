"""The worlds of `tests/money/fixtures.py`, for races and hostile histories."""

from tests.money.fixtures import (
    mariadb_world,
    shared_mariadb_url,
    standin,
    standin_process,
    world,
)

__all__ = ["mariadb_world", "shared_mariadb_url", "standin", "standin_process", "world"]
