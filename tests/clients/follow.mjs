// docs/clients/follow.mjs: a feed goes on after the connection was lost, without a gap and without a repetition.
import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import { createClient as createStream } from "graphql-sse";
import WebSocket from "ws";
import { follow } from "../../docs/clients/follow.mjs";
import { assert, headers, http, main, ops, scenario, ws } from "./suite.mjs";

const ask = async (query) => {
  const body = JSON.stringify({ query });
  const answer = await fetch(http, { method: "POST", body, headers: { ...headers, "content-type": "application/json" } });
  const { data, errors } = await answer.json();
  assert(!errors, JSON.stringify(errors));
  return data;
};
const change = () => ask(ops.mutation);

// Follows from the beginning, loses the connection after three items, and follows on until both changes made
// meanwhile have arrived.
const numbers = async (subscribe, lose) => {
  const { board } = await ask(ops.board);
  return new Promise((resolve, reject) => {
    const seen = [];
    const next = ({ data, errors }) => {
      if (errors) return reject(new Error(JSON.stringify(errors)));
      seen.push(data.feed.seq);
      if (seen.length === 3) setTimeout(lose, 100); // once the client waits for the next item
      if (data.feed.seq >= board.seq + 2) resolve(seen);
    };
    subscribe({ query: ops.follow, variables: { after: "0" } }, { next, error: reject, complete: () => {} });
  });
};

const isDense = (seen) => seen.every((seq, index) => seq === index + 1);

const openSocket = () =>
  createClient({
    url: ws,
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 5,
    retryWait: async () => (await change(), await change()),
  });

scenario("a socket that was lost", async () => {
  const client = openSocket();
  const seen = await numbers((request, sink) => follow(client, request, sink), () => client.terminate());
  assert(isDense(seen), seen.join());
});
scenario("a socket of Apollo Client that was lost", async () => {
  const client = openSocket();
  const resuming = { ...client, subscribe: (request, sink) => follow(client, request, sink) };
  const apollo = new ApolloClient({ link: new GraphQLWsLink(resuming), cache: new InMemoryCache() });
  const subscribe = ({ query, variables }, sink) => apollo.subscribe({ query: gql(query), variables }).subscribe(sink);
  const seen = await numbers(subscribe, () => client.terminate());
  assert(isDense(seen), seen.join());
});
scenario("a stream that was lost", async () => {
  let lose = () => {};
  const client = createStream({
    url: http,
    headers,
    retryAttempts: 5,
    retry: async () => (await change(), await change()),
    fetchFn: async (url, options) => {
      const answer = await fetch(url, options);
      const reader = answer.body.getReader();
      const body = new ReadableStream({
        start: (controller) => void (lose = () => controller.error(new TypeError("the network was lost"))),
        pull: async (controller) => {
          const { done, value } = await reader.read();
          done ? controller.close() : controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      });
      return new Response(body, answer);
    },
  });
  const seen = await numbers((request, sink) => follow(client, request, sink), () => lose());
  assert(isDense(seen), seen.join());
});

await main();
