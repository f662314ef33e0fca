"""The lease of a run, as a worker presents it with each request about the run."""

from typing import Annotated

from kit.graphql.arguments import Id
from kit.graphql.types import as_row, input_type
from kit.queue import Ticket

__all__ = ["Lease", "LeaseInput"]


@input_type
class LeaseInput:
    """The lease of a run, as returned by `claimRuns`. Required in every request about the run."""

    run_id: Annotated[Id, "The run."]
    attempt: Annotated[int, "The number of the attempt: the fencing token."]
    token: Annotated[str, "The secret of the lease."]


as_row(LeaseInput)(lambda given: Ticket(given["runId"], given["attempt"], given["token"]))
Lease = Annotated[Ticket, LeaseInput]
