"""A worker that is killed at the worst moment."""

import pytest

from app.services.running import mailing
from tests.money.world import World


class Killed(BaseException):
    """Stands for SIGKILL: nothing that comes after it happens."""


def die_after_sending(world: World, kind: str) -> None:
    """Do the jobs of this kind, but die once the mail server took the mail: nothing notes it."""

    def die(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(mailing, "_record", die)
        world.work(kind)
