"""Add files: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_object",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_stored_object")),
    )
    with op.batch_alter_table("stored_object", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_object_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "file",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("card_id", Id, nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("object_key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("author_kind", sa.String(length=10), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_file_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_file_card_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_file_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["object_key"], ["stored_object.key"], name=op.f("fk_file_object_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_file_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.create_index("ix_file_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_file_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_file_message_id", ["message_id"], unique=False)
        batch_op.create_index("ix_file_object_key", ["object_key"], unique=False)
        batch_op.create_index(
            "ix_file_unattached",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("card_id IS NULL"),
            postgresql_where=sa.text("card_id IS NULL"),
        )
        batch_op.create_index("ix_file_workspace_id", ["workspace_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.drop_index("ix_file_workspace_id")
        batch_op.drop_index(
            "ix_file_unattached",
            sqlite_where=sa.text("card_id IS NULL"),
            postgresql_where=sa.text("card_id IS NULL"),
        )
        batch_op.drop_index("ix_file_object_key")
        batch_op.drop_index("ix_file_message_id")
        batch_op.drop_index("ix_file_card_id")
        batch_op.drop_index("ix_file_board_id")

    op.drop_table("file")
    with op.batch_alter_table("stored_object", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stored_object_workspace_id"))

    op.drop_table("stored_object")
