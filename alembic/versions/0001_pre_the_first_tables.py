"""The first tables: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, Rank, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", Id, nullable=True),
        sa.Column("tenant", Id, nullable=True),
        sa.Column("subject", Id, nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("batch", Id, nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.PrimaryKeyConstraint("topic", "seq", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_subject_at"), ["subject", "at"], unique=False)
        batch_op.create_index("ix_event_tenant_at", ["tenant", "at"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("actor_id", Id, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("response", sa.String(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_idempotency_key")),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "topic",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "lowest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_topic")),
    )
    op.create_table(
        "user",
        sa.Column("id", Id, nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("username_folded", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_folded", sa.String(length=508), nullable=True),
        sa.Column("nickname", sa.String(length=80), nullable=True),
        sa.Column("first_name", sa.String(length=80), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_local", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_folded", name=op.f("uq_user_email_folded")),
        sa.UniqueConstraint("username_folded", name=op.f("uq_user_username_folded")),
    )
    op.create_table(
        "auth_session",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_auth_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_session")),
    )
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "workspace",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_workspace_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
    )
    op.create_table(
        "board",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=10), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "law",
            sa.Enum("PIPELINE", "FREE", name="law", length=20, native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_board_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_board_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board")),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("uq_board_workspace_id_key")),
        sa.UniqueConstraint("workspace_id", "rank", name=op.f("uq_board_workspace_id_rank")),
    )
    op.create_table(
        "label",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("name_folded", sa.String(length=100), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_label_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("workspace_id", "name_folded", name=op.f("uq_label_workspace_id_name_folded")),
    )
    op.create_table(
        "membership",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "ADMIN", "MEMBER", "VIEWER", name="role", length=20, native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_membership_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_membership_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("workspace_id", "user_id", name=op.f("uq_membership_workspace_id_user_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index("ix_membership_user_id", ["user_id"], unique=False)

    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", Id, nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(), nullable=True),
        sa.Column("successor", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth_session.id"], name=op.f("fk_refresh_token_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_token")),
    )
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_token_session_id"), ["session_id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_api_key_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_api_key_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_api_key_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_board_id"), ["board_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_key_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "board_column",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
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
        sa.Column("rank", Rank, nullable=False),
        sa.Column("wip_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_board_column_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_column")),
        sa.UniqueConstraint("board_id", "rank", name=op.f("uq_board_column_board_id_rank")),
    )
    with op.batch_alter_table("board_column", schema=None) as batch_op:
        batch_op.create_index("ix_board_column_board_id_stage", ["board_id", "stage"], unique=False)

    op.create_table(
        "card",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("column_id", Id, nullable=False),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "FEATURE",
                "BUG",
                "REFACTOR",
                "TEST",
                "DOCS",
                "REVIEW",
                "CHORE",
                name="cardtype",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "size",
            sa.Enum(
                "SMALL", "MEDIUM", "LARGE", name="size", length=20, native_enum=False, create_constraint=True
            ),
            nullable=True,
        ),
        sa.Column("story_points", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["column_id"], ["board_column.id"], name=op.f("fk_card_column_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["card.id"], name=op.f("fk_card_parent_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("board_id", "number", name=op.f("uq_card_board_id_number")),
        sa.UniqueConstraint("column_id", "rank", name=op.f("uq_card_column_id_rank")),
    )
    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.create_index("ix_card_board_id_archived_at", ["board_id", "archived_at"], unique=False)
        batch_op.create_index("ix_card_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "card_assignee",
        sa.Column("card_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_assignee_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_assignee_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_card_assignee_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "user_id", name=op.f("pk_card_assignee")),
    )
    with op.batch_alter_table("card_assignee", schema=None) as batch_op:
        batch_op.create_index("ix_card_assignee_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_card_assignee_user_id", ["user_id"], unique=False)

    op.create_table(
        "card_label",
        sa.Column("card_id", Id, nullable=False),
        sa.Column("label_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_label_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_label_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["label.id"], name=op.f("fk_card_label_label_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "label_id", name=op.f("pk_card_label")),
    )
    with op.batch_alter_table("card_label", schema=None) as batch_op:
        batch_op.create_index("ix_card_label_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_card_label_label_id", ["label_id"], unique=False)

    op.create_table(
        "card_link",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "BLOCKS",
                "RELATED",
                "DUPLICATE",
                name="linkkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("card_id <> target_id", name=op.f("ck_card_link_no_self")),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_card_link_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_link_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["card.id"], name=op.f("fk_card_link_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_link")),
        sa.UniqueConstraint("card_id", "target_id", name=op.f("uq_card_link_card_id_target_id")),
    )
    with op.batch_alter_table("card_link", schema=None) as batch_op:
        batch_op.create_index("ix_card_link_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_card_link_target_id", ["target_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "COMMENT",
                "INSTRUCTION",
                "FEEDBACK",
                "STATUS",
                "ERROR",
                name="messagekind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("author_kind", sa.String(length=10), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("edited_at", UtcDateTime(), nullable=True),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_message_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_message_card_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_message_card_id_created_at", ["card_id", "created_at"], unique=False)

    op.create_table(
        "subtask",
        sa.Column("id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.Column("completed_by", Id, nullable=True),
        sa.Column("phase", sa.String(length=80), nullable=True),
        sa.Column("phase_order", sa.Integer(), nullable=False),
        sa.Column("rank", Rank, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_subtask_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_subtask_card_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subtask")),
    )
    with op.batch_alter_table("subtask", schema=None) as batch_op:
        batch_op.create_index("ix_subtask_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_subtask_card_id", ["card_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("subtask", schema=None) as batch_op:
        batch_op.drop_index("ix_subtask_card_id")
        batch_op.drop_index("ix_subtask_board_id")

    op.drop_table("subtask")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_card_id_created_at")
        batch_op.drop_index("ix_message_board_id")

    op.drop_table("message")
    with op.batch_alter_table("card_link", schema=None) as batch_op:
        batch_op.drop_index("ix_card_link_target_id")
        batch_op.drop_index("ix_card_link_board_id")

    op.drop_table("card_link")
    with op.batch_alter_table("card_label", schema=None) as batch_op:
        batch_op.drop_index("ix_card_label_label_id")
        batch_op.drop_index("ix_card_label_board_id")

    op.drop_table("card_label")
    with op.batch_alter_table("card_assignee", schema=None) as batch_op:
        batch_op.drop_index("ix_card_assignee_user_id")
        batch_op.drop_index("ix_card_assignee_board_id")

    op.drop_table("card_assignee")
    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.drop_index("ix_card_parent_id")
        batch_op.drop_index("ix_card_board_id_archived_at")

    op.drop_table("card")
    with op.batch_alter_table("board_column", schema=None) as batch_op:
        batch_op.drop_index("ix_board_column_board_id_stage")

    op.drop_table("board_column")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_api_key_board_id"))

    op.drop_table("api_key")
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refresh_token_session_id"))

    op.drop_table("refresh_token")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index("ix_membership_user_id")

    op.drop_table("membership")
    op.drop_table("label")
    op.drop_table("board")
    op.drop_table("workspace")
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auth_session_user_id"))

    op.drop_table("auth_session")
    op.drop_table("user")
    op.drop_table("topic")
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_key_expires_at"))

    op.drop_table("idempotency_key")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_tenant_at")
        batch_op.drop_index(batch_op.f("ix_event_subject_at"))

    op.drop_table("event")
