import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';

import { authorization } from './session.js';

// The page is served at the URL of the API, so its own path is the API's, also behind a proxy
// that puts a prefix before it.
const url = new URL(location.pathname, location.origin);
const socketUrl = new URL(url);
socketUrl.protocol = url.protocol.replace('http', 'ws');

const post = createGraphiQLFetcher({
  url: url.href,
  headers: { 'graphql-require-preflight': '1' },
  enableIncrementalDelivery: false,
});

function authorizationIn(headers = {}) {
  const name = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
  return name && { authorization: headers[name] };
}

const isRefused = ({ data, errors }) =>
  !data && errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

/** By the headers pane, or else by the session of the page; a session that the server no longer takes is refreshed. */
async function ask(operation, headers) {
  if (authorizationIn(headers)) return post(operation, { headers });
  const given = await authorization();
  const answer = await post(operation, { headers: given ? { ...headers, authorization: given } : headers });
  if (!given || !isRefused(answer)) return answer;
  const again = await authorization(given);
  return post(operation, { headers: again ? { ...headers, authorization: again } : headers });
}

function readable(error) {
  if (!(error instanceof CloseEvent)) return error;
  return new Error(`The server closed the socket: ${error.code} ${error.reason}`.trim());
}

/**
 * A subscription on a socket of its own, so no socket ever carries the token of an earlier one.
 *
 * A lost socket is an error in the response pane and is not retried: subscribing anew would repeat
 * or skip events without a word.
 */
function listen(operation, headers) {
  const client = createClient({
    url: socketUrl.href,
    connectionParams: async () => {
      const given = authorizationIn(headers) ?? { authorization: await authorization() };
      return given.authorization ? given : undefined;
    },
    retryAttempts: 0,
  });
  return {
    subscribe: ({ next, error, complete }) => ({
      unsubscribe: client.subscribe(operation, {
        next,
        error: (cause) => error(readable(cause)),
        complete,
      }),
    }),
  };
}

/** The operation that was asked for, or else the only one there is. */
function chosenIn({ query, operationName }) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return null; // the server says what is wrong with it
  }
}

/**
 * Queries and mutations go by POST, subscriptions over graphql-transport-ws.
 *
 * The text itself says which: what GraphiQL knows of it is a moment old, so that of a tab just
 * turned to it would still give the name and the kind of the tab before.
 */
export function fetcher(operation, { headers } = {}) {
  const chosen = chosenIn(operation);
  const asked = chosen ? { ...operation, operationName: chosen.name?.value } : operation;
  return chosen?.operation === 'subscription' ? listen(asked, headers) : ask(asked, headers);
}
