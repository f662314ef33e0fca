"""What a worker shows with everything it says about a run."""

from typing import Annotated

from strawberry import ID

from kit.graphql.types import input_type
from kit.queue import Ticket


@input_type
class LeaseInput:
    """What a worker shows with everything it says about a run: as `claimRuns` gave it."""

    run_id: Annotated[ID, "Which run."]
    attempt: Annotated[int, "The attempt's number, the fencing token."]
    token: Annotated[str, "The lease's secret."]

    def ticket(self) -> Ticket:
        return Ticket(self.run_id, self.attempt, self.token)
