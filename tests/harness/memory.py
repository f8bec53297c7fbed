"""Temporary files of tests in memory: databases flush at every commit, and disks take their time.

What the tests kill are processes, never the machine: what was flushed is still there for them.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 2 * 1024**3  # bytes: two runs side by side need half of it


def keep_temporary_files_in_memory() -> None:
    """Let `tempfile` and processes started from here use memory where there is plenty.

    A TMPDIR that is set already stays.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and _free_bytes() >= ENOUGH:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is asked for again


def _free_bytes() -> int:
    return shutil.disk_usage(MEMORY).free
