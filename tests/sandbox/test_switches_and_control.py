"""What both control APIs share: the switches, their table in the README, callers kept out."""

from __future__ import annotations

import re

import pytest
import requests
from flask import Flask

from sandbox.client import StandIn
from sandbox.mailbox.faults import SWITCHES as MAILBOX_SWITCHES
from sandbox.serving import control_blueprint
from sandbox.switches import Switchboard
from sandbox.xendit.faults import SWITCHES as XENDIT_SWITCHES
from tests.sandbox.processes import ROOT


def test_the_readme_lists_every_switch_in_the_order_of_the_tables() -> None:
    readme = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `(\w+)` \| .* \| .* \|$", readme, flags=re.MULTILINE)

    assert listed == [switch.name for switch in (*XENDIT_SWITCHES, *MAILBOX_SWITCHES)]


@pytest.mark.parametrize(
    ("caller", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403)]
)
def test_the_control_api_answers_this_machine_only(caller: str, status: int) -> None:
    app = Flask(__name__)
    app.register_blueprint(control_blueprint("control", Switchboard(XENDIT_SWITCHES)))

    answer = app.test_client().get("/_control/faults", environ_base={"REMOTE_ADDR": caller})

    assert answer.status_code == status


def test_true_takes_the_defaults_and_false_turns_off(stand_in: StandIn) -> None:
    url = f"{stand_in.base_url}/_control/faults"

    on = requests.put(url, json={"create_slow": True, "html_502": True}, timeout=60).json()["on"]
    off = requests.put(url, json={"create_slow": False}, timeout=60).json()["on"]

    assert on["create_slow"] == {"seconds": 2.0, "commit_first": True}
    assert off == {"html_502": {"call": ""}}


def test_one_switch_can_be_cleared_alone(stand_in: StandIn) -> None:
    stand_in.set_fault("html_502")
    stand_in.set_fault("latency")

    requests.delete(f"{stand_in.base_url}/_control/faults/latency", timeout=60)

    assert set(stand_in.faults()["on"]) == {"html_502"}


@pytest.mark.parametrize("body", ["[]", "1", '{"html_502": 5}'])
def test_a_wish_that_is_no_object_is_refused(body: str, stand_in: StandIn) -> None:
    headers = {"Content-Type": "application/json"}

    answer = requests.put(
        f"{stand_in.base_url}/_control/faults", data=body, headers=headers, timeout=60
    )

    assert answer.status_code == 400
    assert stand_in.faults()["on"] == {}
