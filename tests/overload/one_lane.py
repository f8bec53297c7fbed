"""The application without its lanes: everything is the shop. What the tests' controls serve.

Nobody in it is in a hurry either: however slowly it fills up, nobody leaves before it is full.
"""

from app.lanes import Lane
from app.routes import lane_hooks

lane_hooks.lane_of = lambda path: Lane.SHOP

from tests.overload.patient import app  # noqa: E402 (the line above has to come first)

__all__ = ["app"]
