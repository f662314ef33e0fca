"""What a worker shows with everything it says about a run it holds."""

from typing import Annotated

from strawberry import ID

from runtime.queue import Ticket
from runtime.transport.describe import takes


@takes
class LeaseInput:
    """What `claimRuns` answered, shown with every report: the run, the number of the attempt, and its token."""

    run_id: Annotated[ID, "Which run."]
    attempt: Annotated[int, "The number of the attempt."]
    token: Annotated[str, "The token of the lease."]

    def ticket(self) -> Ticket:
        return Ticket(str(self.run_id), self.attempt, self.token)
