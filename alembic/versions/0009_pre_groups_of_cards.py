"""Groups of cards: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Rank, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_group",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_group_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["card_group.id"], name=op.f("fk_card_group_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_group")),
        sa.UniqueConstraint(
            "board_id", "parent_id", "rank", name=op.f("uq_card_group_board_id_parent_id_rank")
        ),
    )
    op.create_index("ix_card_group_parent_id", "card_group", ["parent_id"], unique=False)
    op.add_column("card", sa.Column("group_id", Id, nullable=True))
    op.create_index("ix_card_group_id", "card", ["group_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_card_group_id", "card")
    op.drop_column("card", "group_id")
    op.drop_table("card_group")
