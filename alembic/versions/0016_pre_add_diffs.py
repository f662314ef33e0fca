"""Add diffs: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "diff_content",
        sa.Column("board_id", Id, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("hunks", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_diff_content_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("board_id", "hash", name=op.f("pk_diff_content")),
    )
    op.create_table(
        "diff_snapshot",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("base_sha", sa.String(length=64), nullable=False),
        sa.Column("head_sha", sa.String(length=64), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("additions", sa.Integer(), nullable=False),
        sa.Column("deletions", sa.Integer(), nullable=False),
        sa.Column(
            "cut_reason",
            sa.Enum(
                "BINARY",
                "FILE_TOO_LARGE",
                "DIFF_TOO_LARGE",
                "TOO_MANY_FILES",
                name="cutreason",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_diff_snapshot_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_diff_snapshot_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_diff_snapshot_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diff_snapshot")),
        sa.UniqueConstraint("run_id", "attempt", name=op.f("uq_diff_snapshot_run_id_attempt")),
    )
    with op.batch_alter_table("diff_snapshot", schema=None) as batch_op:
        batch_op.create_index("ix_diff_snapshot_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_diff_snapshot_card_id", ["card_id"], unique=False)

    op.create_table(
        "diff_file",
        sa.Column("snapshot_id", Id, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("change", sa.String(length=10), nullable=False),
        sa.Column("additions", sa.Integer(), nullable=True),
        sa.Column("deletions", sa.Integer(), nullable=True),
        sa.Column("moved_from", sa.Text(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column(
            "cut_reason",
            sa.Enum(
                "BINARY",
                "FILE_TOO_LARGE",
                "DIFF_TOO_LARGE",
                "TOO_MANY_FILES",
                name="filecutreason",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["diff_snapshot.id"], name=op.f("fk_diff_file_snapshot_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "place", name=op.f("pk_diff_file")),
    )
    with op.batch_alter_table("diff_file", schema=None) as batch_op:
        batch_op.create_index("ix_diff_file_hash", ["board_id", "hash"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("diff_file", schema=None) as batch_op:
        batch_op.drop_index("ix_diff_file_hash")

    op.drop_table("diff_file")
    with op.batch_alter_table("diff_snapshot", schema=None) as batch_op:
        batch_op.drop_index("ix_diff_snapshot_card_id")
        batch_op.drop_index("ix_diff_snapshot_board_id")

    op.drop_table("diff_snapshot")
    op.drop_table("diff_content")
