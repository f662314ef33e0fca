// Apollo Client: HTTP, a socket, and subscriptions over multipart HTTP.
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient as createSocket } from "graphql-ws";
import WebSocket from "ws";
import { assert, headers, http, main, ops, scenario, ws } from "./suite.mjs";

const open = (link) => new ApolloClient({ link, cache: new InMemoryCache() });
const overHttp = (more = {}) => open(new HttpLink({ uri: http, headers, ...more }));
const overSocket = () =>
  open(new GraphQLWsLink(createSocket({ url: ws, webSocketImpl: WebSocket, connectionParams: headers })));

const items = (client, query) =>
  new Promise((resolve, reject) => {
    const found = [];
    client.subscribe({ query: gql(query) }).subscribe({
      next: ({ data, error }) => {
        if (error) return reject(error);
        found.push(data);
        if (found.length === 2) resolve(found);
      },
      error: reject,
    });
  });

scenario("query", async () => {
  const { data } = await overHttp().query({ query: gql(ops.query) });
  assert(data, "data");
});
scenario("mutation", async () => {
  const { data } = await overHttp().mutate({ mutation: gql(ops.mutation) });
  assert(data, "data");
});
scenario("query by GET", async () => {
  const { data } = await overHttp({ useGETForQueries: true }).query({ query: gql(ops.query) });
  assert(data, "data");
});
scenario("error", async () => {
  const error = await overHttp().query({ query: gql(ops.bad) }).then(() => null, (e) => e);
  assert(error?.errors?.[0].extensions.code === "GRAPHQL_VALIDATION_FAILED", String(error));
});
scenario("subscription by a socket", async () => {
  assert((await items(overSocket(), ops.subscription)).length >= 2, "two items");
});
scenario("subscription by multipart HTTP", async () => {
  assert((await items(overHttp(), ops.subscription)).length >= 2, "two items");
});

await main();
