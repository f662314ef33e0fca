"""The tables, the events and the rules of the domain. Importing it registers every table in the metadata."""

from kit import queue  # noqa: F401
from kit.eventlog import tables  # noqa: F401
from models import (  # noqa: F401
    account,
    answer_rule,
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
    file,
    group,
    identity,
    invitation,
    job,
    knowledge,
    mail,
    message,
    notice,
    plan,
    planned_file,
    pull_request,
    question,
    repository,
    review_thread,
    run,
    search,
<<<<<<< HEAD
    sprint,
=======
    second_factor,
>>>>>>> main
    watch,
    webhook_endpoint,
    worker,
    workspace,
)
