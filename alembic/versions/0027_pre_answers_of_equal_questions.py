"""Answers of equal questions: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fold", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("earlier_id", Id, nullable=True))
        batch_op.create_index("ix_question_board_id_fold", ["board_id", "fold", "status"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_index("ix_question_board_id_fold")
        batch_op.drop_column("earlier_id")
        batch_op.drop_column("fold")
