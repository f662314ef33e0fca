// graphql-sse in distinct connections: one request for each operation.
import { createClient } from "graphql-sse";
import { assert, headers, http, main, ops, scenario } from "./suite.mjs";

const client = createClient({ url: http, headers, retryAttempts: 0 });

async function collect(query, most = Infinity) {
  const found = [];
  for await (const item of client.iterate({ query })) {
    found.push(item);
    if (found.length >= most) break;
  }
  return found;
}

scenario("query", async () => {
  const [item] = await collect(ops.query);
  assert(item.data && !item.errors, JSON.stringify(item));
});
scenario("subscription to its end", async () => {
  assert((await collect(ops.subscription)).length >= 2, "two items");
});
scenario("stopping early", async () => {
  assert((await collect(ops.endless, 2)).length === 2, "two items");
});
scenario("an invalid operation", async () => {
  const [item] = await collect(ops.bad);
  assert(item.errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED", JSON.stringify(item));
});

await main();
