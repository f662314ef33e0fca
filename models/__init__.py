"""The tables, the events and the rules of the domain. Importing it registers every table in the metadata."""

from kit import queue  # noqa: F401
from kit.eventlog import tables  # noqa: F401
from models import (  # noqa: F401
    account,
    approval,
    batch,
    board,
    card,
    check,
    connection,
    group,
    invitation,
    job,
    mail,
    message,
    notice,
    pull_request,
    question,
    repository,
    run,
    worker,
    workspace,
)
