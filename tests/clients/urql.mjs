// urql, which names text/event-stream in the Accept header of every operation.
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSocket } from "graphql-ws";
import WebSocket from "ws";
import { assert, headers, http, main, ops, scenario, ws } from "./suite.mjs";

const open = (more = {}) =>
  new Client({
    url: http,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers },
    fetchSubscriptions: true,
    preferGetMethod: false,
    ...more,
  });

const items = (client, query) =>
  new Promise((resolve, reject) => {
    const found = [];
    client.subscription(query, {}).subscribe((result) => {
      if (result.error) return reject(result.error);
      found.push(result.data);
      if (found.length === 2) resolve(found);
    });
  });

scenario("query", async () => {
  const { data, error } = await open().query(ops.query, {});
  assert(data && !error, error?.message);
});
scenario("mutation", async () => {
  const { data, error } = await open().mutation(ops.mutation, {});
  assert(data && !error, error?.message);
});
scenario("query by GET", async () => {
  const { data, error } = await open({ preferGetMethod: "force" }).query(ops.query, {});
  assert(data && !error, error?.message);
});
scenario("error", async () => {
  const { error } = await open().query(ops.bad, {});
  assert(error?.graphQLErrors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED", error?.message);
});
scenario("subscription by a stream", async () => {
  assert((await items(open(), ops.subscription)).length >= 2, "two items");
});
scenario("subscription by a socket", async () => {
  const socket = createSocket({ url: ws, webSocketImpl: WebSocket, connectionParams: headers });
  const exchange = subscriptionExchange({
    forwardSubscription: (request) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }),
    }),
  });
  const client = open({ exchanges: [exchange, fetchExchange], fetchSubscriptions: false });
  assert((await items(client, ops.subscription)).length >= 2, "two items");
});

await main();
