"""The work queue: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cap",
        sa.Column(
            "name",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cap")),
    )
    op.create_table(
        "job",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("tenant", Id, nullable=False),
        sa.Column("scope", Id, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("executor", sa.String(length=40), nullable=True),
        sa.Column("capabilities", Json, nullable=False),
        sa.Column("caps", Json, nullable=False),
        sa.Column(
            "lane",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "READY",
                "LEASED",
                "PARKED",
                "DONE",
                "DEAD",
                "CANCELLED",
                name="state",
                length=10,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("enqueued_at", UtcDateTime(), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("deadline_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("max_losses", sa.Integer(), nullable=False),
        sa.Column("wait_limit", sa.Float(), nullable=True),
        sa.Column("attempt_limit", sa.Float(), nullable=True),
        sa.Column("silence_limit", sa.Float(), nullable=True),
        sa.Column("whole_limit", sa.Float(), nullable=True),
        sa.Column("parked_at", UtcDateTime(), nullable=True),
        sa.Column("parked_for", sa.String(length=40), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("NOT held OR state IN ('LEASED', 'PARKED')", name=op.f("ck_job_held_is_active")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_active",
            ["tenant", "scope"],
            unique=False,
            sqlite_where=sa.text("state IN ('LEASED', 'PARKED')"),
            postgresql_where=sa.text("state IN ('LEASED', 'PARKED')"),
        )
        batch_op.create_index(
            "ix_job_dead",
            ["tenant", "ended_at"],
            unique=False,
            sqlite_where=sa.text("state = 'DEAD'"),
            postgresql_where=sa.text("state = 'DEAD'"),
        )
        batch_op.create_index(
            "ix_job_deadline",
            ["deadline_at"],
            unique=False,
            sqlite_where=sa.text("deadline_at IS NOT NULL AND state IN ('READY', 'LEASED', 'PARKED')"),
            postgresql_where=sa.text("deadline_at IS NOT NULL AND state IN ('READY', 'LEASED', 'PARKED')"),
        )
        batch_op.create_index(
            "ix_job_due",
            ["available_at"],
            unique=False,
            sqlite_where=sa.text("state = 'READY'"),
            postgresql_where=sa.text("state = 'READY'"),
        )
        batch_op.create_index(
            "ix_job_expires",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("expires_at IS NOT NULL AND state = 'READY'"),
            postgresql_where=sa.text("expires_at IS NOT NULL AND state = 'READY'"),
        )
        batch_op.create_index(
            "ix_job_lane",
            ["tenant", "lane", "available_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'READY'"),
            postgresql_where=sa.text("state = 'READY'"),
        )
        batch_op.create_index(
            "ix_job_place",
            ["tenant", "scope", "priority", "available_at", "id"],
            unique=False,
            sqlite_where=sa.text("scope IS NOT NULL AND state = 'READY'"),
            postgresql_where=sa.text("scope IS NOT NULL AND state = 'READY'"),
        )

    op.create_table(
        "slot",
        sa.Column(
            "cap",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("surplus", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("cap", "n", name=op.f("pk_slot")),
    )
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.create_index(
            "ix_slot_job",
            ["job_id"],
            unique=False,
            sqlite_where=sa.text("job_id IS NOT NULL"),
            postgresql_where=sa.text("job_id IS NOT NULL"),
        )

    op.create_table(
        "attempt",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column(
            "lease_token_hash",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("lease_nonce", sa.String(length=32), nullable=False),
        sa.Column(
            "claim_hash",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("claim_place", sa.Integer(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("silence_limit", sa.Float(), nullable=True),
        sa.Column("silent_by", UtcDateTime(), nullable=True),
        sa.Column("limit_by", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "SUCCEEDED",
                "FAILED",
                "CANCELLED",
                "LOST",
                "RELEASED",
                name="outcome",
                length=10,
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("metrics", Json, nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_attempt_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_attempt")),
        postgresql_with={"fillfactor": "70"},
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempt_worker",
            ["worker_id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index("uq_attempt_claim", ["claim_hash", "claim_place"], unique=True)
        batch_op.create_index(
            "uq_attempt_open",
            ["job_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attempt_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("uq_attempt_claim")
        batch_op.drop_index(
            "ix_attempt_worker",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("attempt")
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_slot_job",
            sqlite_where=sa.text("job_id IS NOT NULL"),
            postgresql_where=sa.text("job_id IS NOT NULL"),
        )

    op.drop_table("slot")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_job_place",
            sqlite_where=sa.text("scope IS NOT NULL AND state = 'READY'"),
            postgresql_where=sa.text("scope IS NOT NULL AND state = 'READY'"),
        )
        batch_op.drop_index(
            "ix_job_lane",
            sqlite_where=sa.text("state = 'READY'"),
            postgresql_where=sa.text("state = 'READY'"),
        )
        batch_op.drop_index(
            "ix_job_expires",
            sqlite_where=sa.text("expires_at IS NOT NULL AND state = 'READY'"),
            postgresql_where=sa.text("expires_at IS NOT NULL AND state = 'READY'"),
        )
        batch_op.drop_index(
            "ix_job_due", sqlite_where=sa.text("state = 'READY'"), postgresql_where=sa.text("state = 'READY'")
        )
        batch_op.drop_index(
            "ix_job_deadline",
            sqlite_where=sa.text("deadline_at IS NOT NULL AND state IN ('READY', 'LEASED', 'PARKED')"),
            postgresql_where=sa.text("deadline_at IS NOT NULL AND state IN ('READY', 'LEASED', 'PARKED')"),
        )
        batch_op.drop_index(
            "ix_job_dead", sqlite_where=sa.text("state = 'DEAD'"), postgresql_where=sa.text("state = 'DEAD'")
        )
        batch_op.drop_index(
            "ix_job_active",
            sqlite_where=sa.text("state IN ('LEASED', 'PARKED')"),
            postgresql_where=sa.text("state IN ('LEASED', 'PARKED')"),
        )

    op.drop_table("job")
    op.drop_table("cap")
