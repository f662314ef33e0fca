"""Commands that give an agent a message: before the new program is started."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

NAME = "ck_run_command_commandkind"


def upgrade() -> None:
    _allow("STOP", "CONCLUDE", "ANSWER", "MESSAGE")


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM run_command WHERE kind = 'MESSAGE'"))
    _allow("STOP", "CONCLUDE", "ANSWER")


def _allow(*kinds: str) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("run_command") as batch_op:
        if not is_sqlite:  # there the table is made again, without its check
            batch_op.drop_constraint(op.f(NAME), type_="check")
        batch_op.create_check_constraint(op.f(NAME), sa.column("kind").in_(kinds))
