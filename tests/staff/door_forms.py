"""What tests of phones do: pair one, scan with it, fill in its form."""

from typing import Any

from flask.testing import FlaskClient

from app.models import Device
from app.services.door import devices
from tests.pages.html import Page
from tests.staff.office import Office, send


def pair(client: FlaskClient, code: str) -> Page:
    return send(client, "/door/pair", code=code)


def scan(client: FlaskClient, **headers: str) -> tuple[int, str]:
    """Scan something that is no ticket; return the status and the code or reason."""
    body = {"code": "NOTHING", "scanId": "0b8e9a52-6f1e-4c55-9d53-0d1a4a5b7c11"}
    body |= {"scannedAt": "2027-01-23T09:00:00+07:00", "gate": "A"}
    answer = client.post("/api/check-ins", json=body, headers=headers)
    told = answer.get_json()
    return answer.status_code, told.get("code") or told.get("reason")


def the_device(office: Office) -> Device:
    with office.working():
        [device] = devices.list_devices()
        return device


def typed(gate_id: int, **changes: Any) -> dict[str, Any]:
    """Return what the form of a phone sends."""
    return {"name": "Ayu", "gate": gate_id, "role": "scanner", "lanes": ["B", "A"], **changes}
