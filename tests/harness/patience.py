"""The application's time limits towards its database, as long as the slowest machine takes.

On such a machine whoever waits for a lock gets it later, but gets it. A test of a limit sets it.
"""

from typing import Any

import app as application
from app import database

_options_of_production = database.engine_options
LIMITS = ("connect_timeout", "read_timeout", "write_timeout")


def wait_for_the_database(seconds: int) -> None:
    """Let applications that this process builds from now on wait so long for a lock, or a turn.

    A statement may take longer than its wait for a lock, and its answer longer than a statement.
    """
    database.LOCK_WAIT_SECONDS, database.STATEMENT_SECONDS = seconds, 2 * seconds

    def options(url: str) -> dict[str, Any]:
        found = _options_of_production(url)
        if "pool_timeout" in found:
            found["pool_timeout"] = seconds
            found["connect_args"] |= dict.fromkeys(LIMITS, 3 * seconds)
        return found

    vars(application)["engine_options"] = options
