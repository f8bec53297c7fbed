"""The application without its lanes: everything is the shop. What the tests' controls serve."""

from app.lanes import Lane
from app.routes import lane_hooks

lane_hooks.lane_of = lambda path: Lane.SHOP

from wsgi import app  # noqa: E402 (the line above has to come first)

__all__ = ["app"]
