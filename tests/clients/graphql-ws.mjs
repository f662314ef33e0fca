// graphql-transport-ws, as its reference client and a bare socket speak it.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { assert, headers, main, ops, pause, scenario, ws } from "./suite.mjs";

const open = (more = {}) =>
  createClient({
    url: ws,
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
    ...more,
  });

async function collect(client, query, { most = Infinity, ...more } = {}) {
  const found = [];
  for await (const item of client.iterate({ query, ...more })) {
    found.push(item);
    if (found.length >= most) break;
  }
  return found;
}

// Sends messages and returns what came back, and the code it was closed with.
const raw = (messages, ms = 1500, protocol = "graphql-transport-ws") =>
  new Promise((resolve) => {
    const heard = [];
    const socket = new WebSocket(ws, protocol);
    const end = (code) => resolve({ heard, code });
    socket.on("open", () => messages.forEach((m) => socket.send(typeof m === "string" ? m : JSON.stringify(m))));
    socket.on("message", (data) => heard.push(JSON.parse(data)));
    socket.on("close", end);
    socket.on("error", () => {});
    setTimeout(() => (end(null), socket.close()), ms).unref();
  });

const init = { type: "connection_init", payload: headers };

scenario("query", async () => {
  const [item] = await collect(open(), ops.query);
  assert(item.data && !item.errors, JSON.stringify(item));
});
scenario("mutation", async () => {
  const [item] = await collect(open(), ops.mutation);
  assert(item.data && !item.errors, JSON.stringify(item));
});
scenario("subscription to its end", async () => {
  assert((await collect(open(), ops.subscription)).length >= 2, "two items");
});
scenario("stopping early", async () => {
  assert((await collect(open(), ops.endless, { most: 2 })).length === 2, "two items");
});
scenario("stopping one leaves the other", async () => {
  const client = open();
  const other = collect(client, ops.endless, { most: 4 });
  await collect(client, ops.endless, { most: 1 });
  assert((await other).length === 4, "four items");
});
scenario("two operations at once", async () => {
  const client = open();
  const both = await Promise.all([collect(client, ops.subscription), collect(client, ops.query)]);
  assert(both[0].length >= 2 && both[1].length === 1, "both answered");
});
for (const [name, query] of [["a syntax error", "{"], ["an invalid operation", ops.bad]]) {
  scenario(`${name} is an error and leaves its sibling`, async () => {
    const client = open();
    const sibling = collect(client, ops.endless, { most: 5 });
    const error = await collect(client, query).then(() => null, (e) => e);
    assert(Array.isArray(error) && error[0].extensions.code, "an error with a code");
    assert((await sibling).length === 5, "the sibling goes on");
  });
}
scenario("an unknown operation name is an error", async () => {
  const error = await collect(open(), ops.query, { operationName: "x".repeat(500) }).catch((e) => e);
  assert(Array.isArray(error), "an error");
});
scenario("ping is answered, with its payload", async () => {
  const { heard } = await raw([{ type: "ping", payload: { a: 1 } }], 300);
  assert(heard[0].type === "pong" && heard[0].payload.a === 1, JSON.stringify(heard));
});
scenario("a payload may be null", async () => {
  const { code } = await raw([{ type: "ping", payload: null }], 300);
  assert(code === null, `closed ${code}`);
});
for (const [name, messages, code] of [
  ["4400 malformed", ["nonsense"], 4400],
  ["4401 before init", [{ type: "subscribe", id: "1", payload: { query: ops.query } }], 4401],
  ["4408 silent", [], 4408],
  ["4409 an id twice", [init, ...[1, 2].map(() => ({ type: "subscribe", id: "1", payload: { query: ops.endless } }))], 4409],
  ["4429 init twice", [init, init], 4429],
]) {
  scenario(name, async () => {
    const closed = await raw(messages, 9000);
    assert(closed.code === code, `closed ${closed.code}`);
  });
}
scenario("4406 another protocol", async () => {
  const { code } = await raw([], 1500, "graphql-ws");
  assert(code === 4406 || code === 1006, `closed ${code}`); // `ws` refuses an answer without one
});
scenario("a message that is too large is 1009", async () => {
  const { code } = await raw([{ type: "ping", payload: { a: "x".repeat(300_000) } }]);
  assert(code === 1009, `closed ${code}`);
});
scenario("the server is still there", async () => {
  await pause(50);
  assert((await collect(open(), ops.query)).length === 1, "an answer");
});

await main();
