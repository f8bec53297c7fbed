"""Who types a command, for the audit log."""

import os
import pwd

from app.services.running.audit import Actor


def command_actor() -> Actor:
    """Return the machine's user, by name where it has one."""
    uid = os.getuid()
    try:
        return Actor.command(pwd.getpwuid(uid).pw_name)
    except KeyError:  # a container may run under a number without a name
        return Actor.command(f"uid {uid}")
