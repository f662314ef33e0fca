"""Add pull requests: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pull_request",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("repository_id", Id, nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "GIVEN",
                "GENERATED",
                "LINKED",
                "DISCOVERED",
                name="pullrequestorigin",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "DRAFT",
                "OPEN",
                "MERGED",
                "CLOSED",
                name="pullrequeststate",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("external_id", sa.String(length=40), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("title", sa.String(length=256), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("head_branch", sa.String(length=300), nullable=False),
        sa.Column("base_branch", sa.String(length=300), nullable=False),
        sa.Column("head_sha", sa.String(length=64), nullable=True),
        sa.Column("mergeable", sa.Boolean(), nullable=True),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.Column("commits", sa.Integer(), nullable=True),
        sa.Column(
            "ci",
            sa.Enum(
                "FAILURE",
                "PENDING",
                "SUCCESS",
                name="cistatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("host_updated_at", UtcDateTime(), nullable=True),
        sa.Column("etag", sa.String(length=200), nullable=True),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.Column("poll_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("branch_deleted_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_pull_request_repository_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_pull_request_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_request")),
        sa.UniqueConstraint("repository_id", "number", name=op.f("uq_pull_request_repository_id_number")),
    )
    with op.batch_alter_table("pull_request", schema=None) as batch_op:
        batch_op.create_index("ix_pull_request_head_branch", ["repository_id", "head_branch"], unique=False)
        batch_op.create_index("ix_pull_request_poll_at", ["poll_at"], unique=False)
        batch_op.create_index("ix_pull_request_workspace_id", ["workspace_id", "id"], unique=False)
        batch_op.create_index(
            "uq_pull_request_pending",
            ["repository_id", "head_branch"],
            unique=True,
            sqlite_where=sa.text("state = 'PENDING' AND number IS NULL"),
            postgresql_where=sa.text("state = 'PENDING' AND number IS NULL"),
        )

    op.create_table(
        "webhook_delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("repository_id", Id, nullable=False),
        sa.Column("delivery_id", sa.String(length=100), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("payload", Json, nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repository.id"],
            name=op.f("fk_webhook_delivery_repository_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "repository_id", "delivery_id", name=op.f("uq_webhook_delivery_repository_id_delivery_id")
        ),
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_delivery_received_at", ["received_at"], unique=False)

    op.create_table(
        "card_pull_request",
        sa.Column("card_id", Id, nullable=False),
        sa.Column("pull_request_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("done", Json, nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=True),
        sa.Column("moved_from", Id, nullable=True),
        sa.Column("moved_to", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_pull_request_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_pull_request_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pull_request_id"],
            ["pull_request.id"],
            name=op.f("fk_card_pull_request_pull_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("card_id", "pull_request_id", name=op.f("pk_card_pull_request")),
    )
    with op.batch_alter_table("card_pull_request", schema=None) as batch_op:
        batch_op.create_index("ix_card_pull_request_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_card_pull_request_pull_request_id", ["pull_request_id"], unique=False)

    op.add_column("board", sa.Column("automation", Json, server_default="{}", nullable=False))


def downgrade() -> None:
    op.execute("ALTER TABLE board DROP COLUMN automation")
    op.drop_table("card_pull_request")
    op.drop_table("webhook_delivery")
    op.drop_table("pull_request")
