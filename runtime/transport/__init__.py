"""GraphQL on the wire: HTTP, sockets, streams, and everything that stands before an operation.

Knows no noun of the product. The composition root makes a `Policy`, a `Schema` with it, a `View`
over that, and calls `serve`. A resolver raises `PublicError` or an exception that `Policy.explain`
knows; it reads `rate_state()`; it counts tries with `Attempts`.
"""

