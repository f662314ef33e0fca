"""Add reviews: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_finding",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("target_run_id", Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line_start", sa.Integer(), nullable=True),
        sa.Column("line_end", sa.Integer(), nullable=True),
        sa.Column(
            "severity",
            sa.Enum(
                "INFO",
                "LOW",
                "MEDIUM",
                "HIGH",
                "CRITICAL",
                name="severity",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "category",
            sa.Enum(
                "SECURITY",
                "BUG",
                "PERFORMANCE",
                "MAINTAINABILITY",
                "BEST_PRACTICE",
                "STYLE",
                "DOCUMENTATION",
                "TEST",
                name="findingcategory",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=True),
        sa.Column("snippet", sa.Text(), nullable=True),
        sa.Column("fix_run_id", Id, nullable=True),
        sa.Column("resolved_by_run_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_review_finding_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_review_finding_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_review_finding_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_run_id"], ["run.id"], name=op.f("fk_review_finding_target_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_finding")),
    )
    with op.batch_alter_table("review_finding", schema=None) as batch_op:
        batch_op.create_index("ix_review_finding_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_review_finding_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_review_finding_fix_run_id", ["fix_run_id"], unique=False)
        batch_op.create_index("ix_review_finding_run_id", ["run_id"], unique=False)
        batch_op.create_index("ix_review_finding_target_run_id", ["target_run_id"], unique=False)

    op.create_table(
        "review_thread",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("first_run_id", Id, nullable=False),
        sa.Column("finding_id", Id, nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("OLD", "NEW", name="diffside", length=20, native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("line_text", sa.Text(), nullable=False),
        sa.Column("outdated", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", Id, nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_review_thread_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_review_thread_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_review_thread_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_thread")),
    )
    with op.batch_alter_table("review_thread", schema=None) as batch_op:
        batch_op.create_index("ix_review_thread_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_review_thread_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_review_thread_run_id", ["run_id"], unique=False)

    op.create_table(
        "review_comment",
        sa.Column("id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["review_thread.id"], name=op.f("fk_review_comment_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comment")),
    )
    with op.batch_alter_table("review_comment", schema=None) as batch_op:
        batch_op.create_index("ix_review_comment_thread_id", ["thread_id"], unique=False)

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("score", sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_column("score")

    with op.batch_alter_table("review_comment", schema=None) as batch_op:
        batch_op.drop_index("ix_review_comment_thread_id")

    op.drop_table("review_comment")
    with op.batch_alter_table("review_thread", schema=None) as batch_op:
        batch_op.drop_index("ix_review_thread_run_id")
        batch_op.drop_index("ix_review_thread_card_id")
        batch_op.drop_index("ix_review_thread_board_id")

    op.drop_table("review_thread")
    with op.batch_alter_table("review_finding", schema=None) as batch_op:
        batch_op.drop_index("ix_review_finding_target_run_id")
        batch_op.drop_index("ix_review_finding_run_id")
        batch_op.drop_index("ix_review_finding_fix_run_id")
        batch_op.drop_index("ix_review_finding_card_id")
        batch_op.drop_index("ix_review_finding_board_id")

    op.drop_table("review_finding")
