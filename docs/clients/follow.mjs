// Follow a feed across reconnects, with the client of graphql-ws or graphql-sse.
//
//   const stop = follow(client, { query: WATCH, variables: { boardId } }, { next, error, complete });
//
// The query declares `$after: String`, passes it to the feed, and selects `cursor` under the feed's own name or an
// alias. The client sends the same request again after a reconnect; `after` is then the cursor of the last item.

export function follow(client, request, sink) {
  const variables = { ...request.variables };
  const next = (result) => {
    variables.after = Object.values(result.data ?? {})[0]?.cursor ?? variables.after;
    sink.next(result);
  };
  return client.subscribe({ ...request, variables }, { ...sink, next });
}
