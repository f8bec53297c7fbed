"""Who admits which letters while no phone hears of another: in lane mode never two the same."""

from collections.abc import Iterable, Mapping

from app.models import Device, DeviceRole
from app.models.codes import LANES


def lanes_alone(devices: Iterable[Device]) -> Mapping[int, str]:
    """Return the letters each device in use admits without a network, by its id; "" is none.

    A letter belongs to the first scanner that has it, paired yet or not. What no scanner has goes
    to one supervisor: the one paired first, so that one that is paired later takes nothing from it.
    """
    in_use = sorted((d for d in devices if d.cut_off_at is None), key=lambda d: d.id)
    shares = dict.fromkeys((device.id for device in in_use), "")
    left = LANES
    for device in in_use:
        if device.role is DeviceRole.SCANNER:
            shares[device.id] = "".join(letter for letter in left if letter in device.lanes)
            left = "".join(letter for letter in left if letter not in device.lanes)
    helper = _first_paired(d for d in in_use if d.role is DeviceRole.SUPERVISOR)
    if helper is not None:
        shares[helper.id] = left
    return shares


def _first_paired(supervisors: Iterable[Device]) -> Device | None:
    paired = ((d.paired_at, d.id, d) for d in supervisors if d.paired_at is not None)
    return min(paired, default=(None, 0, None))[2]
