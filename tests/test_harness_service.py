"""The harness's service: the processes of production, started, killed and started again."""

from collections.abc import Iterator

import pytest
import requests

from tests.conftest import StartService
from tests.harness.processes import answers, is_listening
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
    tickets = http.get(f"{service.url}/api/tickets", timeout=60).json()["tickets"]
    regular = next(each for each in tickets if each["type"] == "Reguler")

    answer = http.post(
        f"{service.url}/api/orders",
        headers={"Authorization": f"Bearer {service.api_key()}"},
        json={
            "user": {"full_name": "Sari", "email": "sari@example.com", "no_hp": "+6281234567890"},
            "items": [{"ticketId": regular["id"], "quantity": 1}],
        },
        timeout=60,
    )

    assert answer.status_code in (201, 202), answer.text  # 202: others wait, the invoice follows
    url = answer.json()["payment"]["invoiceUrl"]
    assert url is None or url.startswith(service.standin.base_url)
    assert len(service.standin.invoices(answer.json()["order"]["code"])) <= 1


def test_a_killed_web_process_starts_again_and_stopping_is_clean(
    mariadb_url: str, start_service: StartService
) -> None:
    """One story, because every start costs seconds."""
    service = start_service(mariadb_url, workers=2)
    ports = service.ports

    service.kill("web")
    assert not is_listening(ports.web)
    service.restart("web")
    assert answers(f"{service.url}/healthz")

    codes = service.stop()
    assert len(codes) == 5
    assert {name for name, code in codes.items() if code != 0} == set()
    for port in (ports.web, ports.standin, ports.smtp, ports.mailbox):
        assert not is_listening(port)
