"""The SQL of the queue that SQLAlchemy does not express: files beside this one, named `<name>.<database>.sql`."""

from pathlib import Path


def load_sql(name: str) -> str:
    """Return the statement of a file without its comments. `{name}` stands for a part that its module fills in."""
    lines = Path(__file__).with_name(f"{name}.sql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
