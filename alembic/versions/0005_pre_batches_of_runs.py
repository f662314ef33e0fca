"""Batches of runs: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Runs that were started together had a name in common, and nothing that bore it.
FOUND = """INSERT INTO run_batch (id, board_id, kind, instruction, size, created_by, created_at, ended_at)
SELECT batch_id, min(board_id), min(kind), min(instruction), count(*), min(created_by), min(created_at),
  CASE WHEN count(*) = count(finished_at) THEN max(finished_at) END
FROM run WHERE batch_id IS NOT NULL GROUP BY batch_id"""
PLACED = """UPDATE run SET place = (SELECT count(*) FROM run AS other
  WHERE other.batch_id = run.batch_id AND other.id <= run.id) WHERE batch_id IS NOT NULL"""


def upgrade() -> None:
    op.create_table(
        "run_batch",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CODE",
                "PLAN",
                "REVIEW",
                "TEST",
                "INTEGRATE",
                "DOCUMENT",
                "BREAKDOWN",
                name="runkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_run_batch_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_batch")),
    )
    op.create_index("ix_run_batch_board_id", "run_batch", ["board_id", "id"], unique=False)
    # Not by copying the table: SQLite renames and drops columns in place, and keeps its checks so.
    op.execute("ALTER TABLE run RENAME COLUMN batch TO batch_id")
    op.add_column("run", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("chosen_at", UtcDateTime(), nullable=True))
    op.create_index("ix_run_batch_id", "run", ["batch_id", "place"], unique=False)
    op.create_index(
        "uq_run_chosen_card",
        "run",
        ["card_id"],
        unique=True,
        sqlite_where=sa.text("chosen_at IS NOT NULL"),
        postgresql_where=sa.text("chosen_at IS NOT NULL"),
    )
    op.execute(FOUND)
    op.execute(PLACED)


def downgrade() -> None:
    op.drop_index("uq_run_chosen_card", "run")
    op.drop_index("ix_run_batch_id", "run")
    op.execute("ALTER TABLE run DROP COLUMN chosen_at")
    op.execute("ALTER TABLE run DROP COLUMN place")
    op.execute("ALTER TABLE run RENAME COLUMN batch_id TO batch")
    op.drop_index("ix_run_batch_board_id", "run_batch")
    op.drop_table("run_batch")
