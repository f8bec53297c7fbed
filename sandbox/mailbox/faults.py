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
    Switch("slow", "waits at stage `ehlo`, `data` or `answer`", {"seconds": 2.0, "stage": "data"}),
    Switch(
        "connection_dropped",
        "closes the connection at stage `ehlo`, `data` (before the mail is kept) or `answer` "
        "(the mail is kept, the sender does not learn it)",
        {"stage": "data"},
    ),
    Switch("down", "nobody listens on the SMTP port"),
)
