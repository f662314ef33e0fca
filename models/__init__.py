"""The tables, the events and the rules of the domain. Importing it registers every table in the metadata."""

from kit import queue  # noqa: F401
from kit.eventlog import tables  # noqa: F401
from models import (  # noqa: F401
    account,
    approval,
    avatar,
    batch,
    board,
    branch_task,
    card,
    check,
    connection,
    context,
    diff,
    document,
    group,
    identity,
    invitation,
    job,
    knowledge,
    mail,
    message,
    notice,
    planned_file,
    question,
    repository,
    review_thread,
    run,
    search,
    worker,
    workspace,
)
