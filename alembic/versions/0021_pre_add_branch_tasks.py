"""Tasks on branches: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repository_lock",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("repository", sa.String(length=500), nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("fk_repository_lock_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "repository", name=op.f("pk_repository_lock")),
    )
    op.create_table(
        "branch_task",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("worked_id", Id, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "MERGE",
                "SYNC",
                "PUSH",
                "CREATE",
                name="branch_task_kind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "strategy",
            sa.Enum(
                "MERGE",
                "SQUASH",
                "REBASE",
                name="mergestrategy",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "ACTIVE",
                "CONFLICTED",
                "SUCCEEDED",
                "FAILED",
                "ABORTED",
                name="branch_task_status",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("branch", sa.String(length=300), nullable=False),
        sa.Column("base", sa.String(length=300), nullable=False),
        sa.Column("head_sha", sa.String(length=64), nullable=True),
        sa.Column("result_sha", sa.String(length=64), nullable=True),
        sa.Column(
            "fault",
            sa.Enum(
                "BASE_MOVED",
                "HEAD_MOVED",
                "CHECKOUT_DIRTY",
                "NO_BRANCH",
                "BRANCH_EXISTS",
                "NOT_LINEAR",
                "NO_REMOTE",
                "PUSH_REJECTED",
                "TOO_MANY_CONFLICTS",
                name="branchtaskfault",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("conflicts", Json, nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_branch_task_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_branch_task_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_branch_task_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branch_task")),
    )
    with op.batch_alter_table("branch_task", schema=None) as batch_op:
        batch_op.create_index("ix_branch_task_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_branch_task_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_branch_task_run_id", ["run_id"], unique=True)
        batch_op.create_index(
            "uq_branch_task_open_card",
            ["card_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('ACTIVE', 'CONFLICTED')"),
            postgresql_where=sa.text("status IN ('ACTIVE', 'CONFLICTED')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("branch_task", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_branch_task_open_card",
            sqlite_where=sa.text("status IN ('ACTIVE', 'CONFLICTED')"),
            postgresql_where=sa.text("status IN ('ACTIVE', 'CONFLICTED')"),
        )
        batch_op.drop_index("ix_branch_task_run_id")
        batch_op.drop_index("ix_branch_task_card_id")
        batch_op.drop_index("ix_branch_task_board_id")

    op.drop_table("branch_task")
    op.drop_table("repository_lock")
