-- Locks a leased job, its attempt and its slots. Slots are locked after the job, as everywhere, and before the
-- statement that frees them reads others.
WITH held AS MATERIALIZED (
    SELECT statement_timestamp() AS at, {columns}
    FROM job JOIN attempt ON attempt.job_id = job.id
    WHERE job.id = :id AND attempt.number = :number AND attempt.lease_token_hash = :hash
        AND attempt.ended_at IS NULL
    FOR UPDATE OF job, attempt
), place AS MATERIALIZED (SELECT n FROM slot JOIN held ON slot.job_id = held.job_id FOR UPDATE OF slot)
SELECT held.* FROM held WHERE (SELECT count(*) FROM place) >= 0
