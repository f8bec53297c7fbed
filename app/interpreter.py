"""How Python itself is set in the processes that stay: many threads, and much that is loaded."""

import gc
import sys

# A thread that computes keeps the interpreter for so long once others want it (Python's own: 5 ms).
# Who pays, and each answer of the database, would wait that long for every such thread (ADR 14).
TURN_SECONDS = 0.001


def settle() -> None:
    """Share the interpreter evenly, and leave what is loaded by now out of searches for garbage.

    To be called once all is loaded and before any other thread begins. A search through all of it
    would stop every thread for a tenth of a second, again and again.
    """
    sys.setswitchinterval(TURN_SECONDS)
    gc.collect()
    gc.freeze()
