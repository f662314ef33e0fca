"""WorkerApi over GraphQL, with the operations of operations.graphql.

Every request can be repeated after a lost response: claims, batches of events and questions carry a key, and the
end of a run is sent with an idempotency key.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Any
from uuid import uuid4

from protocol.events import EventType, QuestionItem
from protocol.rows import DEFAULT_LEVELS
from worker.api import (
    BranchResult,
    BranchWork,
    ClaimedWork,
    Conclude,
    Failure,
    FinishedWork,
    HeartbeatAnswer,
    LeaseState,
    LeaseTicket,
    PersonMessage,
    QuestionAnswer,
    Registration,
    Resolution,
    Row,
    ServerRejected,
    ServerUnreachable,
    Stop,
    WorkerCommand,
)
from worker.checks import FinishedCheck, RequiredCheck
from worker.hunks import diff_files
from worker.transport import GraphQLTransport
from worker.workspace import WorkspaceRules
from worker.worktree import Diff

CLAIM_WAIT_SECONDS = 20  # how long the server holds a claim open
HEARTBEAT_TIMEOUT_SECONDS = 10.0
MAX_FILES = 250  # longest list of an input
MAX_COMMITS = 100
MAX_PATCH = 400_000  # bytes as JSON; a request has at most 1 MB
MAX_OPTIONS = 12
MAX_RUNS_REMEMBERED = 100  # whose sent hunks are known
MAX_COUNT = 2**31 - 1  # of lines: GraphQL's Int
MAX_WARNING_CHARACTERS = 2_000
PRIORITIES = {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 3, "LOW": 4, "NONE": None}  # of WORKFLOW.md
KEEPS_FILES = ("PLAN", "REVIEW", "TEST")  # kinds of runs whose agents must not change files
HEADER = 40  # characters
SUMMARY = 20_000
CODES = {
    "AGENT_ERROR",
    "TIMEOUT",
    "SILENT",
    "LEASE_EXPIRED",
    "POLICY_VIOLATION",
    "WORKSPACE_ERROR",
    "SESSION_LOST",
    "CHECK_FAILED",
    "REJECTED",
    "LIMIT_REACHED",
}


def _has_boards(workspace: Row) -> bool:
    return bool(workspace["boards"]["nodes"])


def _has_work(workspace: Row) -> bool:
    """Return whether agents work on a board of the workspace: by its policy, or because a run was started."""
    boards = workspace["boards"]["nodes"]
    return any(board["policy"]["autoDispatch"] or board["runs"]["nodes"] for board in boards)


class Client:
    def __init__(self, transport: GraphQLTransport, executors: Sequence[str], workspace: str = "") -> None:
        self.transport, self.workspace = transport, workspace
        self._first = executors[0]
        self._sent_hunks: dict[tuple[str, int], set[str]] = {}  # hashes that the server has, by attempt
        self._claim: Row | None = None  # the claim that was sent and not yet answered
        self._waiting: asyncio.Task[Any] | None = None  # waits for the response

    async def register(self, worker: Registration) -> str:
        given: Row = {
            "name": worker.name,
            "program": f"signalbox-worker {worker.version}",
            "executors": [name.upper() for name in worker.executors],
            "capabilities": [{"name": name, "level": level} for name, level in worker.capabilities.items()],
            "maxConcurrent": worker.at_once,
            "machine": worker.machine or None,
        }
        if workspace := self.workspace or ("" if self.transport.has_key else await self._only_workspace()):
            given |= {"workspaceId": workspace}
        return str((await self._do("RegisterWorker", given))["id"])

    async def _only_workspace(self) -> str:
        """Find the workspace of a caller without an API key: the only one, or the only one with boards or with
        work.

        Raises ServerRejected if several qualify.
        """
        response = (await self.transport.ask("Workspaces", {}))["nodes"]
        for predicate in (bool, _has_boards, _has_work):
            fitting = [entry for entry in response if predicate(entry)]
            if len(fitting) == 1:
                return str(fitting[0]["id"])
        named = ", ".join(f"{entry['id']} ({entry['name']})" for entry in response) or "there is none"
        raise ServerRejected("INVALID", f"choose a workspace with --workspace: {named}")

    async def deregister(self, worker: str) -> None:
        await self._do("DeregisterWorker", {"id": worker})

    async def claim(self, worker: str, most: int) -> list[ClaimedWork]:
        """Claim up to `most` runs.

        After a lost response, the next claim repeats the key, so that no claimed run has to wait for its lease to
        expire.
        """
        given = self._claim or {
            "workerId": worker,
            "most": most,
            "wait": CLAIM_WAIT_SECONDS,
            "key": uuid4().hex,
        }
        self._claim = given
        try:
            self._waiting = asyncio.create_task(
                self._do("ClaimRuns", given, seconds=CLAIM_WAIT_SECONDS + 15.0)
            )
            await asyncio.wait([self._waiting])
            if self._waiting.cancelled():
                raise ServerUnreachable("The server restarts")
            response = self._waiting.result()
        except ServerUnreachable:
            raise
        except BaseException:
            if self._waiting:
                self._waiting.cancel()
            self._claim = None
            raise
        self._claim = None
        return [self._claimed(entry) for entry in response["claims"]]

    def _claimed(self, payload: Row) -> ClaimedWork:
        work, run = payload["work"], payload["run"]
        token, card = work.get("agentToken") or "", run["cardId"]
        lease = LeaseTicket(run=run["id"], attempt=payload["attempt"], token=payload["token"])
        env = {"SIGNALBOX_URL": self.transport.url, "SIGNALBOX_CARD": card, "SIGNALBOX_TOKEN": token}
        variables = {one["name"]: one["value"] for one in work.get("variables") or ()}
        server = {"url": mcp_of(self.transport.url), "headers": {"Authorization": f"Bearer {token}"}}
        return ClaimedWork(
            lease=lease,
            executor=(work["executor"] or self._first).lower(),
            prompt=work["prompt"],
            issue=_issue(run.get("card"), self.transport.url),
            task=_task(work["branchTask"]) if work["branchTask"] else None,
            whole=work["wholePrompt"],
            repository=work["repository"] or "",
            base=work["baseRef"] or "HEAD",
            branch=work["branch"] or "",
            branch_template=work["branchTemplate"] or ClaimedWork.branch_template,
            names={"card": work["card"], "slug": work["slug"]},
            session=work["sessionId"] or "",
            session_usage=work["sessionUsage"],
            workspace=work["workspace"],
            model=work["model"] or "",
            instructions=work["instructions"] or "",
            supervised=work["supervised"],
            strict=work["permission"] == "HUMAN_REQUIRED",
            keeps_files=run["kind"] in KEEPS_FILES,
            options={name: str(value) for name, value in (work["options"] or {}).items()},
            tools={"signalbox": server} if token else {},
            env=variables | (env if token else {}),
            silence=float(work["silenceSeconds"]),
            wall=float(work["attemptSeconds"]),
            lease_seconds=float(payload["leaseSeconds"]),
            rules=WorkspaceRules(
                setup_script=work["setupScript"],
                cleanup_script=work["cleanupScript"],
                script_seconds=work["scriptSeconds"],
                copy_files=tuple(work["copyFiles"]),
                subfolder=work["subfolder"],
                commit_author=work["commitAuthor"],
            ),
            checks=tuple(RequiredCheck(**check) for check in work["checks"]),
            first_paths=tuple(work["firstPaths"]),
        )

    async def commands(self, worker: str) -> AsyncIterator[WorkerCommand]:
        async with aclosing(self.transport.subscribe("WorkerCommands", {"worker": worker})) as messages:  # type: ignore[type-var]
            try:
                async for payload in messages:
                    if command := _command(payload):
                        yield command
            except ServerUnreachable as error:
                if error.restarts and self._waiting:
                    self._waiting.cancel()  # the open request would delay the server's shutdown
                raise

    async def acknowledge(self, lease: LeaseTicket, command: str) -> None:
        await self._do("AcknowledgeCommand", {"lease": _lease(lease), "commandId": command})

    async def heartbeat(self, worker: str, beats: Sequence[LeaseState]) -> HeartbeatAnswer:
        given = {"workerId": worker, "leases": [_held(beat) for beat in beats]}
        payload = await self._do("WorkerHeartbeat", given, seconds=HEARTBEAT_TIMEOUT_SECONDS)
        own_leases = {(beat.lease.run, beat.lease.attempt) for beat in beats}
        return HeartbeatAnswer(
            lost=frozenset(
                entry["runId"]
                for entry in payload["leases"]
                if entry["lost"] and (entry["runId"], entry["attempt"]) in own_leases
            ),
            commands=tuple(command for entry in payload["commands"] if (command := _command(entry))),
        )

    async def report(self, lease: LeaseTicket, key: str, events: Sequence[Row]) -> None:
        given = {"lease": _lease(lease), "key": key, "events": [_event(row) for row in events]}
        await self._do("ReportRunEvents", given)

    async def ask(
        self, lease: LeaseTicket, key: str, asks: Sequence[QuestionItem], session: str, *, blocking: bool
    ) -> dict[str, list[str]] | None:
        questions = [_question(ask, blocking) for ask in asks]
        given = {"lease": _lease(lease), "key": key, "questions": questions, "sessionId": session or None}
        answered_questions = (await self._do("AskQuestions", given))["questions"]
        if any(entry["status"] == "OPEN" for entry in answered_questions):
            return None
        return {entry["key"]: entry["answer"] or [] for entry in answered_questions}

    async def lock_repository(self, lease: LeaseTicket) -> None:
        await self._do("LockRepository", {"lease": _lease(lease)})

    async def finish_task(self, lease: LeaseTicket, result: BranchResult) -> None:
        conflicts = [
            {"path": one.path, "key": one.key, "base": one.base, "ours": one.ours, "theirs": one.theirs}
            for one in result.conflicts
        ]
        given = {"sha": result.sha or None, "conflicts": conflicts or None, "fault": result.fault or None}
        await self._end("FinishBranchTask", lease, {"result": given, "summary": result.summary[:2_000]})

    async def report_checks(self, lease: LeaseTicket, sha: str, checks: Sequence[FinishedCheck]) -> None:
        results = [
            {
                "kind": check.kind,
                "name": check.name,
                "status": check.status,
                "exitCode": check.exit_code,
                "output": check.output.replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "seconds": check.seconds,
            }
            for check in checks
        ]
        await self._do("ReportChecks", {"lease": _lease(lease), "sha": sha, "checks": results})

    async def report_diff(self, lease: LeaseTicket, base: str, head: str, diff: Diff, *, final: bool) -> None:
        files, hunks = diff_files(diff)
        key = (lease.run, lease.attempt)
        if key not in self._sent_hunks:
            self._sent_hunks = {key: set(), **dict(list(self._sent_hunks.items())[-MAX_RUNS_REMEMBERED:])}
        sent = self._sent_hunks[key]
        given = {
            "lease": _lease(lease),
            "baseSha": base,
            "headSha": head,
            "fileCount": len(diff.files) + diff.more_files,
            "additions": min(diff.additions, MAX_COUNT),
            "deletions": min(diff.deletions, MAX_COUNT),
            "final": final,
        }
        for known in (sent & hunks.keys(), set[str]()):  # everything, if the server has forgotten some
            rows = [
                file
                if file["hash"] is None or file["hash"] in known
                else {**file, "hunks": hunks[file["hash"]]}
                for file in files
            ]
            response = await self._do("ReportDiff", {**given, "files": rows})
            if not response["missingHashes"]:
                self._sent_hunks[key] = set(hunks)
                return

    async def complete(self, lease: LeaseTicket, result: FinishedWork) -> None:
        await self._end("CompleteRun", lease, {"result": _result(result)})

    async def fail(self, lease: LeaseTicket, failure: Failure) -> None:
        known = failure.code in CODES
        given: Row = {
            "code": failure.code if known else "AGENT_ERROR",
            "reason": failure.reason if known else f"{failure.code}: {failure.reason}",
            "retryable": failure.retryable,
            "result": _result(failure.result) if failure.result else None,
        }
        await self._end("FailRun", lease, given)

    async def stopped(self, lease: LeaseTicket, result: FinishedWork | None) -> None:
        await self._end("ConfirmStop", lease, {"result": _result(result) if result else None})

    async def release(self, lease: LeaseTicket, reason: str, session: str) -> None:
        await self._end("ReleaseRun", lease, {"sessionId": session or None})

    async def _end(self, name: str, lease: LeaseTicket, more: Row) -> None:
        # A repeated end has the same key; a changed one, after a refusal, has another.
        payload = sha256(json.dumps(more, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{name}:{lease.run}:{lease.attempt}:{payload}"
        await self._do(name, {"lease": _lease(lease), **more}, key=key)

    async def _do(self, name: str, given: Row, **how: Any) -> Any:
        return await self.transport.ask(name, {"input": given}, **how)


def _task(payload: Row) -> BranchWork:
    return BranchWork(
        id=payload["taskId"],
        kind=payload["kind"],
        strategy=payload["strategy"] or "",
        branch=payload["branch"],
        base=payload["base"],
        head=payload["headSha"] or "",
        message=payload["message"],
        resolutions=tuple(
            Resolution(path=one["path"], key=one["key"], side=one["side"] or "", content=one["content"] or "")
            for one in payload["resolutions"]
        ),
    )


def _lease(lease: LeaseTicket) -> Row:
    return {"runId": lease.run, "attempt": lease.attempt, "token": lease.token}


def _held(beat: LeaseState) -> Row:
    return {"lease": _lease(beat.lease), "active": beat.active}


def _command(payload: Row) -> WorkerCommand | None:
    """Convert a command. Returns None for a kind that this worker does not know."""
    id, run = payload["id"], payload["runId"]
    match payload["kind"]:
        case "STOP":
            return Stop(id=id, run=run, reason=payload["reason"] or Stop.reason)
        case "CONCLUDE":
            return Conclude(id=id, run=run)
        case "MESSAGE":
            return PersonMessage(
                id=id, run=run, body=payload["body"] or "", interrupts=payload["mode"] == "INTERRUPT"
            )
        case "ANSWER":
            answers = {entry["key"]: entry["answer"] for entry in payload["answers"] or []}
            return QuestionAnswer(id=id, run=run, key=payload["key"], answers=answers)
    return None


def _event(row: Row) -> Row:
    level = row.get("level") or DEFAULT_LEVELS[EventType(row["type"])].value
    return {"text": "", "data": None, "agent": None, **row, "level": level}


def _question(ask: QuestionItem, blocking: bool) -> Row:
    options = [
        {"label": entry.label, "description": entry.description, "recommended": entry.recommended}
        for entry in ask.options[:MAX_OPTIONS]
    ]
    return {
        "key": ask.key,
        "header": ask.header[:HEADER],
        "text": ask.text,
        "type": ("MULTI" if ask.multiple else "SINGLE") if options else "TEXT",
        "options": options,
        "allowOther": ask.other,
        "blocking": blocking,
        "default": [ask.default] if ask.default else None,
    }


def _result(result: FinishedWork) -> Row:
    diff, warnings = result.diff, [text[:MAX_WARNING_CHARACTERS] for text in result.warnings]
    patch = _fit_patch(diff.patch)
    if diff.more_files or len(diff.files) > MAX_FILES:
        count = len(diff.files) + diff.more_files
        warnings.append(f"{count:,} files were changed; the first {MAX_FILES} are listed")
    if diff.is_cut or patch != diff.patch:
        warnings.append("The patch was too long and is cut; the branch has all of it")
    return {
        "summary": result.summary[:SUMMARY],
        "outcome": result.outcome,
        "branch": result.branch or None,
        "headSha": result.head or None,
        "sessionId": result.session or None,
        "exitCode": result.exit_code,
        "files": [
            {
                "path": file.path,
                "change": file.change,
                "additions": file.additions,
                "deletions": file.deletions,
                "movedFrom": file.moved_from or None,
            }
            for file in diff.files[:MAX_FILES]
        ],
        "patch": patch,
        "commits": [{"sha": entry.sha, "title": entry.subject} for entry in result.commits[-MAX_COMMITS:]],
        "warnings": warnings,
        "metrics": result.metrics or None,
        "sessionUsage": result.session_usage or None,
    }


def _fit_patch(patch: str) -> str:
    """Cut a patch at a line so that it fits into a request."""
    while len(json.dumps(patch, ensure_ascii=False).encode(errors="replace")) > MAX_PATCH:
        patch = patch[: min(len(patch) * 3 // 4, MAX_PATCH)].rpartition("\n")[0]
    return patch


def mcp_of(url: str) -> str:
    """Return the URL of the MCP endpoint beside the API."""
    return f"{url.rstrip('/').removesuffix('/graphql')}/mcp"


def _issue(card: Row | None, url: str) -> Row:
    """Return a card in the terms of WORKFLOW.md."""
    if card is None:
        return {}
    blocked = [
        {"id": one["id"], "identifier": one["name"], "state": one["stage"]} for one in card["blockedBy"]
    ]
    return {
        "id": card["id"],
        "identifier": card["name"],
        "number": card["number"],
        "title": card["title"],
        "description": card["description"],
        "priority": PRIORITIES.get(card["priority"]),
        "state": card["stage"],
        "url": f"{url.rstrip('/').removesuffix('/graphql')}/#/boards/{card['boardId']}/{card['id']}",
        "labels": [label["name"].lower() for label in card["labels"]],
        "blocked_by": blocked,
        "created_at": card["createdAt"],
        "updated_at": card["updatedAt"],
    }
