"""Longer prefixes of words in the index of SQLite: before the new program is started."""

from alembic import op

from kit.search import FTS5

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
REBUILD = "INSERT INTO search_index(search_index) VALUES ('rebuild')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
        op.execute(FTS5[0])
        op.execute(REBUILD)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
        op.execute(FTS5[0].replace("3 4 5 6 7 8", "3 4"))
        op.execute(REBUILD)
