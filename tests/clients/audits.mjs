// The audits of GraphQL over HTTP, from its reference implementation.
import { auditServer } from "graphql-http";
import { headers, http } from "./suite.mjs";

const fetchFn = (input, init) =>
  fetch(input, { ...init, headers: { ...init?.headers, ...headers } });
const results = await auditServer({ url: http, fetchFn });
for (const result of results) {
  const ok = result.status === "ok";
  console.log(`${ok ? "ok" : "FAIL"} ${result.id} ${result.name}${ok ? "" : `: ${result.reason}`}`);
  await result.response?.body?.cancel?.().catch(() => {});
}
process.exit(results.every((result) => result.status === "ok") ? 0 : 1);
