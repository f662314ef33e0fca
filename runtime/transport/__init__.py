"""GraphQL on the wire: HTTP, sockets, streams, and everything that stands before an operation.

Knows no noun of the product. The composition root makes a `Policy`, a `Schema` with it, a `View`
over that, and calls `serve`. A resolver raises `PublicError` or an exception that `Policy.explain`
knows; it reads `rate_state()`; it counts tries with `Attempts`.
"""

from runtime.transport.drain import Draining
from runtime.transport.errors import Code, PublicError, Rejected
from runtime.transport.guard import Guard, Policy
from runtime.transport.limits import LimitExceeded, Limits
from runtime.transport.operation import Operation, rate_state, request_id, running
from runtime.transport.rate import Attempts, Bucket, RateLimited, RateState
from runtime.transport.schema import Schema
from runtime.transport.serve import AddressTaken, Server, address_of, bind, serve
from runtime.transport.sizes import cost, list_size, unsaid
from runtime.transport.view import View

__all__ = [
    "AddressTaken",
    "Attempts",
    "Bucket",
    "Code",
    "Draining",
    "Guard",
    "LimitExceeded",
    "Limits",
    "Operation",
    "Policy",
    "PublicError",
    "RateLimited",
    "RateState",
    "Rejected",
    "Schema",
    "Server",
    "View",
    "address_of",
    "bind",
    "cost",
    "list_size",
    "rate_state",
    "request_id",
    "running",
    "serve",
    "unsaid",
]
