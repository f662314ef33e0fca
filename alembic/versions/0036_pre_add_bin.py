"""Add bin: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bin_entry",
        sa.Column("card_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "BACKLOG",
                "PLAN",
                "TODO",
                "IN_PROGRESS",
                "REVIEW",
                "DONE",
                name="stage",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("deleted_by", Id, nullable=True),
        sa.Column("rows", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_bin_entry_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_bin_entry")),
    )
    with op.batch_alter_table("bin_entry", schema=None) as batch_op:
        batch_op.create_index("ix_bin_entry_board_id", ["board_id", "created_at"], unique=False)
        batch_op.create_index("ix_bin_entry_created_at", ["created_at"], unique=False)

    op.create_table(
        "bin_object",
        sa.Column("card_id", Id, nullable=False),
        sa.Column("object_key", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["bin_entry.card_id"], name=op.f("fk_bin_object_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["object_key"], ["stored_object.key"], name=op.f("fk_bin_object_object_key")),
        sa.PrimaryKeyConstraint("card_id", "object_key", name=op.f("pk_bin_object")),
    )
    with op.batch_alter_table("bin_object", schema=None) as batch_op:
        batch_op.create_index("ix_bin_object_object_key", ["object_key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("bin_object", schema=None) as batch_op:
        batch_op.drop_index("ix_bin_object_object_key")

    op.drop_table("bin_object")
    with op.batch_alter_table("bin_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_bin_entry_created_at")
        batch_op.drop_index("ix_bin_entry_board_id")

    op.drop_table("bin_entry")
