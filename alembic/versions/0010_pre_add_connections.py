"""Add connections: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "GITHUB_TOKEN",
                "GITHUB_APP",
                "ANTHROPIC",
                "OPENAI",
                "GOOGLE",
                "CHAT_HOOK",
                name="connectionkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "DB", "ENV", name="connectionsource", length=20, native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_folded", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("app_id", sa.String(length=40), nullable=True),
        sa.Column("installation_id", sa.String(length=40), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("secret_hint", sa.String(length=8), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_connection_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint(
            "workspace_id", "name_folded", name=op.f("uq_connection_workspace_id_name_folded")
        ),
    )


def downgrade() -> None:
    op.drop_table("connection")
