"""SQL of reports: each statement stores a whole report, for any number of lines, on both databases."""

from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, text

from kit.db.clock import POSTGRES
from kit.db.database import Json, UtcDateTime
from kit.db.raw_statement import RawStatement
from models.run import MAX_TEXT

COLUMNS = "topic, seq, attempt, type, level, agent, text, data, at"
# The lines of a report are one JSON list: a database parses it faster than a driver encodes rows.
LINES = {
    True: "SELECT :topic, {before} + place, :attempt, type, level, agent, text, data, :at FROM {beside}"
    " ROWS FROM (jsonb_to_recordset(CAST(:lines AS jsonb))"
    " AS (type varchar, level varchar, agent varchar, text text, data jsonb)) WITH ORDINALITY"
    " AS line (type, level, agent, text, data, place)",
    False: "SELECT :topic, {before} + 1 + key, :attempt, json_extract(value, '$.type'),"
    " json_extract(value, '$.level'), json_extract(value, '$.agent'), json_extract(value, '$.text'),"
    " json_extract(value, '$.data'), :at FROM json_each(:lines)",
}
TYPES: dict[str, Any] = {"topic": String(), "before": BigInteger(), "attempt": Integer(), "at": UtcDateTime()}


def _storing(is_postgres: bool, *, before: str = ":before", beside: str = "") -> str:
    return f"INSERT INTO run_event ({COLUMNS}) {LINES[is_postgres].format(before=before, beside=beside)}"


# Stores lines after number `before`; the key is whether the database is PostgreSQL.
STORE = {
    is_postgres: text(_storing(is_postgres)).bindparams(
        *(bindparam(name, type_=kind) for name, kind in TYPES.items())
    )
    for is_postgres in LINES
}

# Stores a whole report on PostgreSQL: extends the lease, numbers and stores the lines, stores the key, deletes the
# open text that is stored now, and updates the progress of the run. Does nothing without the lease. Returns the
# number of the last line; for a repeated key, the last line and the digest of the first report.
# The caller has locked the run with a statement before, so this one sees the changes of earlier reports.
TAKE = RawStatement(
    f"""
WITH held AS (
    UPDATE attempt SET lease_until = {POSTGRES} + make_interval(secs => :lease), heartbeat_at = {POSTGRES},
        silent_by = {POSTGRES} + make_interval(secs => silence_limit)
    WHERE job_id = :run AND number = :attempt AND lease_token_hash = :hash AND ended_at IS NULL
        AND NOT EXISTS (SELECT FROM run_report WHERE run_id = :run AND key = :key)
    RETURNING job_id
), numbered AS (
    INSERT INTO topic (name, epoch, last) SELECT :topic, :epoch, :n FROM held
    ON CONFLICT (name) DO UPDATE SET last = topic.last + :n RETURNING last
), stored AS (
    {_storing(True, before="numbered.last - :n", beside="numbered,")}
), remembered AS (
    INSERT INTO run_report (run_id, key, last_seq, digest) SELECT :run, :key, last, :digest FROM numbered
), forgotten AS (
    DELETE FROM run_live USING held WHERE run_id = :run AND item = ANY (:ended)
), told AS (
    UPDATE run SET reported_at = :at, updated_at = :at, progress = COALESCE(:progress, progress),
        progress_told_at = COALESCE(:told_at, progress_told_at)
    FROM held WHERE run.id = :run
)
SELECT last, NULL AS digest FROM numbered
UNION ALL SELECT last_seq, digest FROM run_report WHERE run_id = :run AND key = :key
""",  # noqa: S608 - our own text
    {
        **dict.fromkeys(("topic", "run", "key", "digest", "hash", "epoch"), "varchar"),
        "attempt": "integer",
        "n": "bigint",
        "lease": "float",
        "ended": "varchar[]",
        "lines": "jsonb",
        "progress": "jsonb",
        "at": "timestamptz",
        "told_at": "timestamptz",
    },
)

# Appends a chunk to the text of its part; a chunk of another part replaces the text.
SAY = text(
    "INSERT INTO run_live (run_id, item, part, type, agent, data, text)"
    " VALUES (:run_id, :item, :part, :type, :agent, :data, :text)"
    " ON CONFLICT (run_id, item) DO UPDATE SET part = excluded.part,"
    " text = CASE WHEN run_live.part = excluded.part"
    " THEN substr(run_live.text || excluded.text, 1, :most) ELSE excluded.text END,"
    " data = CASE WHEN run_live.part = excluded.part THEN run_live.data ELSE excluded.data END"
).bindparams(bindparam("data", type_=Json), bindparam("most", MAX_TEXT, type_=Integer()))
