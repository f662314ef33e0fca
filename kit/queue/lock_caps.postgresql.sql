-- The candidates of a claim. Locks the caps of the first against changes, before the next statement reads their slots.
WITH found AS MATERIALIZED (SELECT row_number() OVER () AS rank, candidate.* FROM ({candidates}) AS candidate)
SELECT id, lane, caps, priority, available_at, CASE WHEN rank = 1 THEN (
    SELECT count(pg_advisory_xact_lock_shared(hashtextextended(name, 0))) FROM (
        SELECT jsonb_array_elements_text(caps) AS name UNION SELECT :mine ORDER BY name
    ) AS names
) END AS locked FROM found ORDER BY rank
