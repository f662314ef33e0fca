"""Add checks and approvals: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "CREATE_PR",
                "MERGE",
                "PLAN",
                "TOOL",
                name="approvalkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "APPROVED",
                "REJECTED",
                "CANCELLED",
                name="approvalstatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("request_note", sa.Text(), nullable=False),
        sa.Column("requested_by", Id, nullable=True),
        sa.Column("decided_by", Id, nullable=True),
        sa.Column(
            "decided_as",
            sa.Enum(
                "MEMBER",
                "PERSON",
                "ADMIN",
                name="approver",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_approval_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_approval_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_approval_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_card_id", ["card_id"], unique=False)
        batch_op.create_index(
            "ix_approval_inbox",
            ["board_id", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        )
        batch_op.create_index("ix_approval_run_id", ["run_id"], unique=False)
        batch_op.create_index(
            "uq_approval_pending",
            ["card_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        )

    op.create_table(
        "check_result",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "LINT",
                "UNIT",
                "INTEGRATION",
                "E2E",
                "SECURITY",
                "DEPENDENCY",
                "POLICY",
                "CI",
                name="checkkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "PASSED",
                "FAILED",
                "ERROR",
                "SKIPPED",
                name="checkstatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_check_result_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_check_result_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_check_result_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_result")),
    )
    with op.batch_alter_table("check_result", schema=None) as batch_op:
        batch_op.create_index("ix_check_result_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_check_result_run_id", ["run_id"], unique=False)
        batch_op.create_index("uq_check_result_commit", ["card_id", "sha", "kind", "name"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("check_result", schema=None) as batch_op:
        batch_op.drop_index("uq_check_result_commit")
        batch_op.drop_index("ix_check_result_run_id")
        batch_op.drop_index("ix_check_result_board_id")

    op.drop_table("check_result")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_pending",
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        )
        batch_op.drop_index("ix_approval_run_id")
        batch_op.drop_index(
            "ix_approval_inbox",
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        )
        batch_op.drop_index("ix_approval_card_id")

    op.drop_table("approval")
