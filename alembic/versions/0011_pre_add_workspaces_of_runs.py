"""Add workspaces of runs: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agent_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("usage", Json, nullable=True))

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("workspace_ref", Id, nullable=True))

    with op.batch_alter_table("worker", schema=None) as batch_op:
        batch_op.add_column(sa.Column("machine", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("worker", schema=None) as batch_op:
        batch_op.drop_column("machine")

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_column("workspace_ref")

    with op.batch_alter_table("agent_session", schema=None) as batch_op:
        batch_op.drop_column("usage")
