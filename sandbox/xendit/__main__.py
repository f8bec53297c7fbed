"""Run with `python -m sandbox.xendit`."""

from sandbox.xendit.server import run
from sandbox.xendit.settings import from_process

run(from_process())
