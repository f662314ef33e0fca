// One operation by POST. Nothing else is needed to read and to change; feeds are in feed.ts.

import type { TypedDocumentString } from './generated';

/** The address of the API, beside the page under whatever prefix it is served. */
export const endpoint = new URL('graphql', document.baseURI);

export class OperationFailed extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; retryAfter?: number } }[];
}

/** Execute an operation. Throws OperationFailed with the first error, or TypeError if the server was not reached. */
export async function send<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  token?: string,
): Promise<Data> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      'graphql-require-preflight': '1',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors } = (await response.json()) as Answer<Data>;
  const [error] = errors ?? [];
  if (error) throw new OperationFailed(error.message, error.extensions?.code, error.extensions?.retryAfter);
  if (!data) throw new OperationFailed('The server gave no answer', undefined);
  return data;
}
