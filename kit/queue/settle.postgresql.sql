-- Stores a job and its attempt after a transition, and frees the slots of a job that is no longer held.
WITH written AS (
    UPDATE job SET {job} WHERE id = :id
), closed AS (
    UPDATE attempt SET {attempt} WHERE job_id = :id AND number = :number
), freed AS (
    UPDATE slot SET job_id = NULL WHERE job_id = :id AND NOT :held RETURNING cap, n, surplus
)
SELECT cap, n, surplus, EXISTS (
    SELECT FROM slot AS heir WHERE heir.cap = freed.cap AND heir.surplus AND heir.job_id IS NOT NULL
) AS has_heir FROM freed
