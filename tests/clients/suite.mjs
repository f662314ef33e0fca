// What the scripts share: the server and the operations to use come as arguments, so that the same
// scripts run against any server.
//
//   node <script>.mjs URL '{"query": "...", ...}'
//
// query, mutation    answer with data
// bad                fails validation
// failing            answers with data and an error of a resolver
// subscription       ends by itself after at least two items
// endless            does not
// token              sent as `authorization`, or absent

const [url, given] = process.argv.slice(2);

export const http = url;
export const ws = url.replace(/^http/, "ws");
export const ops = {
  query: "{ __typename }",
  bad: "{ thereIsNoSuchField }",
  ...JSON.parse(given ?? "{}"),
};
export const headers = ops.token ? { authorization: ops.token } : {};

const LIMIT = 10_000; // milliseconds a scenario may take
const scenarios = [];

export const scenario = (name, run) => scenarios.push([name, run]);

export const assert = (truth, what) => {
  if (!truth) throw new Error(`not so: ${what}`);
};

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function main() {
  let failed = 0;
  for (const [name, run] of scenarios) {
    const late = new Promise((_, no) => setTimeout(() => no(new Error("too late")), LIMIT).unref());
    try {
      await Promise.race([run(), late]);
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error?.message ?? JSON.stringify(error)}`);
    }
  }
  process.exit(failed ? 1 : 0);
}
