-- The first job of each lane that a worker may have: a loose index scan, from each lane to the next.
WITH RECURSIVE head(id, lane, scope, caps, kind, executor, capabilities, priority, available_at) AS (
    SELECT * FROM (
        SELECT id, lane, scope, caps, kind, executor, capabilities, priority, available_at FROM job
        WHERE state = 'READY' AND tenant = :tenant
        ORDER BY lane, available_at, id LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.* FROM head CROSS JOIN LATERAL (
        SELECT id, lane, scope, caps, kind, executor, capabilities, priority, available_at FROM job
        WHERE state = 'READY' AND tenant = :tenant AND lane > head.lane
        ORDER BY lane, available_at, id LIMIT 1
    ) AS next
)
SELECT id, lane, scope, caps, priority, available_at FROM head
WHERE available_at <= statement_timestamp() {restrictions}
AND NOT EXISTS (
    SELECT 1 FROM jsonb_array_elements_text(head.capabilities) AS needed
    WHERE needed.value NOT IN :capabilities
)
AND NOT EXISTS (
    SELECT 1 FROM jsonb_array_elements_text(head.caps) AS counted JOIN cap ON cap.name = counted.value
    WHERE NOT EXISTS (
        SELECT 1 FROM slot WHERE slot.cap = cap.name AND slot.job_id IS NULL AND NOT slot.surplus
    )
)
ORDER BY priority DESC, available_at, id LIMIT :most
