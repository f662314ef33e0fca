"""Events of checks."""

from typing import Annotated

from kit.graphql.arguments import Id
from models.events.card import CardEvent


class ChecksRecorded(CardEvent):
    """Results of checks of a commit were recorded."""

    checked_run_id: Annotated[Id | None, "The run that was checked; null if the results are of a code host."]
    sha: Annotated[str, "The commit."]
    pending: Annotated[int, "Number of the commit's checks that have not ended."]
    passed: Annotated[int, "Number of those that passed."]
    failed: Annotated[int, "Number of those that failed, or could not be run."]
