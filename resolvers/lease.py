"""What a worker shows with everything it says about a run."""

from typing import Annotated

from strawberry import ID

from runtime.queue import Ticket
from runtime.transport.describe import takes


@takes
class LeaseInput:
    """What a worker shows with everything it says about a run: as `claimRuns` gave it."""

    run_id: Annotated[ID, "Which run."]
    attempt: Annotated[int, "The attempt's number, the fencing token."]
    token: Annotated[str, "The lease's secret."]

    def ticket(self) -> Ticket:
        return Ticket(self.run_id, self.attempt, self.token)
