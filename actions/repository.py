"""Changes to repositories: they are connected by URL, synchronized by a job, and disconnected without loss."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

from actions import git
from actions.changes import apply_changes
from actions.events import emit_board_event
from actions.hosts.github import GitHub
from actions.hosts.host import HostFailed
from actions.hosts.providers import host_of
from actions.job import HANDLERS, JobFailed, enqueue_job
from auth.locking import lock_board, lock_repository, lock_workspace
from auth.passwords import new_secret
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.graphql.arguments import Id, IfVersion
from kit.ids import new_id
from models.actor import Actor, ActorKind
from models.board import Board
from models.connection import CODE_HOSTS, DEFAULT_HOST_URL, Connection
from models.events.board import BoardUpdated, board_facts
from models.events.repository import (
    RepositoryConnected,
    RepositoryDisconnected,
    RepositoryEvent,
    RepositoryUpdated,
    repository_facts,
)
from models.refusal import Conflict, Invalid, NotFound
from models.repository import MAX_REPOSITORIES, Repository
from models.topic import workspace_scope

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
SYNC_JOB = "repository.sync"


def repository_place(services: Services, path: str, url: str) -> tuple[str, str]:
    """Return the normalized host, with a port that is not the default one, and `owner/name`. Raises Invalid."""
    url = url.strip()
    if why := services.outbound.why_not(url):
        raise Invalid((path, why))
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removeprefix("www.")
    host = f"[{host}]" if ":" in host else host
    names = parts.path.removesuffix("/").removesuffix(".git").strip("/").split("/")
    if parts.query or parts.fragment or len(url) > Repository.url.type.length or not HOST.fullmatch(host):
        raise Invalid((path, "must be like https://github.com/owner/name"))
    if len(names) != 2 or not all(NAME.fullmatch(name) for name in names) or ".." in parts.path:
        raise Invalid((path, "must be like https://github.com/owner/name"))
    default = {"https": 443, "http": 80}[parts.scheme]
    place = host if parts.port in (None, default) else f"{host}:{parts.port}"
    return place, "/".join(names)


async def connect_repository(
    tx: Transaction,
    actor: Actor,
    services: Services,
    *,
    workspace_id: Annotated[Id, "The workspace."],
    url: Annotated[str, "Its address: https://host/owner/name, without credentials."],
    connection_id: Annotated[
        Id | None, "The connection for its host. Without one nothing is synchronized."
    ] = None,
) -> Repository:
    """Connect a repository, or one again that was disconnected. A job then asks its host for its branches.

    A workspace has at most 200. Connecting a connected one again changes its connection.
    Raises Invalid for a URL with credentials or options, or of another host than the connection's.
    """
    workspace = await lock_workspace(tx, actor, workspace_id, admin=True)
    host, full_name = repository_place(services, "url", url)
    if connection_id is not None:
        await _require_host(tx, services, workspace.id, connection_id, host)
    key = f"{host}/{full_name}".lower()
    existing = Repository.workspace_id == workspace.id, Repository.key == key
    repository = await tx.scalar(select(Repository).where(*existing).with_for_update())
    if repository is None:
        count = select(func.count()).where(Repository.workspace_id == workspace.id)
        if (await tx.scalar(count) or 0) >= MAX_REPOSITORIES:
            raise Conflict(f"A workspace has at most {MAX_REPOSITORIES} repositories")
        clean_url = f"{urlsplit(url.strip()).scheme}://{host}/{full_name}"
        repository = Repository(
            id=new_id("repository"),
            workspace_id=workspace.id,
            connection_id=connection_id,
            url=clean_url,
            host=host,
            full_name=full_name,
            key=key,
        )
        tx.add(repository)
        await tx.flush()  # the caller reads it
        emit_repository_event(tx, repository, RepositoryConnected)
    else:
        was_connected = repository.disconnected_at is None
        changed = apply_changes(repository, {"connection_id": connection_id, "disconnected_at": None})
        if not was_connected:
            emit_repository_event(tx, repository, RepositoryConnected)
        elif changed:
            emit_repository_event(tx, repository, RepositoryUpdated, changes=changed)
    await enqueue_sync(tx, repository)
    return repository


async def _require_host(
    tx: Transaction, services: Services, workspace_id: str, connection_id: str, host: str
) -> None:
    """Raise NotFound or Invalid unless a connection is for a host: its secret goes nowhere else."""
    is_own = Connection.id == connection_id, Connection.workspace_id == workspace_id
    connection = await tx.scalar(select(Connection).where(*is_own).with_for_update(read=True))
    if connection is None:
        raise NotFound(connection_id)
    if connection.kind not in CODE_HOSTS:
        raise Invalid(("connectionId", "is not for a code host"))
    own, _ = repository_place(services, "connectionId", f"{connection.url or DEFAULT_HOST_URL}/owner/name")
    if own != host:
        raise Invalid(("connectionId", f"is for {own}, not for {host}"))


async def enqueue_sync(tx: Transaction, repository: Repository, *, delay: float = 0) -> None:
    """Enqueue the synchronization of a repository, unless one waits already."""
    payload = {"repository_id": repository.id}
    await enqueue_job(
        tx,
        SYNC_JOB,
        payload,
        workspace_id=repository.workspace_id,
        key=f"{SYNC_JOB}:{repository.id}",
        delay=delay,
    )


async def select_branch(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The repository."],
    branch: Annotated[
        str | None, "The branch that work starts from. Default: the host's default branch."
    ] = None,
    if_version: IfVersion = None,
) -> Repository:
    """Select the branch of a repository that work starts from. Raises Stale."""
    repository = await lock_repository(tx, actor, id)
    repository.expect(if_version)
    branch = git.validate_branch("branch", branch) if branch is not None else None
    changed = apply_changes(repository, {"selected_branch": branch})
    if changed:
        repository.latest_commit = None
        emit_repository_event(tx, repository, RepositoryUpdated, changes=changed)
        await enqueue_sync(tx, repository)
    return repository


async def sync_repository(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The repository."]
) -> Repository:
    """Ask the host of a repository for its branches soon: see `syncedAt` and `error`.

    Raises Conflict if the repository is disconnected or has no connection.
    """
    repository = await lock_repository(tx, actor, id)
    require_connected(repository)
    await enqueue_sync(tx, repository)
    return repository


def require_connected(repository: Repository) -> None:
    """Raise Conflict unless the host of a repository can be asked."""
    if repository.disconnected_at is not None:
        raise Conflict("The repository is disconnected; connect it again", repository.id)
    if repository.connection_id is None:
        raise Conflict("The repository has no connection", repository.id)


async def disconnect_repository(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The repository."], if_version: IfVersion = None
) -> Repository:
    """Disconnect a repository: nothing is asked of its host any more, and its webhooks are refused.

    Its history and its pull requests stay. Idempotent. Raises Stale.
    """
    repository = await lock_repository(tx, actor, id, admin=True)
    repository.expect(if_version)
    if repository.disconnected_at is None:
        apply_changes(repository, {"disconnected_at": utcnow(), "webhook_secret": None})
        emit_repository_event(tx, repository, RepositoryDisconnected)
    return repository


@dataclass(frozen=True)
class WebhookSecret:
    """A new secret for the webhooks of a repository. It is shown once."""

    secret: str = field(repr=False)
    path: str
    repository: Repository


async def replace_webhook_secret(
    tx: Transaction, actor: Actor, services: Services, *, id: Annotated[Id, "The repository."]
) -> WebhookSecret:
    """Make the secret with which the host signs its webhooks for a repository. The old one ends at once.

    Enter it at the host, with the content type application/json. It is shown only in this answer.
    """
    repository = await lock_repository(tx, actor, id, admin=True)
    if repository.disconnected_at is not None:
        raise Conflict("The repository is disconnected; connect it again", repository.id)
    secret = new_secret()
    repository.webhook_secret = services.secrets.seal(secret, repository.id)
    repository.version += 1
    emit_repository_event(tx, repository, RepositoryUpdated, changes={"webhook_secret": [None, "changed"]})
    return WebhookSecret(secret, "/webhooks/github", repository)


async def set_board_repository(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board."],
    repository_id: Annotated[
        Id | None, "The repository. Default: none, and the policy's `repository` holds."
    ] = None,
    if_version: IfVersion = None,
) -> Board:
    """Give a board the repository that its cards are worked in. Raises Stale, Conflict if it is disconnected."""
    workspace_id = await tx.scalar(select(Board.workspace_id).where(Board.id == board_id))
    repository = None
    if repository_id is not None:
        repository = await lock_repository(tx, actor, repository_id)
    board = await lock_board(tx, actor, board_id, admin=True)
    board.expect(if_version)
    if repository is not None and repository.workspace_id != workspace_id:
        raise NotFound(repository.id)
    if repository is not None and repository.disconnected_at is not None:
        raise Conflict("The repository is disconnected; connect it again", repository.id)
    changed = apply_changes(board, {"repository_id": repository_id})
    if changed:
        emit_board_event(tx, board, BoardUpdated(**board_facts(board), changes=changed))
    return board


def emit_repository_event(
    tx: Transaction, repository: Repository, event: type[RepositoryEvent], **more: Any
) -> None:
    """Emit an event of a repository to the feed of its workspace."""
    tx.emit(workspace_scope(repository.workspace_id), event(**repository_facts(repository), **more))


@dataclass(frozen=True)
class HostedRepository:
    """A repository with the adapter of its host. The rows are as they were read."""

    row: Any
    host: GitHub

    @property
    def name(self) -> str:
        return str(self.row.full_name)


async def find_hosted(services: Services, repository_id: str) -> HostedRepository:
    """Return a repository and its host, for a job. Raises JobFailed if its host cannot be asked."""
    rows = await services.database.read(
        select(Repository.__table__).where(
            Repository.id == repository_id, Repository.disconnected_at.is_(None)
        )
    )
    if not rows or rows[0].connection_id is None:
        raise JobFailed("The repository is disconnected, or has no connection", final=True)
    connections = await services.database.read(
        select(Connection.__table__).where(Connection.id == rows[0].connection_id)
    )
    if not connections:
        raise JobFailed("The connection was deleted", final=True)
    try:
        return HostedRepository(rows[0], host_of(services, connections[0]))
    except HostFailed as failure:
        raise job_failed(failure) from failure


def job_failed(failure: HostFailed) -> JobFailed:
    """Return the failure of a job whose host failed. A rate limit is waited for."""
    return JobFailed(failure.message, retry_in=failure.retry_after or None, final=failure.retry_after is None)


async def run_sync(services: Services, payload: dict[str, Any]) -> None:
    """Ask a repository's host for its branches, and store what differs."""
    hosted = await find_hosted(services, payload["repository_id"])
    found: dict[str, Any] = {"error": None}
    failure: HostFailed | None = None
    try:
        remote = await hosted.host.repository(hosted.name)
        if hosted.row.external_id not in (None, remote.external_id):
            raise HostFailed("Another repository has that name now; connect it anew")
        branch = await hosted.host.branch(hosted.name, hosted.row.selected_branch or remote.default_branch)
        found |= {
            "external_id": remote.external_id,
            "default_branch": remote.default_branch,
            "latest_commit": branch.commit,
        }
    except HostFailed as error:
        failure, found = error, {"error": error.message}
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        query = select(Repository).where(Repository.id == hosted.row.id).with_for_update()
        repository = await tx.scalar(query)
        if repository is None or repository.disconnected_at is not None:
            return
        if repository.selected_branch != hosted.row.selected_branch:
            found.pop("latest_commit", None)  # another job asks for that of the new branch
        repository.synced_at = utcnow() if failure is None else repository.synced_at
        changed = apply_changes(repository, found)
        if changed:
            emit_repository_event(tx, repository, RepositoryUpdated, changes=changed)
    if failure is not None:
        raise job_failed(failure)


HANDLERS[SYNC_JOB] = run_sync
