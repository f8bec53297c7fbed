"""Run with `python -m sandbox.mailbox`."""

from sandbox.mailbox.server import run
from sandbox.mailbox.settings import from_process

run(from_process())
