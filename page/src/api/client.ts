// Requests and feeds as the person who is signed in. The rest of the page knows only these functions.

import { effect, signal } from '@preact/signals';
import { createClient } from 'graphql-ws';

import type { TypedDocumentString } from './generated';
import { endpoint, OperationFailed, send } from './http';
import { freshFor, freshToken, session } from './session';

const MAX_RETRY_SECONDS = 5;
const PING_SECONDS = 10; // a socket that is silent for this long and half as long again is dead

/** Whether the socket is open. `wanted` is false while nothing is followed. */
export type Connection = 'idle' | 'connecting' | 'open' | 'lost';
export const connection = signal<Connection>('idle');

/** Execute a query or a mutation. A token that the server no longer takes is replaced once. */
export async function request<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const token = await freshToken();
  try {
    return await send(document, variables, token);
  } catch (error) {
    if (!(error instanceof OperationFailed) || error.code !== 'UNAUTHENTICATED' || !token) throw error;
    return send(document, variables, await freshToken(token));
  }
}

let wake: () => void = () => {};
const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

let deadline: ReturnType<typeof setTimeout> | undefined;

const client = createClient({
  url: endpoint.href.replace(/^http/, 'ws'),
  connectionParams: async () => {
    const token = await freshToken();
    return token ? { authorization: `Bearer ${token}` } : {};
  },
  keepAlive: PING_SECONDS * 1000,
  retryAttempts: Infinity,
  shouldRetry: () => true, // also after 4403: the next connection has a fresh token
  retryWait: (attempt) => pause(Math.min(MAX_RETRY_SECONDS, 0.25 * 2 ** attempt) * (0.75 + Math.random() / 2)),
  on: {
    connecting: () => {
      if (connection.peek() !== 'lost') connection.value = 'connecting';
    },
    connected: () => {
      connection.value = 'open';
    },
    closed: () => {
      connection.value = 'lost';
    },
    ping: (received) => {
      if (!received) deadline = setTimeout(() => client.terminate(), (PING_SECONDS / 2) * 1000);
    },
    pong: (received) => {
      if (received) clearTimeout(deadline);
    },
  },
});

for (const event of ['online', 'focus']) addEventListener(event, () => wake());

// A socket ends with the access token it was opened with. It is reopened with the next one before that; every feed
// goes on from its last cursor.
effect(() => {
  const current = session.value;
  if (!current) {
    client.terminate();
    return;
  }
  const timer = setTimeout(() => client.terminate(), Math.min(freshFor() + 1_000, 2 ** 31 - 1));
  return () => clearTimeout(timer);
});

export interface Sink<Data> {
  next: (data: Data) => void;
  /** The feed ended: `code` says why, undefined if it ended without an error. */
  ended: (code: string | undefined) => void;
}

/**
 * Follow a feed across reconnects, from the cursor `after` of its variables. Returns how to stop.
 *
 * graphql-ws repeats a request after a reconnect: the cursor of the last item is put into it first, so nothing is
 * lost and nothing comes twice. As docs/clients/follow.mjs.
 */
export function follow<Data extends Record<string, unknown>, Variables extends { after?: string | null }>(
  document: TypedDocumentString<Data, Variables>,
  given: Variables,
  sink: Sink<Data>,
): () => void {
  const variables = { ...given };
  let code: string | undefined;
  return client.subscribe<Data>(
    { query: document.toString(), variables },
    {
      next: ({ data, errors }) => {
        const item = data && (Object.values(data)[0] as { cursor?: string } | null);
        if (item?.cursor) variables.after = item.cursor;
        if (errors) code = (errors[0]?.extensions?.['code'] as string | undefined) ?? 'INTERNAL';
        else if (data) sink.next(data);
      },
      error: (error) => {
        const first = Array.isArray(error) ? error[0] : undefined;
        sink.ended((first?.extensions?.code as string | undefined) ?? 'INTERNAL');
      },
      complete: () => sink.ended(code),
    },
  );
}
