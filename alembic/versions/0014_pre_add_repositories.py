"""Add repositories: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repository",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("connection_id", Id, nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("external_id", sa.String(length=40), nullable=True),
        sa.Column("default_branch", sa.String(length=300), nullable=True),
        sa.Column("selected_branch", sa.String(length=300), nullable=True),
        sa.Column("latest_commit", sa.String(length=64), nullable=True),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("disconnected_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_repository_connection_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_repository_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("uq_repository_workspace_id_key")),
    )
    op.create_index("ix_repository_connection_id", "repository", ["connection_id"], unique=False)
    op.create_index("ix_repository_external_id", "repository", ["external_id"], unique=False)
    op.add_column("board", sa.Column("repository_id", Id, nullable=True))
    op.create_index(op.f("ix_board_repository_id"), "board", ["repository_id"], unique=False)
    op.add_column("worker", sa.Column("repositories", Json, nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE worker DROP COLUMN repositories")
    op.drop_index(op.f("ix_board_repository_id"), "board")
    op.execute("ALTER TABLE board DROP COLUMN repository_id")
    op.drop_table("repository")
