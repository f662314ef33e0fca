"""The database: connections, statements, migrations; the same contract on SQLite and PostgreSQL."""
