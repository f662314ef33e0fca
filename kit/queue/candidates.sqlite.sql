-- The first job of each lane that a worker may have: a loose index scan, from each lane to the next.
-- Without INDEXED BY, SQLite would sort the whole table once it has counted one with a single tenant.
WITH RECURSIVE head(id, lane, scope, caps, kind, executor, capabilities, priority, available_at) AS (
    SELECT * FROM (
        SELECT id, lane, scope, caps, kind, executor, capabilities, priority, available_at
        FROM job INDEXED BY ix_job_lane
        WHERE state = 'READY' AND tenant = :tenant
        ORDER BY lane, available_at, id LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.id, next.lane, next.scope, next.caps, next.kind, next.executor, next.capabilities,
        next.priority, next.available_at
    FROM head JOIN job AS next ON next.id = (
        SELECT id FROM job INDEXED BY ix_job_lane
        WHERE state = 'READY' AND tenant = :tenant AND lane > head.lane
        ORDER BY lane, available_at, id LIMIT 1
    )
)
SELECT id, lane, scope, caps, priority, available_at FROM head
WHERE available_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now') {restrictions}
AND NOT EXISTS (
    SELECT 1 FROM json_each(head.capabilities) AS needed WHERE needed.value NOT IN :capabilities
)
AND NOT EXISTS (
    SELECT 1 FROM json_each(head.caps) AS counted JOIN cap ON cap.name = counted.value
    WHERE NOT EXISTS (
        SELECT 1 FROM slot WHERE slot.cap = cap.name AND slot.job_id IS NULL AND NOT slot.surplus
    )
)
ORDER BY priority DESC, available_at, id LIMIT :most
