-- Claims the first jobs of a lane, as many as every cap has free slots for. Rows that others lock are skipped.
WITH place AS MATERIALIZED (
    SELECT cap.name, free.n, row_number() OVER (PARTITION BY cap.name ORDER BY free.n) AS k
    FROM cap LEFT JOIN LATERAL (
        SELECT n FROM slot WHERE slot.cap = cap.name AND slot.job_id IS NULL AND NOT slot.surplus
        ORDER BY n LIMIT :most FOR UPDATE SKIP LOCKED
    ) AS free ON true
    WHERE cap.name = ANY (:caps)
), room AS MATERIALIZED (
    SELECT LEAST(:most, min(places)) AS n FROM (SELECT count(n) AS places FROM place GROUP BY name) AS each
), first AS MATERIALIZED (
    SELECT id, available_at FROM job
    WHERE state = 'READY' AND tenant = :tenant AND lane = :lane AND available_at <= statement_timestamp()
        AND (:before IS NULL OR (available_at, id) < (:before, :before_id))
        AND NOT EXISTS (SELECT FROM attempt WHERE claim_hash = :claim AND :start = 0)
    ORDER BY available_at, id LIMIT (SELECT n FROM room) FOR UPDATE SKIP LOCKED
), chosen AS (
    SELECT id, row_number() OVER (ORDER BY available_at, id) AS k FROM first
), taken AS (
    UPDATE job SET state = 'LEASED', held = true, attempt = attempt + 1, expires_at = NULL,
        deadline_at = COALESCE(deadline_at, statement_timestamp() + make_interval(secs => whole_limit))
    FROM chosen WHERE job.id = chosen.id
    RETURNING job.*, chosen.k AS place
), occupied AS (
    UPDATE slot SET job_id = taken.id FROM place, taken
    WHERE slot.cap = place.name AND slot.n = place.n AND place.k = taken.place
), opened AS (
    INSERT INTO attempt (job_id, number, worker_id, lease_token_hash, lease_nonce, claim_hash, claim_place,
        lease_until, heartbeat_at, silence_limit, silent_by, limit_by, started_at)
    SELECT id, attempt, :worker, (:hashes)[place], (:nonces)[place], :claim,
        CASE WHEN :claim IS NOT NULL THEN :start + place - 1 END,
        statement_timestamp() + make_interval(secs => :lease), statement_timestamp(),
        silence_limit, statement_timestamp() + make_interval(secs => silence_limit),
        statement_timestamp() + make_interval(secs => attempt_limit), statement_timestamp()
    FROM taken
)
SELECT id, kind, tenant, scope, executor, failures, losses, attempt, available_at, place,
    statement_timestamp() AS at
FROM taken ORDER BY place
