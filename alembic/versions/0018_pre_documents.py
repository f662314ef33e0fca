"""Documents: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("folded_tags", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "DOC",
                "DESIGN",
                "PLAN",
                "SPEC",
                "GUIDE",
                "REFERENCE",
                "CODE",
                "RESEARCH",
                "LINK",
                "IMAGE",
                "SKILL",
                "MCP",
                "CLI",
                "API",
                "PROMPT",
                "RUNBOOK",
                "TEST",
                "SCAFFOLD",
                "MEMORY",
                name="documentkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("uri", sa.String(length=2000), nullable=True),
        sa.Column("integration_system", sa.String(length=100), nullable=True),
        sa.Column("integration_key", sa.String(length=500), nullable=True),
        sa.Column("locator", sa.String(length=500), nullable=True),
        sa.Column("repository", sa.String(length=500), nullable=True),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=True),
        sa.Column("tags", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "content IS NOT NULL OR uri IS NOT NULL OR integration_key IS NOT NULL",
            name=op.f("ck_document_has_something"),
        ),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_document_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_document_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index("ix_document_board_id", ["board_id", "id"], unique=False)
        batch_op.create_index("ix_document_workspace_id", ["workspace_id", "id"], unique=False)

    op.create_table(
        "document_revision",
        sa.Column("document_id", Id, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_by", Id, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "DOC",
                "DESIGN",
                "PLAN",
                "SPEC",
                "GUIDE",
                "REFERENCE",
                "CODE",
                "RESEARCH",
                "LINK",
                "IMAGE",
                "SKILL",
                "MCP",
                "CLI",
                "API",
                "PROMPT",
                "RUNBOOK",
                "TEST",
                "SCAFFOLD",
                "MEMORY",
                name="documentkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("uri", sa.String(length=2000), nullable=True),
        sa.Column("integration_system", sa.String(length=100), nullable=True),
        sa.Column("integration_key", sa.String(length=500), nullable=True),
        sa.Column("locator", sa.String(length=500), nullable=True),
        sa.Column("repository", sa.String(length=500), nullable=True),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=True),
        sa.Column("tags", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
            name=op.f("fk_document_revision_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "revision", name=op.f("pk_document_revision")),
    )
    op.create_table(
        "document_link",
        sa.Column("id", Id, nullable=False),
        sa.Column("document_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=True),
        sa.Column("group_id", Id, nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("target_id", Id, nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "SOURCE",
                "SUPPORTS",
                "CONSTRAINS",
                "REFERENCE",
                name="documentrole",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("usage_hint", sa.String(length=1000), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_document_link_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_document_link_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_link_document_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["card_group.id"], name=op.f("fk_document_link_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_document_link_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_link")),
        sa.UniqueConstraint("document_id", "target_id", name=op.f("uq_document_link_document_id_target_id")),
    )
    with op.batch_alter_table("document_link", schema=None) as batch_op:
        batch_op.create_index("ix_document_link_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_document_link_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_document_link_target_id", ["target_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("document_link", schema=None) as batch_op:
        batch_op.drop_index("ix_document_link_target_id")
        batch_op.drop_index("ix_document_link_card_id")
        batch_op.drop_index("ix_document_link_board_id")

    op.drop_table("document_link")
    op.drop_table("document_revision")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_workspace_id")
        batch_op.drop_index("ix_document_board_id")

    op.drop_table("document")
