"""Who scans: a paired device, a member of staff, or a partner's system."""

from dataclasses import dataclass
from typing import Literal

from app.models import Gate

DoorRole = Literal["scanner", "supervisor"]


@dataclass(frozen=True)
class DoorCaller:
    """Who asks at the door; exactly one of the three ids is set.

    `gate` is where a device stands (of no session: read its rules only). `lanes` are the letters it
    admits; None means all of them: no lane mode, a supervisor, or no device.
    """

    device_id: int | None
    staff_id: int | None
    api_key_id: int | None
    name: str
    role: DoorRole
    gate: Gate | None = None
    lanes: str | None = None
