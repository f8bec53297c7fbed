"""How many made-up histories a test plays: few, and always the same, until `make torture` asks."""

import os

from hypothesis import HealthCheck, settings

MANY = os.environ.get("TORTURE_EXAMPLES")


def play_the_same_everywhere() -> None:
    """Have every test of examples try the same ones each time, however slow a machine is."""
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    settings.register_profile(
        "tests", deadline=None, derandomize=MANY is None, suppress_health_check=slow
    )
    settings.load_profile("tests")


def histories(few: int, *, steps: int) -> settings:
    """Return Hypothesis's settings for a state machine: `few` histories of at most `steps`.

    `make torture` plays as many as it names, and new ones each time.
    """
    return settings(
        max_examples=int(MANY or few),
        stateful_step_count=steps,
        deadline=None,
        derandomize=MANY is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
