"""What code hosts say of pull requests: stored, told on the feeds, and passed on to the automation of boards.

A host's words may come late, twice and in any order. Its own time of the last change decides which are newer, and a
merge is final.
"""

import asyncio
import logging
import random
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from actions.changes import apply_changes
from actions.check import CheckResult, record_checks
from actions.hosts.host import HostFailed, RemoteCheck, RemotePullRequest
from actions.job import HANDLERS, enqueue_job
from actions.repository import HostedRepository, find_hosted, job_failed
from auth.services import Services
from kit import queue
from kit.db.database import Unavailable, utcnow
from kit.db.transaction import Author, Transaction
from kit.eventlog.event_log import EventLog
from models.actor import ActorKind
from models.board import Board
from models.card import Card
from models.check import MAX_CHECKS, Check, CheckKind, CheckStatus
from models.events.pull_request import (
    CiChanged,
    PullRequestClosed,
    PullRequestEvent,
    PullRequestLinked,
    PullRequestMerged,
    PullRequestOpened,
    PullRequestUpdated,
    pull_request_facts,
)
from models.job import ServerJob
from models.pull_request import (
    LIVE,
    MAX_POLL_SECONDS,
    MAX_PULL_BODY_LENGTH,
    MAX_PULL_REQUESTS,
    MAX_PULL_TITLE_LENGTH,
    POLL_SECONDS,
    CardPullRequest,
    PullRequest,
    PullRequestOrigin,
    PullRequestState,
    rolled_up,
)
from models.repository import Repository
from models.run import Run
from models.topic import board_scope

log = logging.getLogger("signalbox.pull_request")

POLL_INTERVAL_SECONDS = 10.0
OPEN_JOB, SYNC_JOB, MOVE_JOB = "pull_request.open", "pull_request.sync", "pull_request.move"
EDIT_JOB, DISCOVER_JOB = "pull_request.edit", "pull_request.discover"
MAX_POLLS = 100  # enqueued at once
MAX_LOGS = 5  # of failed jobs, read in one synchronization
MAX_LOG_LENGTH = 2_000  # characters of a failed job's log that are kept
CARD_NAME = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{0,9})-([1-9][0-9]{0,8})(?![0-9])")
SHOWN = 200  # characters of a text in an event's changes
CHECK_STATUS = {
    "SUCCESS": CheckStatus.PASSED,
    "FAILURE": CheckStatus.FAILED,
    "ERROR": CheckStatus.ERROR,
    "PENDING": CheckStatus.PENDING,
    "SKIPPED": CheckStatus.SKIPPED,
}


def state_of(remote: RemotePullRequest) -> PullRequestState:
    """Return the state of a host's pull request."""
    if remote.is_merged:
        return PullRequestState.MERGED
    if not remote.is_open:
        return PullRequestState.CLOSED
    return PullRequestState.DRAFT if remote.is_draft else PullRequestState.OPEN


async def links_of(tx: Transaction, pull_request_id: str) -> Sequence[CardPullRequest]:
    """Return the links of a pull request with cards."""
    query = select(CardPullRequest).where(CardPullRequest.pull_request_id == pull_request_id)
    return (await tx.scalars(query.order_by(CardPullRequest.board_id, CardPullRequest.card_id))).all()


def emit_pull_request(
    tx: Transaction,
    row: PullRequest,
    links: Sequence[CardPullRequest],
    event: type[PullRequestEvent],
    **more: Any,
) -> None:
    """Emit an event of a pull request for each of its cards."""
    for link in links:
        scope = board_scope(link.board_id, row.workspace_id)
        tx.emit(scope, event(card_id=link.card_id, **pull_request_facts(row), **more))


async def apply_remote(
    tx: Transaction, row: PullRequest, remote: RemotePullRequest, *, is_read: bool
) -> bool:
    """Store what a host says of a pull request, unless newer words are stored. The caller holds the row.

    `is_read`: it was read from the host just now, so of two with the same time it is the newer.
    """
    state = state_of(remote)
    if row.state is PullRequestState.MERGED and state is not PullRequestState.MERGED:
        return False
    if row.host_updated_at is not None and remote.updated_at is not None:
        is_older = remote.updated_at < row.host_updated_at
        is_tie = remote.updated_at == row.host_updated_at and not is_read
        if is_older or (is_tie and _order(state) < _order(row.state)):
            return False
    before = row.state
    values: dict[str, Any] = {
        "state": state,
        "number": remote.number,
        "external_id": remote.external_id,
        "url": remote.url,
        "title": remote.title[:MAX_PULL_TITLE_LENGTH],
        "body": remote.body.replace("\0", "")[:MAX_PULL_BODY_LENGTH],
        "draft": remote.is_draft,
        "head_branch": remote.head_branch,
        "base_branch": remote.base_branch,
        "head_sha": remote.head_sha,
        "mergeable": remote.mergeable if remote.mergeable is not None or is_read else row.mergeable,
        "commits": remote.commits if remote.commits is not None else row.commits,
    }
    if remote.head_sha != row.head_sha:
        values["ci"] = None  # of the commit before
    if row.number is not None and await _is_being_edited(tx, row):
        for name in ("title", "body", "base_branch"):
            del values[name]
    row.host_updated_at = remote.updated_at or row.host_updated_at
    changed = apply_changes(row, values)
    row.error = None
    row.poll_at = utcnow() + timedelta(seconds=POLL_SECONDS) if state in LIVE else None
    links = await links_of(tx, row.id)
    if state is not before and not (state in LIVE and before in LIVE):
        event = {PullRequestState.MERGED: PullRequestMerged, PullRequestState.CLOSED: PullRequestClosed}
        emit_pull_request(tx, row, links, event.get(state, PullRequestOpened))
        for link in links:
            await _enqueue_move(tx, row, link)
    elif changed:
        shown = {
            name: [_shown(value) for value in values] for name, values in changed.items() if name != "ci"
        }
        emit_pull_request(tx, row, links, PullRequestUpdated, changes=shown)
    return True


def _order(state: PullRequestState) -> int:
    return list(PullRequestState).index(state)


def _shown(value: Any) -> Any:
    return value[:SHOWN] if isinstance(value, str) else value


async def _enqueue_move(tx: Transaction, row: PullRequest, link: CardPullRequest) -> None:
    """Enqueue the automation of a card for the new state of a pull request."""
    if row.state is PullRequestState.CLOSED:
        return
    occasion = "merged" if row.state is PullRequestState.MERGED else "opened"
    payload = {"pull_request_id": row.id, "card_id": link.card_id, "occasion": occasion}
    await enqueue_job(tx, MOVE_JOB, payload, workspace_id=row.workspace_id)


async def enqueue_pull_sync(tx: Transaction, row: Any, *, delay: float = 0, poll: bool = False) -> None:
    """Enqueue a look at a pull request's host, unless one waits already."""
    payload = {"pull_request_id": row.id, "poll": poll}
    key = f"{SYNC_JOB}:{row.id}"
    await enqueue_job(tx, SYNC_JOB, payload, workspace_id=row.workspace_id, key=key, delay=delay)


async def _is_being_edited(tx: Transaction, row: PullRequest) -> bool:
    """Whether the host still has to be told of an edit, which its own text must not overwrite."""
    query = (
        select(ServerJob.id)
        .join(queue.Job, queue.Job.id == ServerJob.id)
        .where(
            ServerJob.workspace_id == row.workspace_id,
            ServerJob.kind == EDIT_JOB,
            ServerJob.payload["pull_request_id"].as_string() == row.id,
            queue.Job.ended_at.is_(None),
        )
    )
    return await tx.scalar(query.limit(1)) is not None


async def adopt_remote(
    tx: Transaction, repository: Any, remote: RemotePullRequest, *, is_read: bool
) -> PullRequest | None:
    """Store a host's pull request in the row that waits for it, in its own row, or in a new one of its cards.

    The caller holds the repository. Returns None if it is about no card.
    """
    own = PullRequest.repository_id == repository.id
    named = select(PullRequest).where(own, PullRequest.number == remote.number)
    row = await tx.scalar(named.with_for_update())
    is_own_branch = remote.head_repository_id in (None, repository.external_id)
    if is_own_branch and remote.is_open:
        waits = own, PullRequest.state == PullRequestState.PENDING, PullRequest.number.is_(None)
        waiting = select(PullRequest).where(*waits, PullRequest.head_branch == remote.head_branch)
        pending = await tx.scalar(waiting.with_for_update())
        if pending is not None and row is None:
            row = pending
        elif pending is not None and row is not None:
            await _merge_rows(tx, pending, row)
    if row is None:
        cards = await _cards_of_branch(tx, repository.id, remote.head_branch) if is_own_branch else []
        if not cards:
            return None
        row = PullRequest(
            workspace_id=repository.workspace_id,
            repository_id=repository.id,
            origin=PullRequestOrigin.DISCOVERED,
            number=remote.number,
        )
        tx.add(row)
        await tx.flush()
        for card_id, board_id in cards:
            await add_link(tx, row, card_id, board_id)
    await apply_remote(tx, row, remote, is_read=is_read)
    await tx.flush()
    return row


async def _merge_rows(tx: Transaction, pending: PullRequest, row: PullRequest) -> None:
    """Move the cards of a row that waits to the row of the same pull request, and delete the first."""
    for link in await links_of(tx, pending.id):
        await add_link(tx, row, link.card_id, link.board_id)
    await tx.execute(delete(PullRequest).where(PullRequest.id == pending.id))
    tx.expunge(pending)


async def add_link(tx: Transaction, row: PullRequest, card_id: str, board_id: str) -> bool:
    """Link a pull request with a card. Returns False if it is linked already, or if the card has too many."""
    if await tx.get(CardPullRequest, (card_id, row.id)) is not None:
        return False
    count = select(func.count()).where(CardPullRequest.card_id == card_id)
    if (await tx.scalar(count) or 0) >= MAX_PULL_REQUESTS:
        return False
    link = CardPullRequest(card_id=card_id, pull_request_id=row.id, board_id=board_id, done=[])
    tx.add(link)
    await tx.flush()
    emit_pull_request(tx, row, [link], PullRequestLinked)
    return True


async def _cards_of_branch(tx: Transaction, repository_id: str, branch: str) -> list[tuple[str, str]]:
    """Return the cards that a branch is about, with their boards: of its runs, or named in it as WEB-42."""
    boards = Board.repository_id == repository_id, Board.archived_at.is_(None)
    card = select(Card.id, Card.board_id).join(Board, Board.id == Card.board_id).where(*boards)
    by_run = (
        card.join(Run, Run.card_id == Card.id).where(Run.branch == branch).distinct().limit(MAX_PULL_REQUESTS)
    )
    found = [(row.id, row.board_id) for row in await tx.execute(by_run)]
    names = CARD_NAME.findall(branch)[:5]
    if not found and names:
        named = [(Board.key == key.upper()) & (Card.number == int(number)) for key, number in names]
        found = [(row.id, row.board_id) for row in await tx.execute(card.where(or_(*named)))]
    return found


async def lock_repository_for_host(tx: Transaction, id: str) -> Repository | None:
    """Lock a connected repository, so that a host's words about it are applied one after the other."""
    query = select(Repository).where(Repository.id == id, Repository.disconnected_at.is_(None))
    return await tx.scalar(query.with_for_update())


async def _pull_row(services: Services, id: str) -> Any:
    rows = await services.database.read(select(PullRequest.__table__).where(PullRequest.id == id))
    return rows[0] if rows else None


async def note_failure(services: Services, id: str, failure: HostFailed) -> None:
    """Store why a call about a pull request failed, and ask less often."""
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        row = await tx.scalar(select(PullRequest).where(PullRequest.id == id).with_for_update())
        if row is not None:
            row.failures += 1
            row.error = failure.message
            wait = min(
                MAX_POLL_SECONDS, max(POLL_SECONDS * 2 ** min(row.failures, 10), failure.retry_after or 0)
            )
            row.poll_at = utcnow() + timedelta(seconds=wait) if row.state in LIVE else None


async def run_open(services: Services, payload: dict[str, Any]) -> None:
    """Open a pull request at its host. First looks whether it is open: a lost answer or a kill opens none twice."""
    row = await _pull_row(services, payload["pull_request_id"])
    if row is None or row.number is not None or row.state is not PullRequestState.PENDING:
        return
    hosted = await find_hosted(services, row.repository_id)
    try:
        remote = await _find_open(hosted, row)
        if remote is None:
            remote = await hosted.host.create_pull_request(
                hosted.name,
                head=row.head_branch,
                base=row.base_branch,
                title=row.title,
                body=row.body,
                draft=row.draft,
            )
    except HostFailed as failure:
        await note_failure(services, row.id, failure)
        raise job_failed(failure) from failure
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        repository = await lock_repository_for_host(tx, row.repository_id)
        if repository is not None:
            adopted = await adopt_remote(tx, repository, remote, is_read=True)
            if adopted is not None:
                await enqueue_pull_sync(tx, adopted)


async def _find_open(hosted: HostedRepository, row: Any) -> RemotePullRequest | None:
    for remote in await hosted.host.find_pull_requests(hosted.name, row.head_branch):
        if remote.is_open and remote.base_branch == row.base_branch:
            return remote
    return None


async def run_edit(services: Services, payload: dict[str, Any]) -> None:
    """Give the host the text of a pull request as somebody edited it."""
    row = await _pull_row(services, payload["pull_request_id"])
    if row is None or row.number is None:
        return
    hosted = await find_hosted(services, row.repository_id)
    fields = {"title": row.title, "body": row.body, "base": row.base_branch}
    if row.state not in LIVE:
        del fields["base"]
    try:
        remote = await hosted.host.update_pull_request(hosted.name, row.number, **fields)
    except HostFailed as failure:
        await note_failure(services, row.id, failure)
        raise job_failed(failure) from failure
    await _store(services, row.repository_id, remote)


async def _store(services: Services, repository_id: str, remote: RemotePullRequest) -> None:
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        repository = await lock_repository_for_host(tx, repository_id)
        if repository is not None:
            await adopt_remote(tx, repository, remote, is_read=True)


async def run_discover(services: Services, payload: dict[str, Any]) -> None:
    """Look at the host for pull requests of a card's branches."""
    hosted = await find_hosted(services, payload["repository_id"])
    branches = select(Run.branch).where(Run.card_id == payload["card_id"], Run.branch.is_not(None)).distinct()
    for found in (await services.database.read(branches.order_by(Run.branch)))[:10]:
        try:
            remotes = await hosted.host.find_pull_requests(hosted.name, found.branch)
        except HostFailed as failure:
            raise job_failed(failure) from failure
        for remote in reversed(remotes):
            await _store(services, hosted.row.id, remote)


async def run_pull_sync(services: Services, payload: dict[str, Any]) -> None:
    """Ask the host what a pull request is now: its state, approvals and CI."""
    row = await _pull_row(services, payload["pull_request_id"])
    if row is None or row.number is None:
        return
    hosted = await find_hosted(services, row.repository_id)
    try:
        remote, etag = await hosted.host.pull_request(hosted.name, row.number, row.etag)
        sha = remote.head_sha if remote is not None else row.head_sha
        is_live = state_of(remote) in LIVE if remote is not None else row.state in LIVE
        approvals = await hosted.host.count_approvals(hosted.name, row.number) if is_live else None
        checks = await hosted.host.checks(hosted.name, sha) if is_live else None
        results = await _results_of(services, hosted, row, sha, checks or [])
    except HostFailed as failure:
        await note_failure(services, row.id, failure)
        if payload.get("poll"):
            return  # the next poll asks again
        raise job_failed(failure) from failure
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        if await lock_repository_for_host(tx, row.repository_id) is None:
            return
        stored = await tx.scalar(select(PullRequest).where(PullRequest.id == row.id).with_for_update())
        if stored is None:
            return
        if remote is not None:
            await apply_remote(tx, stored, remote, is_read=True)
            stored.etag = etag and etag[:200]
        stored.synced_at, stored.failures, stored.error = utcnow(), 0, None
        stored.poll_at = utcnow() + timedelta(seconds=POLL_SECONDS) if stored.state in LIVE else None
        links = await links_of(tx, stored.id)
        if approvals is not None and approvals != stored.approvals:
            changes = apply_changes(stored, {"approvals": approvals})
            emit_pull_request(tx, stored, links, PullRequestUpdated, changes=changes)
        if checks is not None and stored.head_sha == sha:
            ci = rolled_up([check.status for check in checks])
            if apply_changes(stored, {"ci": ci}):
                emit_pull_request(tx, stored, links, CiChanged, ci=ci)
    for link in links if results else ():
        await _record(services, link, sha, results)


async def _results_of(
    services: Services, hosted: HostedRepository, row: Any, sha: str, checks: list[RemoteCheck]
) -> list[CheckResult]:
    """Return the results of CI as checks of cards, with the logs of failed jobs that were not read yet."""
    newest = {check.name: check for check in checks}
    was_read = Check.status == CheckStatus.FAILED, Check.output != ""
    known = select(Check.external_id).where(Check.sha == sha, Check.kind == CheckKind.CI, *was_read)
    read = {found.external_id for found in await services.database.read(known)}
    results, logs = [], 0
    for check in list(newest.values())[:MAX_CHECKS]:
        output = check.summary[:MAX_LOG_LENGTH]
        if (
            check.status == "FAILURE"
            and check.log_id is not None
            and check.key not in read
            and logs < MAX_LOGS
        ):
            logs += 1
            try:
                output = await hosted.host.job_log(hosted.name, check.log_id, MAX_LOG_LENGTH) or output
            except HostFailed as failure:
                output = f"The log could not be read: {failure.message}"
        elif check.key in read and check.status == "FAILURE":
            continue  # with its log, it is stored
        results.append(
            CheckResult(
                kind=CheckKind.CI,
                name=check.name,
                status=CHECK_STATUS[check.status],
                output=output,
                url=check.url,
                external_id=check.key,
            )
        )
    return results


async def _record(services: Services, link: CardPullRequest, sha: str, results: list[CheckResult]) -> None:
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        board = await tx.scalar(select(Board).where(Board.id == link.board_id).with_for_update())
        if board is not None and await tx.get(Card, link.card_id) is not None:
            await record_checks(tx, board, link.card_id, sha, results)


async def enqueue_due_polls(event_log: EventLog) -> int:
    """Enqueue a look at every open pull request whose time has come. Returns their number."""
    now = utcnow()
    can_ask = Repository.disconnected_at.is_(None), Repository.connection_id.is_not(None)
    is_due = PullRequest.poll_at <= now, PullRequest.repository_id.in_(select(Repository.id).where(*can_ask))
    query = select(PullRequest.id, PullRequest.workspace_id).where(*is_due)
    query = query.order_by(PullRequest.poll_at).limit(MAX_POLLS)
    if not await event_log.database.read(query):
        return 0
    async with event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        rows = (await tx.execute(query.with_for_update(skip_locked=True))).all()
        later = now + timedelta(seconds=POLL_SECONDS)
        await tx.execute(
            update(PullRequest).where(PullRequest.id.in_([row.id for row in rows])).values(poll_at=later)
        )
        for row in rows:
            await enqueue_pull_sync(tx, row, poll=True)
    return len(rows)


async def poll_periodically(event_log: EventLog) -> None:
    """Enqueue due polls forever."""
    while True:
        await asyncio.sleep(POLL_INTERVAL_SECONDS * random.uniform(0.7, 1.3))  # noqa: S311 - so that processes alternate
        try:
            await enqueue_due_polls(event_log)
        except Unavailable:
            log.warning("not polled: the database does not answer")
        except Exception:
            log.exception("not polled")


HANDLERS[OPEN_JOB] = run_open
HANDLERS[EDIT_JOB] = run_edit
HANDLERS[SYNC_JOB] = run_pull_sync
HANDLERS[DISCOVER_JOB] = run_discover
