"""Who asked a question: before the new program is started."""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id, Json

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

question = sa.table("question", *(sa.column(name, Id) for name in ("id", "card_id", "run_id", "asked_by")))
event = sa.table(
    "event", *(sa.column(name, Id) for name in ("subject", "kind", "actor_id")), sa.column("data", Json)
)


def upgrade() -> None:
    op.add_column("question", sa.Column("asked_by", Id, nullable=True))
    op.execute(question.update().where(question.c.run_id.is_not(None)).values(asked_by=question.c.run_id))
    # Of people only the event said it, where it is still kept.
    told = sa.select(event.c.actor_id).where(
        event.c.subject == question.c.card_id,
        event.c.kind == "QUESTION_ASKED",
        event.c.data["question_id"].as_string() == question.c.id,
    )
    by_event = told.limit(1).scalar_subquery()
    op.execute(question.update().where(question.c.run_id.is_(None)).values(asked_by=by_event))


def downgrade() -> None:
    op.drop_column("question", "asked_by")
