"""The harness's service: the processes of production, started, killed and started again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import StartService
from tests.harness.processes import StartFailed, answers, is_listening
from tests.harness.service import Service


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """An HTTP client that no proxy of this machine stands in the way of."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_a_partner_can_order_from_the_running_service(
    service: Service, http: requests.Session
) -> None:
    tickets = http.get(f"{service.url}/api/tickets", timeout=10).json()["tickets"]
    regular = next(each for each in tickets if each["type"] == "Reguler")

    answer = http.post(
        f"{service.url}/api/orders",
        headers={"Authorization": f"Bearer {service.api_key()}"},
        json={
            "user": {"full_name": "Sari", "email": "sari@example.com", "no_hp": "+6281234567890"},
            "items": [{"ticketId": regular["id"], "quantity": 1}],
        },
        timeout=10,
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["payment"]["invoiceUrl"].startswith(service.standin.base_url)
    assert len(service.standin.invoices(answer.json()["order"]["code"])) <= 1


def test_a_killed_web_process_can_be_started_again(
    database_url: str, start_service: StartService
) -> None:
    service = start_service(database_url)

    service.kill("web")
    assert not is_listening(service.ports.web)
    service.restart("web")

    assert answers(f"{service.url}/healthz")


def test_stopping_is_clean_and_leaves_no_port_open(
    mariadb_url: str, start_service: StartService
) -> None:
    service = start_service(mariadb_url, workers=2)
    ports = service.ports

    codes = service.stop()

    assert len(codes) == 5
    assert {name for name, code in codes.items() if code != 0} == set()
    for port in (ports.web, ports.standin, ports.smtp, ports.mailbox):
        assert not is_listening(port)


def test_settings_that_cannot_be_used_stop_the_web_process(tmp_path: Path) -> None:
    service = Service("sqlite:///:memory:", tmp_path, settings={"SECRET_KEY": "short"})

    with pytest.raises(StartFailed, match="SECRET_KEY is too short"):
        service.start_web()
    service.stop()
