// graphile-worker, running jobs that do nothing: `graphile-worker.js HOST DATABASE AT_ONCE BATCH SECONDS`.
// It has no batches, and no way to claim but to run.
import { run } from "graphile-worker";
import pg from "pg";

const [host, database, atOnce, , seconds] = process.argv.slice(2);
const pool = new pg.Pool({ host, database, user: "postgres", max: Number(atOnce) + 3 });
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
let done = 0;
const runner = await run({
  pgPool: pool,
  concurrency: Number(atOnce),
  pollInterval: 100,
  noHandleSignals: true,
  logger: new (await import("graphile-worker")).Logger(() => (level, message) => quiet[level === "warning" ? "warn" : level]?.(message)),
  taskList: { work: async () => { done += 1; } },
});
const fill = () => pool.query(
  "SELECT graphile_worker.add_jobs(array_agg(json_populate_record(NULL::graphile_worker.job_spec, '{\"identifier\": \"work\"}'))) FROM generate_series(1, 5000)",
);
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let counted = 0, worked = 0;
await fill();
await rest(500); // warm
while (worked < Number(seconds) * 1000) {
  const { rows: [{ count }] } = await pool.query("SELECT count(*)::int AS count FROM graphile_worker._private_jobs");
  if (count < 2500) await fill();
  const before = done, began = performance.now();
  await rest(250);
  counted += done - before;
  worked += performance.now() - began;
}
console.log(JSON.stringify({ jobs: counted, seconds: worked / 1000 }));
process.exit(0);
