-- Reads a leased job and its attempt. A transaction on SQLite holds all rows.
SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now') AS at, {columns}
FROM job JOIN attempt ON attempt.job_id = job.id
WHERE job.id = :id AND attempt.number = :number AND attempt.lease_token_hash = :hash
    AND attempt.ended_at IS NULL
