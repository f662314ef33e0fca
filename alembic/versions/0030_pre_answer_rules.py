"""Answer rules: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, Rank, UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_rule",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("pattern", sa.String(length=500), nullable=False),
        sa.Column("question_types", Json, nullable=False),
        sa.Column("run_kinds", Json, nullable=False),
        sa.Column("card_types", Json, nullable=False),
        sa.Column("stages", Json, nullable=False),
        sa.Column("label_ids", Json, nullable=False),
        sa.Column("answer", Json, nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_answer_rule_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_rule")),
        sa.UniqueConstraint("board_id", "rank", name=op.f("uq_answer_rule_board_id_rank")),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rule_id", Id, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_column("rule_id")

    op.drop_table("answer_rule")
