"""Errors of the queue. An operation that raises one has changed nothing."""


class QueueRefusal(Exception):
    """The operation is not allowed; nothing was changed."""


class JobLeaseLost(QueueRefusal):
    """The caller does not hold the job: its lease expired, was revoked, or never existed. It must stop."""

    def __init__(self, id: str, attempt: int) -> None:
        self.id, self.attempt = id, attempt
        super().__init__(f"The lease of attempt {attempt} of {id} is lost; stop and discard its work")


class NotAsked(QueueRefusal):
    """A worker confirmed a cancellation that was not requested."""


class NotDead(QueueRefusal):
    """Only a dead job can be enqueued again."""


class NoSuchJob(QueueRefusal):
    """No job has this id."""
