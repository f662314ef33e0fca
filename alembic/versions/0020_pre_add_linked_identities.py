"""Add linked identities: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "linked_identity",
        sa.Column(
            "provider",
            sa.Enum(
                "GITHUB", "OIDC", name="signinprovider", length=20, native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_linked_identity_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_linked_identity")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_linked_identity_user_id_provider")),
    )


def downgrade() -> None:
    op.drop_table("linked_identity")
