"""GitHub and GitHub Enterprise Server: the REST API of version 2022-11-28.

Lists are read in pages, repeated reads with ETags. A rate limit is a failure that says when to try again. A request
that changes something is sent once: after a lost answer, the caller looks for its effect first.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from actions.hosts.host import (
    HostFailed,
    RemoteAccount,
    RemoteBranch,
    RemoteCheck,
    RemotePage,
    RemotePullRequest,
    RemoteRepository,
)
from kit.outbound import CallFailed, HttpResponse, Outbound

VERSION = "2022-11-28"
PAGE_SIZE = 100
MAX_CHECKS = 300  # of one commit
MAX_REVIEW_PAGES = 5
SECONDARY_LIMIT_SECONDS = 60  # if GitHub does not say how long its secondary limit lasts
MAX_BODY_LENGTH = 65_536  # characters that GitHub takes of a pull request's text
CONCLUSIONS = {
    "success": "SUCCESS",
    "neutral": "SUCCESS",
    "skipped": "SKIPPED",
    "failure": "FAILURE",
    "timed_out": "FAILURE",
    "action_required": "FAILURE",
    "cancelled": "ERROR",
    "stale": "ERROR",
    "startup_failure": "ERROR",
}
STATES = {"success": "SUCCESS", "failure": "FAILURE", "error": "ERROR", "pending": "PENDING"}


def api_root(url: str) -> str:
    """Return the address of the REST API of a host: github.com, *.ghe.com, or GitHub Enterprise Server."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("github.com", "www.github.com"):
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{parts.scheme}://{parts.netloc}/api/v3"


@dataclass(frozen=True)
class Read:
    """A read of the API. With `unchanged`, the ETag still holds and there is no data."""

    data: Any
    etag: str | None
    unchanged: bool
    next_page: int | None


class GitHub:
    """The API of one host, with one credential. Every method raises HostFailed."""

    def __init__(
        self, outbound: Outbound, url: str, token: Callable[[], Awaitable[str]], *, is_app: bool
    ) -> None:
        self._outbound, self._root, self._token, self._is_app = outbound, api_root(url), token, is_app

    async def account(self) -> RemoteAccount:
        """Return the account of the credential; of an App, the owner of the first repository it may see."""
        if not self._is_app:
            return RemoteAccount(str((await self._read("/user")).data["login"]))
        found = (await self._read("/installation/repositories", per_page=1)).data["repositories"]
        return RemoteAccount(str(found[0]["owner"]["login"]) if found else "")

    async def repositories(self, page: int) -> RemotePage:
        """List the repositories that the credential may see."""
        if self._is_app:
            read = await self._read("/installation/repositories", per_page=PAGE_SIZE, page=page)
            rows = read.data["repositories"]
        else:
            read = await self._read("/user/repos", per_page=PAGE_SIZE, page=page, sort="full_name")
            rows = read.data
        return RemotePage([repository_of(row) for row in rows], read.next_page)

    async def branches(self, name: str, page: int) -> RemotePage:
        """List the branches of a repository, by name."""
        read = await self._read(f"/repos/{_path(name)}/branches", per_page=PAGE_SIZE, page=page)
        return RemotePage([branch_of(row) for row in read.data], read.next_page)

    async def repository(self, name: str) -> RemoteRepository:
        """Return a repository by `owner/name`."""
        return repository_of((await self._read(f"/repos/{_path(name)}")).data)

    async def branch(self, name: str, branch: str) -> RemoteBranch:
        """Return a branch of a repository."""
        return branch_of((await self._read(f"/repos/{_path(name)}/branches/{quote(branch, safe='')}")).data)

    async def find_pull_requests(self, name: str, head: str) -> list[RemotePullRequest]:
        """Return the pull requests of a branch of the repository itself, the newest first."""
        owner = name.partition("/")[0]
        read = await self._read(
            f"/repos/{_path(name)}/pulls", head=f"{owner}:{head}", state="all", per_page=PAGE_SIZE
        )
        return [pull for pull in map(pull_of, read.data) if pull.head_branch == head]

    async def pull_request(self, name: str, number: int, etag: str | None = None) -> tuple[Any, str | None]:
        """Return a pull request and its ETag; None in its place if the given ETag still holds."""
        read = await self._read(f"/repos/{_path(name)}/pulls/{number}", etag=etag)
        return (None if read.unchanged else pull_of(read.data)), read.etag or etag

    async def create_pull_request(
        self, name: str, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> RemotePullRequest:
        """Open a pull request. After HostFailed with `sent`, it may be open nevertheless."""
        given = {"head": head, "base": base, "title": title, "body": body[:MAX_BODY_LENGTH], "draft": draft}
        return pull_of(await self._write("POST", f"/repos/{_path(name)}/pulls", given))

    async def update_pull_request(self, name: str, number: int, **fields: str) -> RemotePullRequest:
        """Change the title, body, base or state of a pull request."""
        return pull_of(await self._write("PATCH", f"/repos/{_path(name)}/pulls/{number}", fields))

    async def count_approvals(self, name: str, number: int) -> int:
        """Count the people whose last decisive review approves."""
        last: dict[str, str] = {}
        page: int | None = 1
        while page is not None and page <= MAX_REVIEW_PAGES:
            read = await self._read(
                f"/repos/{_path(name)}/pulls/{number}/reviews", per_page=PAGE_SIZE, page=page
            )
            for row in read.data:
                if row["state"] in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                    last[str((row.get("user") or {}).get("id"))] = row["state"]
            page = read.next_page
        return sum(state == "APPROVED" for state in last.values())

    async def checks(self, name: str, sha: str) -> list[RemoteCheck]:
        """Return the results of CI on a commit: check runs and commit statuses."""
        found: list[RemoteCheck] = []
        page: int | None = 1
        while page is not None and len(found) < MAX_CHECKS:
            where = f"/repos/{_path(name)}/commits/{quote(sha, safe='')}"
            read = await self._read(f"{where}/check-runs", per_page=PAGE_SIZE, page=page)
            found += map(check_of, read.data["check_runs"])
            page = read.next_page
        read = await self._read(f"{where}/status", per_page=PAGE_SIZE)
        found += map(status_of, read.data["statuses"])
        return found[:MAX_CHECKS]

    async def job_log(self, name: str, log_id: str, most: int) -> str:
        """Return the end of the log of a job of GitHub Actions, at most `most` characters."""
        path = f"/repos/{_path(name)}/actions/jobs/{quote(log_id, safe='')}/logs"
        answer = await self._call("GET", path, leave_host=True, cut=False)
        return answer.body.decode(errors="replace")[-most:]

    async def delete_branch(self, name: str, branch: str) -> bool:
        """Delete a branch. Returns False if it was gone."""
        path = f"/repos/{_path(name)}/git/refs/heads/{quote(branch, safe='/')}"
        try:
            await self._call("DELETE", path)
        except HostFailed as failure:
            if failure.status in (404, 422):  # 422: the reference does not exist
                return False
            raise
        return True

    async def _read(self, path: str, etag: str | None = None, **query: Any) -> Read:
        answer = await self._call("GET", path, query=query, etag=etag)
        new = answer.headers.get("etag")
        if answer.status == 304:
            return Read(None, new, True, None)
        return Read(_json(answer), new, False, next_page_of(answer.headers.get("link", "")))

    async def _write(self, method: str, path: str, body: Any) -> Any:
        return _json(await self._call(method, path, body=body))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        etag: str | None = None,
        leave_host: bool = False,
        cut: bool = False,
    ) -> HttpResponse:
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {await self._token()}",
            "x-github-api-version": VERSION,
        }
        if etag is not None:
            headers["if-none-match"] = etag
        text = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in (query or {}).items())
        url = f"{self._root}{path}" + (f"?{text}" if text else "")
        return await call(self._outbound, method, url, headers, body, leave_host=leave_host, cut=cut)


async def call(
    outbound: Outbound, method: str, url: str, headers: dict[str, str], body: Any = None, **options: Any
) -> HttpResponse:
    """Call an API. Raises HostFailed unless the answer is a success, or 304."""
    try:
        answer = await outbound.call(method, url, headers=headers, json=body, **options)
    except CallFailed as failure:
        retry = None if failure.is_final else 0
        raise HostFailed(str(failure), retry_after=retry, sent=failure.sent) from failure
    if answer.status < 300 or answer.status == 304:
        return answer
    raise _failure_of(answer, method)


def _failure_of(answer: HttpResponse, method: str) -> HostFailed:
    """Return what an answer that is no success means."""
    status, words = answer.status, _words(answer)
    if status in (403, 429):
        wait = answer.retry_after
        if wait is None and answer.headers.get("x-ratelimit-remaining") == "0":
            reset = answer.headers.get("x-ratelimit-reset", "")
            wait = max(1.0, float(reset) - time()) if reset.isdigit() else SECONDARY_LIMIT_SECONDS
        if wait is None and (status == 429 or "rate limit" in words.lower()):
            wait = SECONDARY_LIMIT_SECONDS
        if wait is not None:
            return HostFailed("The rate limit is exceeded", status=status, retry_after=int(wait) + 1)
    if status >= 500:
        text = f"The server failed with {status}"
        return HostFailed(text, status=status, retry_after=int(answer.retry_after or 0), sent=method != "GET")
    meaning = {
        401: "The credential is not accepted",
        403: "The credential does not allow it",
        404: "Not found",
    }
    text = meaning.get(status, f"The request was refused with {status}")
    return HostFailed(f"{text}: {words}" if words else text, status=status)


def _words(answer: HttpResponse) -> str:
    """Return a host's own explanation, in one line."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    parts = [body.get("message")]
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else ():
        parts.append(error.get("message") if isinstance(error, dict) else error)
    return " ".join(" ".join(part.split()) for part in parts if isinstance(part, str))[:200]


def _json(answer: HttpResponse) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise HostFailed("The answer is not JSON", status=answer.status, retry_after=0, sent=True) from error


def _path(name: str) -> str:
    owner, _, repository = name.partition("/")
    return f"{quote(owner, safe='')}/{quote(repository, safe='')}"


def next_page_of(link: str) -> int | None:
    """Return the number of the next page by the header Link; None on the last page."""
    for part in link.split(","):
        target, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            page = parse_qs(urlsplit(target.strip(" <>")).query).get("page", [""])[0]
            return int(page) if page.isdigit() else None
    return None


def repository_of(row: dict[str, Any]) -> RemoteRepository:
    return RemoteRepository(
        external_id=str(row["id"]),
        full_name=str(row["full_name"]),
        url=str(row["html_url"]),
        default_branch=str(row["default_branch"]),
        is_private=bool(row["private"]),
        is_archived=bool(row.get("archived", False)),
    )


def branch_of(row: dict[str, Any]) -> RemoteBranch:
    return RemoteBranch(str(row["name"]), str(row["commit"]["sha"]), bool(row.get("protected", False)))


def pull_of(row: dict[str, Any]) -> RemotePullRequest:
    """Return a pull request as the REST API and webhooks write it."""
    head, base = row["head"], row["base"]
    updated = row.get("updated_at")
    return RemotePullRequest(
        external_id=str(row["id"]),
        number=int(row["number"]),
        url=str(row["html_url"]),
        title=str(row["title"]),
        body=str(row.get("body") or ""),
        head_branch=str(head["ref"]),
        head_sha=str(head["sha"]),
        base_branch=str(base["ref"]),
        is_open=row["state"] == "open",
        is_draft=bool(row.get("draft", False)),
        is_merged=row.get("merged_at") is not None,
        merge_sha=row.get("merge_commit_sha"),
        mergeable=row.get("mergeable"),
        commits=row.get("commits"),
        author=str((row.get("user") or {}).get("login", "")),
        head_repository_id=str(head["repo"]["id"]) if head.get("repo") else None,
        updated_at=datetime.fromisoformat(updated) if updated else None,
    )


def check_of(row: dict[str, Any]) -> RemoteCheck:
    """Return a check run. One of GitHub Actions has the id of the job whose log can be read."""
    done = row["status"] == "completed"
    output = row.get("output") or {}
    is_actions = (row.get("app") or {}).get("slug") == "github-actions"
    return RemoteCheck(
        key=f"check:{row['id']}",
        name=str(row["name"]),
        status=CONCLUSIONS.get(str(row.get("conclusion")), "ERROR") if done else "PENDING",
        summary=str(output.get("title") or output.get("summary") or ""),
        url=row.get("html_url") or row.get("details_url"),
        log_id=str(row["id"]) if is_actions else None,
    )


def status_of(row: dict[str, Any]) -> RemoteCheck:
    """Return a commit status."""
    return RemoteCheck(
        key=f"status:{row['context']}",
        name=str(row["context"]),
        status=STATES.get(str(row["state"]), "ERROR"),
        summary=str(row.get("description") or ""),
        url=row.get("target_url"),
        log_id=None,
    )
