"""Who scans: a paired device, a member of staff, or a partner's system."""

from dataclasses import dataclass
from typing import Literal

from app.models import Gate
from app.services.running.audit import Actor

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

    @property
    def actor(self) -> Actor:
        """Return who the audit log names."""
        if self.staff_id is not None:
            return Actor.staff(self.staff_id, self.name)
        if self.api_key_id is not None:
            return Actor.partner(self.api_key_id, self.name)
        return Actor.device(self.device_id or 0, self.name)
