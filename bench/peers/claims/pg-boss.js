// pg-boss, fetching and completing: `pg-boss.js HOST DATABASE AT_ONCE BATCH SECONDS`.
import PgBoss from "pg-boss";

const [host, database, atOnce, batch, seconds] = process.argv.slice(2);
const boss = new PgBoss({ host, database, user: "postgres", max: Number(atOnce) + 1, supervise: false, schedule: false });
boss.on("error", (error) => { throw error; });
await boss.start();
await boss.createQueue("work");
const batchSize = Number(batch), wanted = Number(seconds) * 1000;
let done = 0, worked = 0;

async function claim(end) {
  while (performance.now() < end) {
    const jobs = await boss.fetch("work", { batchSize });
    if (jobs.length === 0) return;
    await boss.complete("work", jobs.map((job) => job.id));
    done += jobs.length;
  }
}

while (worked < wanted) {
  await boss.insert("work", Array.from({ length: 5000 }, (_, n) => ({ data: { n } })));
  if (worked === 0) await claim(performance.now() + 500); // warm
  if (worked === 0) done = 0;
  const began = performance.now();
  await Promise.all(Array.from({ length: Number(atOnce) }, () => claim(began + wanted - worked)));
  worked += performance.now() - began;
}
console.log(JSON.stringify({ jobs: done, seconds: worked / 1000 }));
await boss.stop({ graceful: false });
process.exit(0);
