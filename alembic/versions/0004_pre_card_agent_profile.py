"""The agent profile of a card: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("card", sa.Column("agent_profile_id", Id, nullable=True))


def downgrade() -> None:
    op.drop_column("card", "agent_profile_id")
