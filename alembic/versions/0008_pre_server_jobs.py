"""Server jobs: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "server_job",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("payload", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_server_job_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_job")),
        sa.UniqueConstraint("key", name=op.f("uq_server_job_key")),
    )
    with op.batch_alter_table("server_job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_server_job_workspace_id"), ["workspace_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("server_job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_server_job_workspace_id"))

    op.drop_table("server_job")
