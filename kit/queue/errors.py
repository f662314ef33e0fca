"""What the queue refuses. Whatever is refused has changed nothing."""


class QueueRefusal(Exception):
    """Nothing was changed."""


class JobLeaseLost(QueueRefusal):
    """The caller does not hold this job: its lease ran out, was taken back, or never was. It must stop."""

    def __init__(self, id: str, attempt: int) -> None:
        self.id, self.attempt = id, attempt
        super().__init__(f"The lease of attempt {attempt} of {id} is lost; stop and discard its work")


class NotAsked(QueueRefusal):
    """A worker confirmed a cancel that nobody asked for."""


class NotDead(QueueRefusal):
    """Only a dead job can be run again."""


class NoSuchJob(QueueRefusal):
    """There is no job of this id."""
