"""Add watches: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BEFORE = (
    *("CARD_MOVED", "RUN_SUCCEEDED", "RUN_FAILED", "QUESTION_ASKED", "REVIEW_REQUESTED", "ASSIGNED"),
    *("MENTIONED", "WARNING"),
)
ADDED = ("APPROVAL_REQUESTED", "READY_TO_MERGE", "INVITED", "STALE_PR")
AFTER = (*BEFORE[:5], *ADDED[:2], *BEFORE[5:7], *ADDED[2:], BEFORE[7])
NAME = "ck_notification_notificationtype"


def upgrade() -> None:
    op.create_table(
        "watch_cursor",
        sa.Column("board_id", Id, nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_watch_cursor_board_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("board_id", name=op.f("pk_watch_cursor")),
        sa.UniqueConstraint("topic", name=op.f("uq_watch_cursor_topic")),
    )
    op.create_table(
        "watch",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=True),
        sa.Column(
            "level",
            sa.Enum(
                "WATCHING", "MUTED", name="watchlevel", length=20, native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_watch_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_watch_card_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_watch_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
    )
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.create_index("ix_watch_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_watch_card_id", ["card_id"], unique=False)
        batch_op.create_index("ix_watch_subject_id", ["subject_id"], unique=False)
        batch_op.create_index("ix_watch_user_id", ["user_id", "subject_id"], unique=True)

    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("mailed_at", UtcDateTime(), nullable=True))
        batch_op.create_index("ix_notification_cause", ["user_id", "cause"], unique=True)

    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest_at", UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_user_digest_at"), ["digest_at"], unique=False)

    _allow(*AFTER)


def downgrade() -> None:
    added = ", ".join(f"'{name}'" for name in ADDED)
    op.execute(sa.text(f"DELETE FROM notification WHERE type IN ({added})"))  # noqa: S608
    _allow(*BEFORE)
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_digest_at"))
        batch_op.drop_column("digest_at")

    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index("ix_notification_cause")
        batch_op.drop_column("mailed_at")
        batch_op.drop_column("cause")

    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.drop_index("ix_watch_user_id")
        batch_op.drop_index("ix_watch_subject_id")
        batch_op.drop_index("ix_watch_card_id")
        batch_op.drop_index("ix_watch_board_id")

    op.drop_table("watch")
    op.drop_table("watch_cursor")


def _allow(*types: str) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("notification") as batch_op:
        if not is_sqlite:  # there the table is made again, without its check
            batch_op.drop_constraint(op.f(NAME), type_="check")
        batch_op.create_check_constraint(op.f(NAME), sa.column("type").in_(types))
