"""What staff do to the line by command stands in the audit log."""

import sqlalchemy as sa

from app.extensions import db
from app.models import ActorKind, AuditEntry
from tests.waiting.hall import Hall


def test_every_command_that_changes_the_line_leaves_an_entry(hall: Hall) -> None:
    run = hall.app.test_cli_runner().invoke
    for command in (
        ["pause"],
        ["pause"],
        ["resume"],
        ["rate", "30"],
        ["off"],
        ["new-line", "--yes"],
    ):
        assert run(args=["fair-door", *command]).exit_code == 0, command
    moment = "2030-01-01T09:00:00+07:00"
    assert run(args=["fair-door", "open-at", moment]).exit_code == 0
    with hall.app.app_context():
        entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.subject_key, entry.changes) for entry in entries] == [
        ("fair_door.changed", "1", {"is_paused": [False, True]}),
        ("fair_door.changed", "1", {"is_paused": [True, False]}),
        ("fair_door.changed", "1", {"most_per_minute": [None, 30]}),
        ("fair_door.changed", "1", {"is_on": [True, False]}),
        ("fair_door.begun_anew", "2", {}),
        ("fair_door.changed", "2", {"opens_at": [None, "2030-01-01T02:00:00+00:00"]}),
    ]
    assert {entry.actor_kind for entry in entries} == {ActorKind.COMMAND}
