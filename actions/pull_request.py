"""Changes to pull requests. Each is stored at once, and a job tells the host of it."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select

from actions import git, validation
from actions.changes import apply_changes
from actions.gate import require_open_gate
from actions.job import enqueue_job
from actions.pull_request_sync import (
    DISCOVER_JOB,
    EDIT_JOB,
    OPEN_JOB,
    SHOWN,
    add_link,
    emit_pull_request,
    enqueue_pull_sync,
    links_of,
)
from actions.repository import repository_place, require_connected
from actions.run.work_order import find_worked
from auth.locking import lock_card, lock_pull_request, lock_repository_of_card
from auth.permissions import sees_card, sees_pull_request
from auth.services import Services
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.approval import ApprovalKind
from models.board import Board
from models.card import Card, Subtask
from models.events.pull_request import PullRequestUnlinked, PullRequestUpdated
from models.policy import board_policy_of
from models.pull_request import (
    LIVE,
    MAX_PULL_BODY_LENGTH,
    MAX_PULL_REQUESTS,
    MAX_PULL_TITLE_LENGTH,
    CardPullRequest,
    PullRequest,
    PullRequestOrigin,
    PullRequestState,
    PullRequestText,
)
from models.refusal import Conflict, Invalid, NotFound
from models.repository import Repository
from models.run import Run

MAX_LISTED_SUBTASKS = 50  # in a generated text


async def create_pull_request(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card. Its board has a repository with a connection."],
    title: Annotated[str | None, "1 to 256 characters. Default: generated from the card."] = None,
    body: Annotated[
        str | None,
        "Markdown, at most 65,536 characters. Default: generated from the card and its run's summary.",
    ] = None,
    head_branch: Annotated[
        str | None, "The branch with the work. Default: that of the work on the card."
    ] = None,
    base_branch: Annotated[
        str | None, "The branch to merge into. Default: the policy's, or the repository's."
    ] = None,
    draft: Annotated[bool, "Whether it is opened as a draft."] = False,
) -> PullRequest:
    """Open a pull request for a card. A job opens it at the host, exactly once; until then it is PENDING.

    If one of the branch is PENDING or open, it is linked with the card and returned. Raises GateClosed if a
    required approval or check of the work is missing; Conflict without a repository, connection or branch.
    """
    repository, board, card = await _lock_card_and_repository(tx, actor, card_id)
    run = await find_worked(tx, card)
    head = head_branch or (run.branch if run is not None else None)
    if head is None:
        raise Conflict("There is no work on the card; name its branch in `headBranch`")
    head = git.validate_branch("headBranch", head)
    policy = board_policy_of(board.policy)
    base = base_branch or policy.base_branch or repository.base_branch
    if base is None:
        raise Conflict(
            "The repository was not synchronized yet; name the branch in `baseBranch`", repository.id
        )
    base = git.validate_branch("baseBranch", base)
    if base == head:
        raise Invalid(("headBranch", "must differ from the base branch"))
    # Approvals and checks are of commits of the run's branch: they open no pull request of another one.
    sha = run.head_sha if run is not None and run.branch == head else None
    await require_open_gate(tx, policy, card, ApprovalKind.CREATE_PR, sha or "")
    same = PullRequest.repository_id == repository.id, PullRequest.head_branch == head
    is_live = PullRequest.state.in_((PullRequestState.PENDING, *LIVE))
    existing = await tx.scalar(select(PullRequest).where(*same, is_live, PullRequest.base_branch == base))
    if existing is not None:
        await _link(tx, existing, card)
        return existing
    is_generated = title is None and body is None
    generated = await _generate_text(tx, board, card, run)
    row = PullRequest(
        id=new_id("pull"),
        workspace_id=board.workspace_id,
        repository_id=repository.id,
        origin=PullRequestOrigin.GENERATED if is_generated else PullRequestOrigin.GIVEN,
        state=PullRequestState.PENDING,
        title=_validate_title(title) if title is not None else generated[0],
        body=_validate_body(body) if body is not None else generated[1],
        draft=draft,
        head_branch=head,
        base_branch=base,
        head_sha=sha,
        run_id=run.id if run is not None and run.branch == head else None,
        created_by=actor.id,
    )
    await _require_free(tx, row)
    tx.add(row)
    await tx.flush()
    await _link(tx, row, card)
    await enqueue_job(tx, OPEN_JOB, {"pull_request_id": row.id}, workspace_id=row.workspace_id)
    return row


async def _lock_card_and_repository(
    tx: Transaction, actor: Actor, card_id: str
) -> tuple[Repository, Board, Card]:
    """Lock a card and the repository of its board, which orders this after the host's own words.

    Raises Conflict if the host cannot be asked.
    """
    repository = await lock_repository_of_card(tx, actor, card_id)
    board, card = await lock_card(tx, actor, card_id)
    if repository is None or repository.id != board.repository_id:
        raise Conflict("The board has no repository; give it one with `setBoardRepository`", board.id)
    require_connected(repository)
    return repository, board, card


async def _require_free(tx: Transaction, row: PullRequest) -> None:
    """Raise Conflict if another pull request of the branch is being opened, also for another base."""
    pending = PullRequest.state == PullRequestState.PENDING, PullRequest.number.is_(None)
    same = PullRequest.repository_id == row.repository_id, PullRequest.head_branch == row.head_branch
    other = await tx.scalar(select(PullRequest.id).where(*pending, *same))
    if other is not None:
        raise Conflict("A pull request of the branch is being opened", other)


async def _link(tx: Transaction, row: PullRequest, card: Card) -> None:
    """Link a pull request with a card. Raises Conflict if the card has too many."""
    if await tx.get(CardPullRequest, (card.id, row.id)) is not None:
        return
    count = select(func.count()).where(CardPullRequest.card_id == card.id)
    if (await tx.scalar(count) or 0) >= MAX_PULL_REQUESTS:
        raise Conflict(f"A card has at most {MAX_PULL_REQUESTS} pull requests", card.id)
    await add_link(tx, row, card.id, card.board_id)


async def _generate_text(tx: Transaction, board: Board, card: Card, run: Run | None) -> tuple[str, str]:
    """Return a title and a body made of a card, its subtasks and the summary of its run."""
    name = f"{board.key}-{card.number}"
    title = f"{name}: {card.title}"[:MAX_PULL_TITLE_LENGTH]
    subtasks = select(Subtask.title, Subtask.completed).where(Subtask.card_id == card.id)
    ordered = subtasks.order_by(Subtask.phase_order, Subtask.rank, Subtask.id).limit(MAX_LISTED_SUBTASKS)
    lines = [f"- [{'x' if row.completed else ' '}] {row.title}" for row in await tx.execute(ordered)]
    parts = [run.summary if run is not None and run.summary else "", card.description, "\n".join(lines)]
    body = "\n\n".join(part.strip() for part in parts if part and part.strip())
    return title, f"{body}\n\nCard {name}".strip()[:MAX_PULL_BODY_LENGTH]


def _validate_title(title: str) -> str:
    return validation.single_line("title", title, MAX_PULL_TITLE_LENGTH)


def _validate_body(body: str) -> str:
    return validation.multiline("body", body, MAX_PULL_BODY_LENGTH)


async def link_pull_request(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    card_id: Annotated[Id, "The card."],
    url: Annotated[str | None, "The pull request's address, in a connected repository."] = None,
    number: Annotated[int | None, "Or its number in the repository of the board."] = None,
) -> PullRequest:
    """Link a pull request with a card. A job asks the host what it is; until then it is PENDING. Idempotent.

    Raises Conflict if its repository is not connected, or if the card has 20 pull requests.
    """
    if (url is None) == (number is None):
        raise Invalid(("url", "give either the url or the number"))
    if url is not None:
        repository, number = await _lock_named(tx, actor, services, card_id, url)
        _, card = await lock_card(tx, actor, card_id)
    else:
        repository, _, card = await _lock_card_and_repository(tx, actor, card_id)
    require_connected(repository)
    number = validation.in_range("number", number, 1, 2**31 - 1)
    same = PullRequest.repository_id == repository.id, PullRequest.number == number
    row = await tx.scalar(select(PullRequest).where(*same).with_for_update())
    if row is None:
        row = PullRequest(
            id=new_id("pull"),
            workspace_id=repository.workspace_id,
            repository_id=repository.id,
            origin=PullRequestOrigin.LINKED,
            state=PullRequestState.PENDING,
            number=number,
            created_by=actor.id,
        )
        tx.add(row)
        await tx.flush()
    await _link(tx, row, card)
    await enqueue_pull_sync(tx, row)
    return row


async def _lock_named(
    tx: Transaction, actor: Actor, services: Services, card_id: str, url: str
) -> tuple[Repository, int]:
    """Lock the connected repository that a URL names, in the workspace of a card. Raises Invalid, Conflict."""
    head, _, number = url.strip().rstrip("/").rpartition("/")
    if not head.endswith("/pull") or not number.isdigit() or len(number) > 9 or urlsplit(url).query:
        raise Invalid(("url", "must be like https://github.com/owner/name/pull/1"))
    host, name = repository_place(services, "url", head.removesuffix("/pull"))
    workspace = select(Board.workspace_id).join(Card, Card.board_id == Board.id).where(Card.id == card_id)
    workspace = workspace.where(sees_card(actor, Board.id, Card.id))
    workspace_id = await tx.scalar(workspace)
    if workspace_id is None:
        raise NotFound(card_id)
    same = Repository.workspace_id == workspace_id, Repository.key == f"{host}/{name}".lower()
    repository = await tx.scalar(select(Repository).where(*same).with_for_update())
    if repository is None:
        raise Conflict("The repository is not connected")
    return repository, int(number)


async def unlink_pull_request(
    tx: Transaction,
    actor: Actor,
    *,
    card_id: Annotated[Id, "The card."],
    pull_request_id: Annotated[Id, "The pull request. It stays as it is at its host."],
) -> Card:
    """Unlink a pull request from a card. Idempotent."""
    _, card = await lock_card(tx, actor, card_id)
    sees = sees_pull_request(actor, PullRequest.id, PullRequest.workspace_id)
    if await tx.scalar(select(PullRequest.id).where(PullRequest.id == pull_request_id, sees)) is None:
        raise NotFound(pull_request_id)
    link = await tx.get(CardPullRequest, (card.id, pull_request_id))
    if link is not None:
        row = await tx.get_one(PullRequest, pull_request_id)
        emit_pull_request(tx, row, [link], PullRequestUnlinked)
        is_named = CardPullRequest.card_id == card.id, CardPullRequest.pull_request_id == pull_request_id
        await tx.execute(delete(CardPullRequest).where(*is_named))
    return card


async def discover_pull_requests(
    tx: Transaction, actor: Actor, *, card_id: Annotated[Id, "The card."]
) -> Card:
    """Look at the host for pull requests of the branches of a card's runs, and link them. A job does it.

    Raises Conflict without a repository or connection.
    """
    repository, board, card = await _lock_card_and_repository(tx, actor, card_id)
    payload = {"card_id": card.id, "repository_id": repository.id}
    await enqueue_job(
        tx, DISCOVER_JOB, payload, workspace_id=board.workspace_id, key=f"{DISCOVER_JOB}:{card.id}"
    )
    return card


async def update_pull_request(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The pull request."],
    title: Annotated[Maybe[str], "1 to 256 characters."] = None,
    body: Annotated[Maybe[str], "Markdown, at most 65,536 characters."] = None,
    base_branch: Annotated[Maybe[str], "The branch to merge into; only while it is open."] = None,
    if_version: IfVersion = None,
) -> PullRequest:
    """Change the text or the base of a pull request. A job tells the host. Omitted fields stay.

    Raises Stale, or Conflict while it is PENDING or if its repository is disconnected.
    """
    row, repository = await lock_pull_request(tx, actor, id)
    row.expect(if_version)
    require_connected(repository)
    changes = provided_fields(title=title, body=body, base_branch=base_branch)
    if "title" in changes:
        changes["title"] = _validate_title(validation.required("title", changes["title"]))
    if "body" in changes:
        changes["body"] = _validate_body(changes["body"] or "")
    if "base_branch" in changes:
        if row.state not in LIVE:
            raise Conflict("Only an open pull request has a base that can be changed", row.id)
        changes["base_branch"] = git.validate_branch("baseBranch", changes["base_branch"] or "")
    await _edit(tx, row, changes)
    return row


async def regenerate_pull_request_text(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The pull request."],
    text: Annotated[PullRequestText, "The text to generate."] = PullRequestText.BOTH,
) -> PullRequest:
    """Generate the text of a pull request anew from its first card and the newest summary. A job tells the host."""
    row, repository = await lock_pull_request(tx, actor, id)
    require_connected(repository)
    links = await links_of(tx, row.id)
    if not links:
        raise Conflict("The pull request has no card", row.id)
    card = await tx.get_one(Card, links[0].card_id)
    board = await tx.get_one(Board, card.board_id)
    title, body = await _generate_text(tx, board, card, await find_worked(tx, card))
    changes: dict[str, Any] = {}
    if text is not PullRequestText.BODY:
        changes["title"] = title
    if text is not PullRequestText.TITLE:
        changes["body"] = body
    await _edit(tx, row, changes)
    return row


async def _edit(tx: Transaction, row: PullRequest, changes: dict[str, Any]) -> None:
    if row.number is None or row.state is PullRequestState.PENDING:
        raise Conflict("The host has not opened it yet", row.id)
    changed = apply_changes(row, changes)
    if not changed:
        return
    shown = {name: [str(value)[:SHOWN] for value in values] for name, values in changed.items()}
    emit_pull_request(tx, row, await links_of(tx, row.id), PullRequestUpdated, changes=shown)
    payload = {"pull_request_id": row.id}
    await enqueue_job(tx, EDIT_JOB, payload, workspace_id=row.workspace_id, key=f"{EDIT_JOB}:{row.id}")


async def sync_pull_request(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The pull request."]
) -> PullRequest:
    """Ask the host what a pull request is now, or to open one that it has not opened yet. A job does it.

    Raises Conflict if its repository is disconnected or has no connection.
    """
    row, repository = await lock_pull_request(tx, actor, id)
    require_connected(repository)
    if row.number is not None:
        await enqueue_pull_sync(tx, row)
    else:
        key = f"{OPEN_JOB}:{row.id}"
        await enqueue_job(tx, OPEN_JOB, {"pull_request_id": row.id}, workspace_id=row.workspace_id, key=key)
    return row
