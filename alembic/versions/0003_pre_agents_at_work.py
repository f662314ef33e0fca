"""Agents at work: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_event",
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "seq", name=op.f("pk_run_event")),
    )
    op.create_table(
        "agent_profile",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=160), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "CODER",
                "PLANNER",
                "REVIEWER",
                "TESTER",
                "INTEGRATOR",
                name="agentrole",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "executor",
            sa.Enum(
                "CLAUDE_CODE",
                "CODEX",
                "GEMINI",
                "OPENCODE",
                "COMMAND",
                "SCRIPTED",
                name="executor",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("persona", sa.Text(), nullable=True),
        sa.Column("options", Json, nullable=False),
        sa.Column(
            "permission",
            sa.Enum(
                "AUTONOMOUS",
                "SUPERVISED",
                "HUMAN_REQUIRED",
                name="permissionlevel",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("capabilities", Json, nullable=False),
        sa.Column("max_concurrent", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_agent_profile_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_profile")),
        sa.UniqueConstraint(
            "workspace_id", "name_folded", name=op.f("uq_agent_profile_workspace_id_name_folded")
        ),
    )
    op.create_table(
        "notification",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "CARD_MOVED",
                "RUN_SUCCEEDED",
                "RUN_FAILED",
                "QUESTION_ASKED",
                "REVIEW_REQUESTED",
                "ASSIGNED",
                "MENTIONED",
                "WARNING",
                name="notificationtype",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("card_id", Id, nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("question_id", Id, nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notification_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_notification_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notification_unread",
            ["user_id"],
            unique=False,
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )
        batch_op.create_index("ix_notification_user_id", ["user_id", "id"], unique=False)

    op.create_table(
        "worker",
        sa.Column("id", Id, nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("program", sa.String(length=100), nullable=False),
        sa.Column("executors", Json, nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("capabilities", Json, nullable=False),
        sa.Column("skills", Json, nullable=False),
        sa.Column("max_concurrent", sa.Integer(), nullable=False),
        sa.Column("metrics", Json, nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("deregistered_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_worker_board_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_worker_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_worker_workspace_id_name")),
    )
    op.create_table(
        "agent_session",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("executor", sa.String(length=40), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.Column("active_at", UtcDateTime(), nullable=False),
        sa.Column("terminated_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_agent_session_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_agent_session_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["agent_session.id"], name=op.f("fk_agent_session_parent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_agent_session_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_session")),
        sa.UniqueConstraint("worker_id", "external_id", name=op.f("uq_agent_session_worker_id_external_id")),
    )
    with op.batch_alter_table("agent_session", schema=None) as batch_op:
        batch_op.create_index("ix_agent_session_board_id", ["board_id"], unique=False)
        batch_op.create_index("ix_agent_session_card_id", ["card_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
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
        sa.Column(
            "status",
            sa.Enum(
                "QUEUED",
                "CLAIMED",
                "RUNNING",
                "WAITING",
                "SUCCEEDED",
                "FAILED",
                "CANCELLED",
                name="runstatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "wait_reason",
            sa.Enum(
                "QUESTION",
                "APPROVAL",
                "DECISION",
                "CI",
                "CHILDREN",
                name="waitreason",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("held_by", sa.String(length=20), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "permission",
            sa.Enum(
                "AUTONOMOUS",
                "SUPERVISED",
                "HUMAN_REQUIRED",
                name="permissionlevel",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("profile_id", Id, nullable=True),
        sa.Column("executor", sa.String(length=40), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("retry_of", Id, nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("batch", Id, nullable=True),
        sa.Column("base_ref", sa.String(length=200), nullable=True),
        sa.Column("session_id", Id, nullable=True),
        sa.Column("worker_id", Id, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("snapshot", Json, nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("stop_requested_at", UtcDateTime(), nullable=True),
        sa.Column("stop_reason", sa.String(length=500), nullable=True),
        sa.Column("reported_at", UtcDateTime(), nullable=True),
        sa.Column("progress", Json, nullable=True),
        sa.Column("progress_told_at", UtcDateTime(), nullable=True),
        sa.Column("branch", sa.String(length=300), nullable=True),
        sa.Column("head_sha", sa.String(length=64), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "CHANGES",
                "NO_CHANGES",
                "AGENT_COMMITTED",
                name="runoutcome",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("patch", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column(
            "failure_code",
            sa.Enum(
                "AGENT_ERROR",
                "TIMEOUT",
                "SILENT",
                "LEASE_EXPIRED",
                "EXPIRED",
                "ATTEMPTS_EXHAUSTED",
                "POLICY_VIOLATION",
                "WORKSPACE_ERROR",
                "SESSION_LOST",
                "QUESTION_EXPIRED",
                "CHECK_FAILED",
                "REJECTED",
                "LIMIT_REACHED",
                name="failurecode",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["board_id"], ["board.id"], name=op.f("fk_run_board_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_run_card_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_run_active_card",
            ["card_id"],
            unique=False,
            sqlite_where=sa.text("status IN ('QUEUED', 'CLAIMED', 'RUNNING', 'WAITING')"),
            postgresql_where=sa.text("status IN ('QUEUED', 'CLAIMED', 'RUNNING', 'WAITING')"),
        )
        batch_op.create_index("ix_run_board_id_status", ["board_id", "status"], unique=False)
        batch_op.create_index("ix_run_card_id", ["card_id"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("group_key", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("header", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "TEXT",
                "SINGLE",
                "MULTI",
                name="questiontype",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("options", Json, nullable=False),
        sa.Column("allow_other", sa.Boolean(), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("default_answer", Json, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "OPEN",
                "ANSWERED",
                "EXPIRED",
                "CANCELLED",
                name="questionstatus",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("answer", Json, nullable=True),
        sa.Column("answered_by", Id, nullable=True),
        sa.Column(
            "answered_how",
            sa.Enum(
                "HUMAN", "AUTOMATED", name="answeredby", length=20, native_enum=False, create_constraint=True
            ),
            nullable=True,
        ),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_question_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_question_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_question_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.create_index("ix_question_card_id", ["card_id"], unique=False)
        batch_op.create_index(
            "ix_question_expires",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("status = 'OPEN'"),
            postgresql_where=sa.text("status = 'OPEN'"),
        )
        batch_op.create_index(
            "ix_question_open",
            ["board_id", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'OPEN'"),
            postgresql_where=sa.text("status = 'OPEN'"),
        )
        batch_op.create_index("ix_question_run_id", ["run_id"], unique=False)

    op.create_table(
        "run_command",
        sa.Column("id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "STOP",
                "CONCLUDE",
                "ANSWER",
                name="commandkind",
                length=20,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_command_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_command")),
        sa.UniqueConstraint("run_id", "attempt", "key", name=op.f("uq_run_command_run_id_attempt_key")),
    )
    op.create_table(
        "run_live",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_live_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "item", name=op.f("pk_run_live")),
    )
    op.create_table(
        "run_report",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("last_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_run_report_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_run_report")),
    )
    with op.batch_alter_table("board", schema=None) as batch_op:
        batch_op.add_column(sa.Column("policy", Json, server_default="{}", nullable=False))
    # Every board works one run at a time until its policy says otherwise; the queue was not used before.
    op.execute("INSERT INTO cap (name, most) SELECT 'scope:' || id, 1 FROM board")
    op.execute("INSERT INTO slot (cap, n, surplus) SELECT 'scope:' || id, 1, false FROM board")


def downgrade() -> None:
    op.execute("DELETE FROM slot WHERE cap LIKE 'scope:%'")
    op.execute("DELETE FROM cap WHERE name LIKE 'scope:%'")
    with op.batch_alter_table("board", schema=None) as batch_op:
        batch_op.drop_column("policy")

    op.drop_table("run_report")
    op.drop_table("run_live")
    op.drop_table("run_command")
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_index("ix_question_run_id")
        batch_op.drop_index(
            "ix_question_open",
            sqlite_where=sa.text("status = 'OPEN'"),
            postgresql_where=sa.text("status = 'OPEN'"),
        )
        batch_op.drop_index(
            "ix_question_expires",
            sqlite_where=sa.text("status = 'OPEN'"),
            postgresql_where=sa.text("status = 'OPEN'"),
        )
        batch_op.drop_index("ix_question_card_id")

    op.drop_table("question")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_card_id")
        batch_op.drop_index("ix_run_board_id_status")
        batch_op.drop_index(
            "ix_run_active_card",
            sqlite_where=sa.text("status IN ('QUEUED', 'CLAIMED', 'RUNNING', 'WAITING')"),
            postgresql_where=sa.text("status IN ('QUEUED', 'CLAIMED', 'RUNNING', 'WAITING')"),
        )

    op.drop_table("run")
    with op.batch_alter_table("agent_session", schema=None) as batch_op:
        batch_op.drop_index("ix_agent_session_card_id")
        batch_op.drop_index("ix_agent_session_board_id")

    op.drop_table("agent_session")
    op.drop_table("worker")
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index("ix_notification_user_id")
        batch_op.drop_index(
            "ix_notification_unread",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )

    op.drop_table("notification")
    op.drop_table("agent_profile")
    op.drop_table("run_event")
