"""Every switch of the mail catcher, in one table. Each also takes `times`."""

from __future__ import annotations

from sandbox.switches import Switch

SWITCHES = (
    Switch(
        "recipient_refused",
        "refuses a recipient (empty: every one) with 550 or 451",
        {"code": 550, "recipient": ""},
    ),
    Switch("data_refused", "refuses the mail after its text was sent", {"code": 554}),
    Switch("slow", "waits at `ehlo` or `data`", {"seconds": 2.0, "stage": "data"}),
    Switch("connection_dropped", "closes the connection at `ehlo` or `data`", {"stage": "data"}),
    Switch("down", "nobody listens on the SMTP port"),
)
