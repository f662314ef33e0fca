"""GraphQL over HTTP, WebSockets and event streams, with the checks before every operation.

The package does not depend on the product. The composition root makes a `RequestPolicy`, a `Schema` with it and a
`GraphQLEndpoint` for the schema, and calls `serve`. A resolver raises `PublicError`, or an exception that
`RequestPolicy.explain` maps to a code.
"""

from kit.graphql.errors import Code, ConnectionRejected, PublicError
from kit.graphql.http.draining import Draining
from kit.graphql.http.serve import AddressTaken, Server, address_of, bind, serve
from kit.graphql.http.view import GraphQLEndpoint
from kit.graphql.limits.document_size import DocumentLimits, LimitExceeded
from kit.graphql.limits.guard import Guard, RequestPolicy
from kit.graphql.limits.list_size import cost, list_size, undeclared_lists
from kit.graphql.limits.rate import AttemptLimiter, RateLimited, RateState, TokenBucket
from kit.graphql.operation import Operation, current_operation, rate_state, request_id
from kit.graphql.schema import Schema

__all__ = [
    "AddressTaken",
    "AttemptLimiter",
    "Code",
    "ConnectionRejected",
    "DocumentLimits",
    "Draining",
    "GraphQLEndpoint",
    "Guard",
    "LimitExceeded",
    "Operation",
    "PublicError",
    "RateLimited",
    "RateState",
    "RequestPolicy",
    "Schema",
    "Server",
    "TokenBucket",
    "address_of",
    "bind",
    "cost",
    "current_operation",
    "list_size",
    "rate_state",
    "request_id",
    "serve",
    "undeclared_lists",
]
