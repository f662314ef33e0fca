"""Planning of cards: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Rank, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_item",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "REQUIREMENT",
                "FACT",
                "ASSUMPTION",
                name="knowledgekind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "APPROVED",
                "REJECTED",
                name="reviewstate",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "HUMAN",
                "AGENT",
                "IMPORT",
                name="origin",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_knowledge_item_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_knowledge_item_card_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_item")),
        sa.UniqueConstraint("card_id", "rank", name=op.f("uq_knowledge_item_card_id_rank")),
    )
    op.create_index("ix_knowledge_item_board_id", "knowledge_item", ["board_id"], unique=False)
    op.create_table(
        "planned_file",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("module", sa.String(length=100), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "CODE",
                "TEST",
                "DOCS",
                "CONFIG",
                "MIGRATION",
                "ASSET",
                "OTHER",
                name="artifactkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "action",
            sa.Enum(
                "CREATE", "EDIT", name="fileaction", length=20, native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "PROPOSED",
                "EDITED",
                "APPROVED",
                name="plannedfilestatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_planned_file_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_planned_file_card_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_file")),
        sa.UniqueConstraint("card_id", "path", name=op.f("uq_planned_file_card_id_path")),
        sa.UniqueConstraint("card_id", "rank", name=op.f("uq_planned_file_card_id_rank")),
    )
    op.create_index("ix_planned_file_board_id", "planned_file", ["board_id"], unique=False)
    op.add_column("card", sa.Column("approved_at", UtcDateTime(), nullable=True))
    op.add_column("card", sa.Column("approved_by", Id, nullable=True))


def downgrade() -> None:
    op.drop_column("card", "approved_by")
    op.drop_column("card", "approved_at")

    op.drop_table("planned_file")
    op.drop_table("knowledge_item")
