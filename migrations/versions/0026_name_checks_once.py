"""Give every CHECK the name the models have: until here its prefix stood there twice.

A name written in a revision is a name *within* the naming convention, which puts `ck_<table>_`
before it; earlier revisions wrote the whole name. Later ones write the last part alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make each such CHECK again under its right name, then drop the old one: never without."""
    inspector = sa.inspect(op.get_bind())
    for table in inspector.get_table_names():
        prefix = f"ck_{table}_"
        checks = {
            str(check["name"]): check["sqltext"] for check in inspector.get_check_constraints(table)
        }
        twice = [name for name in checks if name.startswith(prefix * 2)]
        if twice:
            with op.batch_alter_table(table) as rebuilt:
                for name in twice:
                    right = op.f(name.removeprefix(prefix))
                    rebuilt.create_check_constraint(right, sa.text(checks[name]))
                    rebuilt.drop_constraint(op.f(name), type_="check")
