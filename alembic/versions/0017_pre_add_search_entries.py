"""Full-text search: its index of what is there, before the new program is started.

The texts are read in parts, so that no part of a large database is in memory at once.
"""

import sqlalchemy as sa
from alembic import op

from kit.db.database import Id
from kit.search import FTS5, Words, words_of

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PART = 1_000  # rows
SOURCES = (
    ("CARD", "card", "card.id", "card.title", "card.description", "card.id"),
    ("COMMENT", "message", "message.id", "''", "message.body", "message.card_id"),
    ("RUN", "run", "run.id", "''", "coalesce(run.summary, '')", "run.card_id"),
)


def upgrade() -> None:
    entry = op.create_table(
        "search_entry",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", Id, nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("board_id", Id, nullable=True),
        sa.Column("card_id", Id, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["board.id"], name=op.f("fk_search_entry_board_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_search_entry_card_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_search_entry_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_entry")),
        sa.UniqueConstraint("id", "type", name=op.f("uq_search_entry_id_type")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in FTS5:
            op.execute(statement)
    for type, table, id, title, text, card_id in SOURCES:
        _fill(entry, type, table, id, title, text, card_id)
    op.create_index("ix_search_entry_board_id", "search_entry", ["board_id"])
    op.create_index("ix_search_entry_card_id", "search_entry", ["card_id"])
    op.create_index("ix_search_entry_workspace_id", "search_entry", ["workspace_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_search_entry_words", "search_entry", ["words"], postgresql_using="gin")


def _fill(entry: sa.Table, type: str, table: str, id: str, title: str, text: str, card_id: str) -> None:
    last = ""
    query = sa.text(
        f"SELECT {id} AS id, {title} AS title, {text} AS text, {card_id} AS card_id, {table}.board_id AS board_id,"  # noqa: S608
        f" board.workspace_id AS workspace_id FROM {table} JOIN board ON board.id = {table}.board_id"
        f" WHERE {id} > :last ORDER BY {id} LIMIT {PART}"
    )
    while rows := op.get_bind().execute(query, {"last": last}).all():
        last = rows[-1].id
        entries = []
        for row in rows:
            of_title = words_of(row.title)
            words = of_title + words_of(row.text)
            scopes = [("in", row.workspace_id), (type, row.workspace_id), ("board", row.board_id)]
            scopes.append(("card", row.card_id))
            if words:
                entries.append(
                    {
                        "id": row.id,
                        "type": type,
                        "workspace_id": row.workspace_id,
                        "board_id": row.board_id,
                        "card_id": row.card_id,
                        "title": f" {' '.join(of_title)} "[:1_000],
                        "words": [f"x{kind.lower()}x{of.rpartition('_')[2]}" for kind, of in scopes] + words,
                    }
                )
        if entries:
            op.get_bind().execute(entry.insert(), entries)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.drop_table("search_entry")
