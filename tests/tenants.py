"""Two tenants that have one of everything, and what may be said to them: the tables behind the matrices.

A new query field, mutation, subscription or node type needs one line here, or the matrices of
tests/test_roles.py and tests/test_tenancy.py fail and name it. In a line `$card` is the id of the tenant's
card, and `%` its mark, a word that no other tenant's data has: say it in every text.
"""

import contextlib
import copy
import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
)

import actions.account
from actions.agent_session import keep_session
from actions.job import enqueue_job
from kit.ids import new_id
from kit.queue import NewJob, enqueue, fail_job
from models.pull_request import CardPullRequest, PullRequest, PullRequestOrigin
from models.review_thread import FindingCategory, ReviewFinding, Severity
from models.watch import Watch, WatchLevel
from models.webhook_endpoint import (
    EndpointDelivery,
    EndpointDeliveryStatus,
    EndpointFormat,
    WebhookEndpoint,
)
from schema.build import make_schema
from tests.runs import every_event
from tests.work import Hand

PASSWORD = "the password of everybody in tests"  # that of tests/conftest.py, which imports this
SCHEMA: GraphQLSchema = make_schema()._schema

# Nobody is let in without signing in, and nobody runs out of points or time.
SERVED: dict[str, Any] = {"host": "0.0.0.0", "points": 10**9, "access_minutes": 600}

# Who may. Each line of MUTATIONS names one of these.
ADMIN = "ADMIN"  # admins of the workspace
AUTHOR = "AUTHOR"  # the admin that wrote it
WORK = "WORK"  # members, and keys that may write or work runs
MEMBER = "MEMBER"  # its members, and keys of the whole workspace that may write
BOARD = "BOARD"  # the same, and keys of the board that may write
PERSON = "PERSON"  # any person that signed in: it is about the person, or makes a workspace
ANYONE = "ANYONE"  # without signing in
AGENT = "AGENT"  # the agent of a run, under the run's own credential: tests/test_agent_access.py

# Everything a tenant has, in the order it is made, by its admin: name of the thing, mutation, input.
# What belongs to the board that no key of the other board may see says "sibling".
MAKES: list[tuple[str, str, dict[str, Any]]] = [
    ("workspace", "createWorkspace", {"name": "% workspace"}),
    ("member", "addMember", {"workspaceId": "$workspace", "username": "%max", "role": "MEMBER"}),
    ("viewer", "addMember", {"workspaceId": "$workspace", "username": "%vic", "role": "VIEWER"}),
    ("guest", "addMember", {"workspaceId": "$workspace", "username": "%gus", "role": "MEMBER"}),
    ("label", "createLabel", {"workspaceId": "$workspace", "name": "% label", "colour": "#00AA00"}),
    ("board", "createBoard", {"workspaceId": "$workspace", "name": "% board", "description": "%"}),
    ("column", "createColumn", {"boardId": "$board", "name": "% column", "stage": "BACKLOG"}),
    ("other", "createColumn", {"boardId": "$board", "name": "% other", "stage": "BACKLOG"}),
    ("card", "createCard", {"boardId": "$board", "title": "% card", "destination": {"columnId": "$column"}}),
    ("next", "createCard", {"boardId": "$board", "title": "% next", "destination": {"columnId": "$column"}}),
    (
        "parent",
        "createCard",
        {"boardId": "$board", "title": "% parent", "destination": {"columnId": "$column"}},
    ),
    ("child", "createCard", {"boardId": "$board", "title": "% child", "parentId": "$parent"}),
    ("group", "createGroup", {"boardId": "$board", "title": "% group", "description": "%"}),
    ("activity", "createGroup", {"boardId": "$board", "title": "% activity", "parentId": "$group"}),
    ("schedule", "createCardSchedule", {"boardId": "$board", "title": "% again", "cron": "0 9 * * MON"}),
    (
        "sprint",
        "createSprint",
        {"boardId": "$board", "name": "% sprint", "startsOn": "2026-01-01", "endsOn": "2026-01-14"},
    ),
    (
        "running",
        "createSprint",
        {"boardId": "$board", "name": "% running", "startsOn": "2026-02-01", "endsOn": "2026-02-14"},
    ),
    ("subtask", "addSubtask", {"cardId": "$card", "title": "% subtask"}),
    ("knowledge", "addKnowledge", {"cardId": "$card", "kind": "FACT", "text": "% known", "evidence": "%"}),
    ("guess", "addKnowledge", {"cardId": "$card", "kind": "ASSUMPTION", "text": "% guess"}),
    ("planned", "addPlannedFile", {"cardId": "$card", "path": "src/%.py", "module": "%", "contract": "%"}),
    ("folder", "addPlannedFile", {"cardId": "$card", "path": "src/%/", "intent": "%"}),
    ("memory", "createMemory", {"boardId": "$board", "text": "% learned"}),
    ("lesson", "createMemory", {"boardId": "$board", "text": "% lesson"}),
    (
        "rule",
        "createAnswerRule",
        {"boardId": "$board", "name": "% rule", "pattern": "never %", "answer": ["%"]},
    ),
    (
        "late",
        "createAnswerRule",
        {"boardId": "$board", "name": "% late", "pattern": "%", "answer": ["%"], "enabled": False},
    ),
    (
        "plan",
        "planBatch",
        {"boardId": "$board", "message": "%", "actions": [{"createGroup": {"title": "% planned"}}]},
    ),
    ("step", "addSubtask", {"cardId": "$card", "title": "% step"}),
    ("message", "postMessage", {"cardId": "$card", "body": "% message"}),
    ("link", "linkCards", {"cardId": "$card", "kind": "RELATED", "targetId": "$next"}),
    (
        "profile",
        "createAgentProfile",
        {"workspaceId": "$workspace", "name": "% coder", "executor": "SCRIPTED", "options": {"a": "%"}},
    ),
    (
        "standby",
        "createAgentProfile",
        {"workspaceId": "$workspace", "name": "% standby", "executor": "COMMAND"},
    ),
    (
        "connection",
        "createConnection",
        {"workspaceId": "$workspace", "kind": "OPENAI", "name": "% models", "secret": "%-key"},
    ),
    (
        "repository",
        "connectRepository",
        {"workspaceId": "$workspace", "url": "https://github.com/%/web"},
    ),
    (
        "worker",
        "registerWorker",
        {"workspaceId": "$workspace", "name": "% worker", "executors": ["SCRIPTED"], "program": "%"},
    ),
    (
        "worked",
        "createCard",
        {
            "boardId": "$board",
            "title": "% worked",
            "destination": {"stage": "TODO"},
            "agentProfileId": "$profile",
        },
    ),
    (
        "batched",
        "createCard",
        {"boardId": "$board", "title": "% batched", "destination": {"columnId": "$other"}},
    ),
    ("batch", "startBatch", {"cardIds": ["$batched"], "kind": "TEST", "instruction": "% together"}),
    (
        "document",
        "createDocument",
        {"home": {"boardId": "$board"}, "title": "% document", "content": "% content", "tags": ["%"]},
    ),
    (
        "doclink",
        "linkDocument",
        {"documentId": "$document", "target": {"cardId": "$card"}, "usageHint": "%"},
    ),
    (
        "approval",
        "requestApproval",
        {"cardId": "$card", "kind": "TOOL", "subject": "% deploy", "note": "% ok?"},
    ),
    ("consent", "requestApproval", {"cardId": "$next", "kind": "MERGE", "note": "% ok?"}),
    (
        "branched",
        "createCard",
        {"boardId": "$board", "title": "% branched", "destination": {"columnId": "$other"}},
    ),
    ("task", "createBranch", {"cardId": "$branched", "name": "%-branch"}),
    ("sibling", "createBoard", {"workspaceId": "$workspace", "name": "% sibling", "description": "%"}),
    ("siblingColumn", "createColumn", {"boardId": "$sibling", "name": "% sibling", "stage": "BACKLOG"}),
    ("siblingCard", "createCard", {"boardId": "$sibling", "title": "% sibling card"}),
    (
        "siblingDocument",
        "createDocument",
        {
            "home": {"boardId": "$sibling"},
            "title": "% sibling document",
            "uri": "https://example.org/sibling",
        },
    ),
    ("siblingSubtask", "addSubtask", {"cardId": "$siblingCard", "title": "% sibling subtask"}),
    ("siblingMessage", "postMessage", {"cardId": "$siblingCard", "body": "% sibling message"}),
]


@dataclass(frozen=True)
class Case:
    """Who may, and the smallest input.

    instead: the code an actor that may not is answered, where it differs from the actor's usual one.
    answer:  the refusal that also those who may are answered, where a success would need or end too much.
    """

    who: str
    input: dict[str, Any]
    instead: dict[str, str] = field(default_factory=dict)
    answer: str | None = None


# Nothing is in the bin for those who may not delete.
NOT_BINNED = dict.fromkeys(("vic", "read key", "worker key"), "NOT_FOUND")
HIDDEN = {"board key": "NOT_FOUND"}  # what a key of one board does not see

NO_DIFF = {"baseSha": "abcdef12", "headSha": "abcdef13", "fileCount": 1, "additions": 0, "deletions": 0}
REPORT_DIFF = """mutation($input: ReportDiffInput!) { reportDiff(input: $input) {
  ... on DiffReported { runId } ... on Refusal { code message } } }"""
CHECK = {"kind": "UNIT", "status": "FAILED", "output": "%"}
REPORT_CHECKS = """mutation($input: ReportChecksInput!) { reportChecks(input: $input) {
  ... on RecordedChecks { checks { id } } ... on Refusal { code message } } }"""
LEASE = {"lease": {"runId": "$run", "attempt": 9, "token": "none"}}  # that nobody has

# In an order in which all of them succeed, one after the other, for who may.
MUTATIONS: dict[str, Case] = {
    "createWorkspace": Case(PERSON, {"name": "% new"}),
    "updateWorkspace": Case(ADMIN, {"id": "$workspace", "name": "% renamed"}),
    "addMember": Case(ADMIN, {"workspaceId": "$workspace", "username": "%newcomer"}),
    "setMemberRole": Case(ADMIN, {"id": "$guest", "role": "ADMIN"}, HIDDEN),
    "removeMember": Case(ADMIN, {"id": "$guest"}, HIDDEN),
    "inviteMembers": Case(ADMIN, {"workspaceId": "$workspace", "emails": ["%new@example.org"]}),
    "createInvitationLink": Case(ADMIN, {"workspaceId": "$workspace"}),
    "resendInvitation": Case(ADMIN, {"id": "$invitation"}),
    "revokeInvitation": Case(ADMIN, {"id": "$invitation"}),
    "acceptInvitation": Case(PERSON, {"token": "no token"}, answer="INVITATION_REFUSED"),
    "register": Case(ANYONE, {"username": "%reg", "password": "long enough"}, answer="FORBIDDEN"),
    "login": Case(ANYONE, {"username": "%ann", "password": "not hers"}, answer="UNAUTHENTICATED"),
    "redeemSignInLink": Case(ANYONE, {"token": "no token"}, answer="UNAUTHENTICATED"),
    "refreshSession": Case(ANYONE, {"refreshToken": "no token"}, answer="UNAUTHENTICATED"),
    "logout": Case(ANYONE, {"refreshToken": "no token"}, answer="UNAUTHENTICATED"),
    "updateMe": Case(PERSON, {"nickname": "% nick"}),
    "changePassword": Case(
        PERSON, {"currentPassword": "not it", "newPassword": "long enough"}, answer="INVALID"
    ),
    "setUpSecondFactor": Case(PERSON, {"currentPassword": PASSWORD}),
    "confirmSecondFactor": Case(PERSON, {"code": "123456"}, answer="INVALID"),
    "removeSecondFactor": Case(PERSON, {"currentPassword": PASSWORD, "code": "123456"}, answer="CONFLICT"),
    "updatePreferences": Case(PERSON, {"baseBranch": "% branch"}),
    "removeAvatar": Case(PERSON, {}),
    "requestPasswordReset": Case(ANYONE, {"email": "%@example.org"}, answer="FORBIDDEN"),
    "resetPassword": Case(ANYONE, {"token": "none", "newPassword": "long enough"}, answer="INVALID"),
    "requestAddressConfirmation": Case(PERSON, {}, answer="FORBIDDEN"),
    "confirmAddress": Case(ANYONE, {"token": "none"}, answer="INVALID"),
    "linkIdentity": Case(PERSON, {"token": "none"}, answer="INVALID"),
    "unlinkIdentity": Case(PERSON, {"provider": "GITHUB"}),
    "deleteMe": Case(PERSON, {"confirmUsername": "not mine"}, answer="INVALID"),
    "createApiKey": Case(ADMIN, {"workspaceId": "$workspace", "name": "% new", "scopes": ["READ"]}),
    "revokeApiKey": Case(ADMIN, {"id": "$spare key"}),
    "redriveJob": Case(ADMIN, {"jobId": "$job"}),
    "createLabel": Case(MEMBER, {"workspaceId": "$workspace", "name": "% new", "colour": "#AA0000"}),
    "updateLabel": Case(MEMBER, {"id": "$label", "name": "% renamed"}),
    "createAgentProfile": Case(ADMIN, {"workspaceId": "$workspace", "name": "% new", "executor": "COMMAND"}),
    "updateAgentProfile": Case(ADMIN, {"id": "$profile", "name": "% renamed"}),
    "createConnection": Case(
        ADMIN, {"workspaceId": "$workspace", "kind": "OPENAI", "name": "% new", "secret": "%-key"}
    ),
    "updateConnection": Case(ADMIN, {"id": "$connection", "url": "https://localhost:9", "secret": "%-other"}),
    "watch": Case(PERSON, {"id": "none"}, answer="NOT_FOUND"),  # of others: tests/test_watch.py
    "unwatch": Case(PERSON, {"id": "none"}, answer="NOT_FOUND"),
    "createWebhookEndpoint": Case(
        ADMIN, {"workspaceId": "$workspace", "name": "% new", "url": "https://%.invalid/"}
    ),
    "updateWebhookEndpoint": Case(ADMIN, {"id": "$endpoint", "name": "% renamed"}),
    "rotateWebhookSecret": Case(ADMIN, {"id": "$endpoint"}),
    "pingEndpoint": Case(ADMIN, {"id": "$endpoint"}),
    "redriveDelivery": Case(ADMIN, {"id": "$delivery"}, answer="CONFLICT"),
    "linkPullRequest": Case(BOARD, {"cardId": "$card", "number": 2}, answer="CONFLICT"),
    "createPullRequest": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "updatePullRequest": Case(BOARD, {"id": "$pull", "title": "% renamed"}, answer="CONFLICT"),
    "regeneratePullRequestText": Case(BOARD, {"id": "$pull"}, answer="CONFLICT"),
    "syncPullRequest": Case(BOARD, {"id": "$pull"}, answer="CONFLICT"),
    "discoverPullRequests": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "undo": Case(BOARD, {"boardId": "$board", "seq": 1}, answer="CONFLICT"),
    "undoPullRequestMove": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "unlinkPullRequest": Case(BOARD, {"cardId": "$card", "pullRequestId": "$pull"}),
    "updateBoardAutomation": Case(ADMIN, {"boardId": "$board", "staleDays": 3}),
    "connectRepository": Case(ADMIN, {"workspaceId": "$workspace", "url": "https://github.com/%/new"}),
    "selectBranch": Case(MEMBER, {"id": "$repository", "branch": "%-next"}),
    "syncRepository": Case(MEMBER, {"id": "$repository"}, answer="CONFLICT"),
    "replaceWebhookSecret": Case(ADMIN, {"id": "$repository"}),
    "setBoardRepository": Case(ADMIN, {"boardId": "$board", "repositoryId": "$repository"}),
    "checkConnection": Case(ADMIN, {"id": "$connection"}),
    "registerWorker": Case(
        WORK, {"workspaceId": "$workspace", "name": "% new worker", "executors": ["SCRIPTED"]}
    ),
    "workerHeartbeat": Case(AUTHOR, {"workerId": "$worker"}),
    "startBatch": Case(BOARD, {"cardIds": ["$next"]}, answer="STAGE_REFUSED"),
    "retryBatch": Case(BOARD, {"id": "$batch"}, answer="CONFLICT"),
    "stopBatch": Case(BOARD, {"id": "$batch"}),
    "claimRuns": Case(AUTHOR, {"workerId": "$worker"}),
    "startRun": Case(BOARD, {"cardId": "$next", "kind": "PLAN"}, answer="STAGE_REFUSED"),
    "concludeRun": Case(BOARD, {"id": "$run"}, answer="CONFLICT"),
    "retryRun": Case(BOARD, {"id": "$run"}, answer="CONFLICT"),
    "resumeRun": Case(BOARD, {"id": "$run"}, answer="CONFLICT"),
    "sendMessage": Case(BOARD, {"runId": "$run", "body": "% hurry"}, answer="CONFLICT"),
    "chooseRun": Case(BOARD, {"id": "$run"}, answer="CONFLICT"),
    "answerQuestion": Case(BOARD, {"id": "$question", "text": "% yes"}),
    "cancelQuestion": Case(BOARD, {"id": "$doubt"}),
    "createMemory": Case(BOARD, {"boardId": "$board", "text": "% new"}),
    "updateMemory": Case(BOARD, {"id": "$memory", "state": "APPROVED"}),
    "deleteMemory": Case(BOARD, {"id": "$lesson"}),
    "createAnswerRule": Case(ADMIN, {"boardId": "$board", "name": "% new", "pattern": "%"}),
    "updateAnswerRule": Case(ADMIN, {"id": "$rule", "answer": ["% other"]}),
    "moveAnswerRule": Case(ADMIN, {"id": "$rule", "position": {"after": "$late"}}),
    "deleteAnswerRule": Case(ADMIN, {"id": "$late"}),
    "askQuestion": Case(BOARD, {"cardId": "$card", "text": "% why?"}),
    "askAsAgent": Case(
        AGENT,
        {"key": "k", "questions": [{"key": "0", "text": "% ?"}]},
        dict.fromkeys(("foreign", "ann"), "FORBIDDEN"),
    ),
    "createReviewThread": Case(BOARD, {"runId": "$run", "path": "%", "line": 1, "body": "% remark"}),
    "replyToThread": Case(BOARD, {"id": "$thread", "body": "% reply"}),
    "resolveThread": Case(BOARD, {"id": "$thread"}),
    "submitReview": Case(
        BOARD,
        {
            "runId": "$run",
            "verdict": "COMMENT",
            "body": "% fine",
            "comments": [{"path": "%", "body": "% nit"}],
        },
    ),
    "createFixRun": Case(BOARD, {"runId": "$run", "findingIds": ["$finding"]}, answer="CONFLICT"),
    "reportFindings": Case(WORK, {**LEASE, "findings": []}, answer="LEASE_LOST"),
    "reportFindingsAsAgent": Case(AGENT, {"findings": []}, dict.fromkeys(("foreign", "ann"), "FORBIDDEN")),
    "decideApproval": Case(BOARD, {"id": "$consent", "approve": True, "note": "% fine"}),
    "cancelApproval": Case(BOARD, {"id": "$approval"}),
    "requestApproval": Case(BOARD, {"cardId": "$card", "kind": "MERGE", "note": "% please"}),
    "reportDiff": Case(
        WORK,
        {**LEASE, **NO_DIFF, "files": [{"path": "%"}]},
        answer="LEASE_LOST",
    ),
    "reportChecks": Case(
        WORK,
        {**LEASE, "sha": "abcdef12", "checks": [{"kind": "UNIT", "name": "%", "status": "PASSED"}]},
        answer="LEASE_LOST",
    ),
    "stopRun": Case(BOARD, {"id": "$run"}),
    "reportRunEvents": Case(
        WORK,
        {
            "lease": {"runId": "$run", "attempt": 9, "token": "none"},
            "key": "other",
            "events": [{"type": "OUTPUT", "text": "%"}],
        },
        answer="LEASE_LOST",
    ),
    "askQuestions": Case(
        WORK,
        {
            "lease": {"runId": "$run", "attempt": 9, "token": "none"},
            "key": "other",
            "questions": [{"key": "0", "text": "%"}],
        },
        answer="LEASE_LOST",
    ),
    "completeRun": Case(
        WORK,
        {**LEASE, "result": {"summary": "%"}},
        answer="LEASE_LOST",
    ),
    "failRun": Case(
        WORK,
        {**LEASE, "code": "AGENT_ERROR", "reason": "%"},
        answer="LEASE_LOST",
    ),
    "releaseRun": Case(WORK, {**LEASE}, answer="LEASE_LOST"),
    "confirmStop": Case(WORK, {**LEASE}, answer="LEASE_LOST"),
    "deregisterWorker": Case(ADMIN, {"id": "$worker"}),
    "acknowledgeCommand": Case(  # nobody holds that run
        PERSON,
        {"lease": {"runId": "run_none", "attempt": 1, "token": "none"}, "commandId": "command_none"},
        dict.fromkeys(("read key", "write key", "board key", "worker key"), "NOT_FOUND"),
        answer="NOT_FOUND",
    ),
    "mergeCard": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "syncBranch": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "pushBranch": Case(BOARD, {"cardId": "$card"}, answer="CONFLICT"),
    "createBranch": Case(BOARD, {"cardId": "$branched", "name": "%-other"}, answer="CONFLICT"),
    "resolveConflicts": Case(
        BOARD, {"cardId": "$branched", "resolutions": [{"path": "%", "side": "OURS"}]}, answer="CONFLICT"
    ),
    "completeMerge": Case(BOARD, {"cardId": "$branched"}, answer="CONFLICT"),
    "abortMerge": Case(BOARD, {"cardId": "$branched"}),
    "lockRepository": Case(WORK, {**LEASE}, answer="LEASE_LOST"),
    "finishBranchTask": Case(
        WORK, {**LEASE, "result": {"fault": "BASE_MOVED"}, "summary": "%"}, answer="LEASE_LOST"
    ),
    "createBoard": Case(MEMBER, {"workspaceId": "$workspace", "name": "% new"}),
    "updateBoard": Case(BOARD, {"id": "$board", "name": "% renamed"}),
    # Not the profile that is deleted below: only a card names that one, and its board must hear of it all the same.
    "updateBoardPolicy": Case(ADMIN, {"boardId": "$board", "agentProfileId": "$standby"}),
    "updateBoardContext": Case(
        BOARD,
        {"boardId": "$board", "overview": "% context", "personas": [{"name": "% reader", "text": "%"}]},
    ),
    "moveBoard": Case(MEMBER, {"id": "$board", "position": {"after": "$sibling"}}),
    "createColumn": Case(BOARD, {"boardId": "$board", "name": "% new", "stage": "PLAN"}),
    "updateColumn": Case(BOARD, {"id": "$column", "name": "% renamed"}),
    "moveColumn": Case(BOARD, {"id": "$column", "position": {"before": "$other"}}),
    "createCardSchedule": Case(
        BOARD, {"boardId": "$board", "title": "% again", "cron": "0 9 * * TUE", "description": "%"}
    ),
    "updateCardSchedule": Case(BOARD, {"id": "$schedule", "title": "% often"}),
    "deleteCardSchedule": Case(BOARD, {"id": "$schedule"}),
    "planBatch": Case(BOARD, {"boardId": "$board", "actions": [{"createGroup": {"title": "% planned"}}]}),
    "proposePlan": Case(
        AGENT,
        {"actions": [{"createGroup": {"title": "% planned"}}]},
        dict.fromkeys(("foreign", "ann"), "FORBIDDEN"),
    ),
    "acceptPlan": Case(BOARD, {"id": "$plan"}, answer="CONFLICT"),
    "rejectPlan": Case(BOARD, {"id": "$plan"}, answer="CONFLICT"),
    "createSprint": Case(
        BOARD, {"boardId": "$board", "name": "% new", "startsOn": "2026-03-01", "endsOn": "2026-03-14"}
    ),
    "updateSprint": Case(BOARD, {"id": "$sprint", "name": "% renamed"}),
    "assignCardsToSprint": Case(BOARD, {"ids": ["$card"], "sprintId": "$sprint"}),
    "startSprint": Case(BOARD, {"id": "$running"}),
    "completeSprint": Case(BOARD, {"id": "$running", "unfinished": {"release": True}}),
    "cancelSprint": Case(BOARD, {"id": "$sprint"}),
    "deleteSprint": Case(BOARD, {"id": "$sprint"}),
    "createGroup": Case(BOARD, {"boardId": "$board", "title": "% new"}),
    "updateGroup": Case(BOARD, {"id": "$group", "title": "% renamed"}),
    "setCardGroup": Case(BOARD, {"id": "$card", "groupId": "$activity"}),
    "moveGroup": Case(BOARD, {"id": "$activity", "parentId": None}),
    "createCard": Case(
        BOARD, {"boardId": "$board", "title": "% new", "destination": {"columnId": "$column"}}
    ),
    "createCards": Case(BOARD, {"boardId": "$board", "cards": [{"title": "% bulk"}]}),
    "updateCard": Case(BOARD, {"id": "$card", "title": "% renamed"}),
    "moveCard": Case(
        BOARD, {"id": "$card", "destination": {"columnId": "$column"}, "position": {"after": "$next"}}
    ),
    "bulkUpdateCards": Case(
        BOARD, {"ids": ["$card", "$next"], "description": {"suffix": " %"}, "labels": {"add": ["$label"]}}
    ),
    "moveCards": Case(
        BOARD,
        {"ids": ["$card", "$next"], "destination": {"columnId": "$column"}, "position": {"after": "$parent"}},
    ),
    "addLabel": Case(BOARD, {"cardId": "$card", "labelId": "$label"}),
    "removeLabel": Case(BOARD, {"cardId": "$card", "labelId": "$label"}),
    "assignCard": Case(BOARD, {"cardId": "$card", "userId": "$person"}),
    "unassignCard": Case(BOARD, {"cardId": "$card", "userId": "$person"}),
    "unlinkCards": Case(BOARD, {"id": "$link"}),
    "linkCards": Case(BOARD, {"cardId": "$card", "kind": "BLOCKS", "targetId": "$parent"}),
    "addSubtask": Case(BOARD, {"cardId": "$card", "title": "% new"}),
    "updateSubtask": Case(BOARD, {"id": "$subtask", "completed": True}),
    "setPhases": Case(BOARD, {"cardId": "$card", "phases": []}),
    "moveSubtask": Case(BOARD, {"id": "$subtask", "position": {"after": "$step"}}),
    "deleteSubtask": Case(BOARD, {"id": "$subtask"}),
    "createDocument": Case(BOARD, {"home": {"boardId": "$board"}, "title": "% new", "uri": "https://%.org"}),
    "updateDocument": Case(BOARD, {"id": "$document", "content": "% other"}),
    "restoreDocumentRevision": Case(BOARD, {"id": "$document", "revision": 1}),
    "linkDocument": Case(BOARD, {"documentId": "$document", "target": {"boardId": "$board"}}),
    "unlinkDocument": Case(BOARD, {"id": "$doclink"}),
    "deleteDocument": Case(BOARD, {"id": "$document"}),
    "addKnowledge": Case(BOARD, {"cardId": "$card", "kind": "REQUIREMENT", "text": "% new"}),
    "updateKnowledge": Case(BOARD, {"id": "$knowledge", "state": "APPROVED"}),
    "moveKnowledge": Case(BOARD, {"id": "$knowledge", "position": {"after": "$guess"}}),
    "deleteKnowledge": Case(BOARD, {"id": "$guess"}),
    "uploadFile": Case(BOARD, {"place": {"cardId": "$card"}, "file": "%"}, answer="INVALID"),
    "createFile": Case(BOARD, {"place": {"cardId": "$card"}, "name": "%.txt", "content": "%"}),
    "attachFile": Case(BOARD, {"id": "$file", "target": {"cardId": "$card"}}),
    "deleteFile": Case(BOARD, {"id": "$file"}),
    "addPlannedFile": Case(BOARD, {"cardId": "$card", "path": "%.md"}),
    "updatePlannedFile": Case(BOARD, {"id": "$planned", "intent": "% new"}),
    "movePlannedFile": Case(BOARD, {"id": "$planned", "position": {"after": "$folder"}}),
    "deletePlannedFile": Case(BOARD, {"id": "$folder"}),
    "approveCard": Case(BOARD, {"id": "$parent"}, answer="NOT_READY"),
    "withdrawApproval": Case(BOARD, {"id": "$card"}),
    "postMessage": Case(BOARD, {"cardId": "$card", "body": "% new"}),
    "editMessage": Case(AUTHOR, {"id": "$message", "body": "% edited"}),
    "deleteMessage": Case(ADMIN, {"id": "$message"}),
    "markNotificationsRead": Case(AUTHOR, {"ids": ["$notice"]}, {"vic": "NOT_FOUND", "max": "NOT_FOUND"}),
    "deleteNotification": Case(AUTHOR, {"id": "$notice"}, {"vic": "NOT_FOUND", "max": "NOT_FOUND"}),
    "markAllNotificationsRead": Case(PERSON, {}),
    "rejectCard": Case(BOARD, {"id": "$card", "feedback": "%"}, answer="CONFLICT"),
    "restoreCardRevision": Case(BOARD, {"cardId": "$card", "revision": "$revision"}),
    "setParentCard": Case(BOARD, {"id": "$card", "parentId": "$parent"}),
    "endAgentSession": Case(BOARD, {"id": "$conversation"}),
    "archiveCard": Case(BOARD, {"id": "$card"}),
    "unarchiveCard": Case(BOARD, {"id": "$card"}),
    "deleteGroup": Case(BOARD, {"id": "$activity", "cards": {"ungroup": True}}),
    "deleteCard": Case(BOARD, {"id": "$card"}),
    "restoreCard": Case(BOARD, {"id": "$card"}, NOT_BINNED),
    "emptyBin": Case(ADMIN, {"boardId": "$board"}),
    "deleteColumn": Case(BOARD, {"id": "$column", "moveCardsTo": "$other"}),
    "disconnectRepository": Case(ADMIN, {"id": "$repository"}),
    "deleteWebhookEndpoint": Case(ADMIN, {"id": "$endpoint"}),
    "deleteConnection": Case(ADMIN, {"id": "$connection"}),
    "deleteAgentProfile": Case(ADMIN, {"id": "$profile"}),
    "deleteLabel": Case(MEMBER, {"id": "$label"}),
    "archiveBoard": Case(ADMIN, {"id": "$board"}),
    "unarchiveBoard": Case(ADMIN, {"id": "$board"}),
    "deleteBoard": Case(ADMIN, {"id": "$board", "confirmName": "% renamed"}),
    "deleteWorkspace": Case(ADMIN, {"id": "$workspace", "confirmName": "% renamed"}),
    "logoutEverywhere": Case(PERSON, {}),
}

# Every query field, with arguments that name the tenant's own.
QUERIES: dict[str, dict[str, Any]] = {
    "fileContent": {"id": "$file"},
    "node": {"id": "$card"},
    "nodes": {"ids": ["$workspace", "$board", "$card", "$label", "$member"]},
    "workspace": {"id": "$workspace"},
    "workspaces": {},
    "board": {"id": "$board"},
    "boards": {},
    "card": {"id": "$card"},
    "cards": {},
    "cardsCsv": {"boardId": "$board"},
    "velocityCsv": {"boardId": "$board"},
    "run": {"id": "$run"},
    "runs": {},
    "batch": {"id": "$batch"},
    "worker": {"id": "$worker"},
    "workers": {"workspaceId": "$workspace"},
    "agentSessions": {"cardId": "$card"},
    "notifications": {},
    "queue": {"workspaceId": "$workspace"},
    "deadRuns": {"workspaceId": "$workspace"},
    "questions": {},
    "testAnswerRule": {"id": "$late"},
    "document": {"id": "$document"},
    "documents": {"workspaceId": "$workspace"},
    "search": {"workspaceId": "$workspace", "text": "%"},
    "approvals": {},
    "diff": {"base": "$diff", "head": "$diff"},
    "awaitAnswers": {"key": "k"},
    "agentProfiles": {"workspaceId": "$workspace"},
    "connections": {"workspaceId": "$workspace"},
    "watches": {},
    "webhookEndpoints": {"workspaceId": "$workspace"},
    "repository": {"id": "$repository"},
    "repositories": {"workspaceId": "$workspace"},
    "pullRequests": {"workspaceId": "$workspace"},
    "viewer": {},
    "me": {},
}
OPEN: set[str] = {"rateLimit", "unreadCount"}  # query fields that tell nothing of any tenant
OPEN |= {"invitationPreview"}  # what the owner of a token may read: tests/test_invitation.py
OPEN: set[str] = {
    "rateLimit",
    "unreadCount",
    "invitationPreview",
}  # query fields that tell nothing of any tenant
OPEN |= {"remoteRepositories", "remoteBranches"}  # what another system tells: tests/test_connection.py

# Every subscription, with arguments that name the tenant's own; the feeds of a person name nobody.
SUBSCRIPTIONS: dict[str, dict[str, Any]] = {
    "boardFeed": {"boardId": "$board"},
    "workspaceFeed": {"workspaceId": "$workspace"},
    "userFeed": {},
    "runFeed": {"runId": "$run"},
    "replayRun": {"runId": "$run", "speed": 1000},
    "questionFeed": {"boardId": "$board"},
}

# Subscriptions that tell what is so now, and replay nothing: they take no cursor.
LIVE: dict[str, dict[str, Any]] = {
    "workerCommands": {"workerId": "$worker"},
    "queueFeed": {"workspaceId": "$workspace"},
}

# One of every node type, by the name of a thing that is made above.
NODES: dict[str, str] = {
    "Workspace": "workspace",
    "ApiKey": "spare key",
    "ServerJob": "job",
    "Membership": "member",
    "User": "person",
    "Invitation": "invitation",
    "Label": "label",
    "Board": "board",
    "Column": "column",
    "Group": "group",
    "CardSchedule": "schedule",
    "Sprint": "sprint",
    "BranchTask": "task",
    "Card": "card",
    "Subtask": "subtask",
    "KnowledgeItem": "knowledge",
    "PlannedFile": "planned",
    "PlanBatch": "plan",
    "Message": "message",
    "File": "file",
    "CardLink": "link",
    "Run": "run",
    "RunBatch": "batch",
    "AgentProfile": "profile",
    "ConnectedService": "connection",
    "Repository": "repository",
    "Watch": "watch",
    "WebhookEndpoint": "endpoint",
    "WebhookDelivery": "delivery",
    "PullRequest": "pull",
    "Worker": "worker",
    "Notification": "notice",
    "AgentSession": "conversation",
    "Question": "question",
    "AnswerRule": "rule",
    "Memory": "memory",
    "Document": "document",
    "DocumentLink": "doclink",
    "Check": "check",
    "DiffSnapshot": "diff",
    "ReviewThread": "thread",
    "ReviewFinding": "finding",
    "Approval": "approval",
}


KEY = """mutation($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { ... on ApiKeySecret { secret apiKey { id } } } }"""


class Tenant:
    """A workspace with one of everything, its people, and its keys. `actor(who)` signs in as one of them."""

    def __init__(self, app: Any, mark: str) -> None:
        self.app, self.mark = app, mark
        self.ids: dict[str, Any] = {}

    def actor(self, who: str) -> str:
        return f"{self.mark}{who}"

    def fill(self, value: Any) -> Any:
        """Put the tenant's ids and mark into a line of a table."""
        if isinstance(value, dict):
            return {key: self.fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, str) and value.startswith("$"):
            return self.ids[value[1:]]
        return value.replace("%", self.mark) if isinstance(value, str) else value

    async def mutate(self, name: str, input: dict[str, Any], actor: str) -> Any:
        """What a mutation answers: its typename, and a refusal's code or the id of what changed."""
        [answer] = await self.mutate_each(name, [input], actor)
        return answer

    async def mutate_each(self, name: str, inputs: list[dict[str, Any]], actor: str) -> list[Any]:
        """The same of one mutation with several inputs, one after the other in one operation."""
        kind = SCHEMA.mutation_type.fields[name].args["input"].type
        given = {f"i{n}": input for n, input in enumerate(inputs)}
        variables = ", ".join(f"${key}: {kind}" for key in given)
        fields = " ".join(f"{key}: {name}(input: ${key}) {outcome(name)}" for key in given)
        answer = await self.app.ask(f"mutation({variables}) {{ {fields} }}", actor, **given)
        failed = answer.get("errors")
        if failed and len(given) > 1:  # one that fails leaves the others without an answer
            return [await self.mutate(name, input, actor) for input in inputs]
        if failed:
            return [{"__typename": None, **failed[0]["extensions"], "said": failed}]
        return [answer["data"][key] for key in given]

    def texts(self) -> list[str]:
        """What nobody else may ever read."""
        return [self.mark, *(id for id in self.ids.values() if isinstance(id, str))]


async def tenant(app: Any, mark: str) -> Tenant:
    """Make a tenant through the public door."""
    made = Tenant(app, mark)
    for who in ("ann", "max", "vic"):
        id = await app.has_user(made.actor(who), None, workspace="none")
        made.ids.setdefault("admin", id)
    async with app.begin() as tx:
        for who in ("gus", "newcomer"):  # who never sign in
            await actions.account.add_user(tx, {"username": made.actor(who)}, None)
    for name, mutation, input in MAKES:
        answer = await made.mutate(mutation, made.fill(input), made.actor("ann"))
        assert "id" in answer, (name, answer)
        made.ids[name] = answer["id"]
    given = {"cardId": made.ids["card"], "name": f"{mark} file.txt"}
    signed = app.headers_of(made.actor("ann"))
    answer = await app.client.post("/files", content=mark.encode(), params=given, headers=signed)
    made.ids["file"] = answer.json()["id"]
    ask = "query($id: ID!) { node(id: $id) { ... on Membership { user { id } } } }"
    made.ids["person"] = (await app.data(ask, made.actor("ann"), id=made.ids["member"]))["user"]["id"]
    move = {"id": made.ids["card"], "destination": {"columnId": made.ids["other"]}}
    await made.mutate("moveCard", move, made.actor("ann"))
    await made.mutate(
        "moveCard", {**move, "destination": {"columnId": made.ids["column"]}}, made.actor("ann")
    )
    assign = {"cardId": made.ids["next"], "userId": made.ids["admin"]}
    await made.mutate("assignCard", assign, made.actor("max"))
    heard = await app.data("{ notifications { nodes { id } } }", made.actor("ann"))
    made.ids["notice"] = heard["nodes"][0]["id"]
    invite = {"workspaceId": made.ids["workspace"], "emails": [f"{mark}@example.org"]}
    assert (await made.mutate("inviteMembers", invite, made.actor("ann")))["__typename"] == "Invited"
    ask = "query($id: ID!) { workspace(id: $id) { invitations { nodes { id } } } }"
    workspace = await app.data(ask, made.actor("ann"), id=made.ids["workspace"])
    made.ids["invitation"] = workspace["invitations"]["nodes"][0]["id"]
    ask = "query($id: ID!) { card(id: $id) { revisions { seq } } }"
    card = await app.data(ask, made.actor("ann"), id=made.ids["card"])
    made.ids["revision"] = card["revisions"][0]["seq"]
    await _work(app, made)
    async with app.begin() as tx:
        where = made.ids["board"], made.ids["card"], made.ids["worker"]
        work = {"kind": "CODE", "tenant": made.ids["workspace"]}
        for place in ("board", "sibling"):
            await enqueue(tx, NewJob(id=f"{mark}_{place}", scope=made.ids[place], **work))
        row = PullRequest(
            workspace_id=made.ids["workspace"],
            repository_id=made.ids["repository"],
            origin=PullRequestOrigin.LINKED,
            number=1,
            title=f"{mark} pull request",
            head_branch=f"{mark}-branch",
        )
        tx.add(row)
        await tx.flush()
        link = {"card_id": made.ids["card"], "board_id": made.ids["board"]}
        tx.add(CardPullRequest(pull_request_id=row.id, **link))
        made.ids["pull"] = row.id
        endpoint = WebhookEndpoint(
            workspace_id=made.ids["workspace"],
            name=f"{mark} endpoint",
            format=EndpointFormat.STANDARD,
            url=f"https://{mark}.invalid/",
            secret="lost",
            is_enabled=False,
        )
        tx.add(endpoint)
        await tx.flush()
        delivery = EndpointDelivery(
            id=new_id("msg"),
            workspace_id=made.ids["workspace"],
            endpoint_id=endpoint.id,
            topic=f"board:{mark}",
            seq=1,
            event_type="CardMoved",
            attempts=1,
            status=EndpointDeliveryStatus.FAILED,
            error=mark,
        )
        tx.add(delivery)
        made.ids |= {"endpoint": endpoint.id, "delivery": delivery.id}
        watched = {"subject_id": made.ids["card"], "card_id": made.ids["card"], "board_id": made.ids["board"]}
        watch = Watch(user_id=made.ids["admin"], level=WatchLevel.MUTED, **watched)
        tx.add(watch)
        await tx.flush()
        made.ids["watch"] = watch.id
        made.ids["conversation"] = (await keep_session(tx, *where, f"{mark} talk", "SCRIPTED")).id
    async with app.begin() as tx:
        made.ids["job"] = await enqueue_job(tx, f"{mark} job", {}, workspace_id=made.ids["workspace"])
        await fail_job(tx, made.ids["job"], code="FAILED", reason=f"{mark} reason")
    for key, scopes, board in (
        ("read key", ["READ"], None),
        ("write key", ["WRITE"], None),
        ("spare key", ["READ"], None),
        ("worker key", ["WORKER"], None),
        ("board key", ["WRITE"], made.ids["board"]),
    ):
        given = {"workspaceId": made.ids["workspace"], "name": f"{mark} {key}", "scopes": scopes}
        answer = await app.data(
            KEY, made.actor("ann"), input={**given, **({"boardId": board} if board else {})}
        )
        app.tokens[made.actor(key)] = f"Bearer {answer['secret']}"
        made.ids[key] = answer["apiKey"]["id"]
    return made


async def _work(app: Any, made: Tenant) -> None:
    """A run that its worker holds, with a line in its log, which waits for the answers to two questions."""
    ann = made.actor("ann")
    worker = Hand(app, made.ids["worker"], ann)
    made.ids["run"] = await worker.take()
    await worker.report(made.ids["run"], "k", *(said | {"text": made.mark} for said in every_event()))
    text = {"type": "TEXT", "text": f"{made.mark}?"}
    asked = await worker.ask(made.ids["run"], {"key": "0", **text}, {"key": "1", **text})
    given = {
        "lease": worker.leases[made.ids["run"]],
        "sha": "abcdef12",
        "checks": [{**CHECK, "name": made.mark}],
    }
    reported = await app.data(REPORT_CHECKS, ann, input=given)
    made.ids["check"] = reported["checks"][0]["id"]
    hunks = f"@@ -0,0 +1 @@\n+{made.mark}"
    file = {"path": made.mark, "hunks": hunks, "hash": hashlib.sha256(hunks.encode()).hexdigest()}
    given = {"lease": worker.leases[made.ids["run"]], **NO_DIFF, "files": [file]}
    await app.data(REPORT_DIFF, ann, input=given)
    ask = "query($id: ID!) { run(id: $id) { diff { id } } }"
    made.ids["diff"] = (await app.data(ask, ann, id=made.ids["run"]))["diff"]["id"]
    remark = {"runId": made.ids["run"], "path": made.mark, "line": 1, "body": f"{made.mark} why?"}
    made.ids["thread"] = (await made.mutate("createReviewThread", remark, ann))["id"]
    async with app.begin() as tx:
        finding = ReviewFinding(
            board_id=made.ids["board"],
            card_id=made.ids["worked"],
            run_id=made.ids["run"],
            target_run_id=made.ids["run"],
            path=made.mark,
            severity=Severity.LOW,
            category=FindingCategory.STYLE,
            title=made.mark,
            description=made.mark,
            suggestion=made.mark,
            snippet=made.mark,
        )
        tx.add(finding)
        await tx.flush()
        made.ids["finding"] = finding.id
    await worker.say("releaseRun", made.ids["run"])  # a lease would run out meanwhile
    made.ids["question"], made.ids["doubt"] = [one["id"] for one in asked["questions"]]


_made: dict[
    str, Any
] = {}  # of the database that is copied, by its kind: its tenants' ids and everybody's tokens


@pytest.fixture
async def two(run: Any, fresh: Any, kind: str, templates: Any, tmp_path: Any) -> Any:
    """`async with two() as (app, home, away)`: the application with two tenants of one shape.

    `home`, whose secrets they are, and `away`, who asks. They are made once, and copied for each test.
    """

    files = templates["folder"] / "tenants-files"

    async def fill(url: str) -> None:
        async with run(url, **SERVED, files_url=str(files)) as app:
            made = [await tenant(app, mark) for mark in ("canary", "pigeon")]
            _made[kind] = {"ids": [one.ids for one in made], "tokens": app.tokens}

    @contextlib.asynccontextmanager
    async def start() -> AsyncIterator[tuple[Any, Tenant, Tenant]]:
        url = await fresh("tenants", fill)
        shutil.copytree(files, tmp_path / "files", dirs_exist_ok=True)
        async with run(url, **SERVED) as app:
            kept = copy.deepcopy(_made[kind])
            home, away = Tenant(app, "canary"), Tenant(app, "pigeon")
            home.ids, away.ids = kept["ids"]
            app.tokens |= kept["tokens"]
            yield app, home, away

    return start


def outcome(mutation: str) -> str:
    """Select what every answer of a mutation has."""
    kind = get_named_type(SCHEMA.mutation_type.fields[mutation].type)
    members = kind.types if isinstance(kind, GraphQLUnionType) else [kind]
    interfaces = {one.name for member in members for one in getattr(member, "interfaces", ())}
    parts = ["__typename"]
    parts += ["... on Refusal { code message }"] * ("Refusal" in interfaces)
    parts += ["... on Node { id }"] * ("Node" in interfaces)
    return f"{{ {' '.join(parts)} }}"


ALIASES = 25  # fields of an interface's types asked for in one operation
MANY = 10  # types of an interface whose fields are too many for one operation


def everything(kind: Any, depth: int, selected: set[str] | None = None) -> str:
    """Select all there is below a type, `depth` objects deep; lists two long. Notes each "Type.field".

    Of a node below another only its own words are selected: every node type is asked for by itself.
    """
    kind = get_named_type(kind)
    parts = ["__typename"]
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        if kind.name == "Node":
            return "{ __typename id }"
        for one in SCHEMA.get_possible_types(kind):
            # Each field by a name of its own: those of two types would be in each other's way.
            inner = fields_of(one, depth, selected, f"{one.name}_")
            parts.append(f"... on {one.name} {{ {' '.join(inner)} }}")
    else:
        parts += fields_of(kind, depth, selected, "")
    return "{ " + " ".join(parts) + " }"


def fields_of(kind: Any, depth: int, selected: set[str] | None, alias: str) -> list[str]:
    assert isinstance(kind, GraphQLObjectType), kind
    parts = []
    for name, said in kind.fields.items():
        inner = get_named_type(said.type)
        leaf = isinstance(inner, GraphQLScalarType | GraphQLEnumType)
        needs = [a for a, arg in said.args.items() if isinstance(arg.type, GraphQLNonNull)]
        needs = [a for a in needs if said.args[a].default_value is Undefined]
        if (depth == 0 and not leaf) or needs:
            continue
        if selected is not None:
            selected.add(f"{kind.name}.{name}")
        text = (f"{alias}{name}: " if alias else "") + name + ("(first: 2)" if "first" in said.args else "")
        if len(SCHEMA.get_possible_types(inner) if isinstance(inner, GraphQLInterfaceType) else ()) > MANY:
            parts.append(f"{text} {{ __typename }}")  # each of its types is asked for by itself
            continue
        is_node = "Node" in {one.name for one in getattr(inner, "interfaces", ())}
        below = 0 if is_node else depth - 1
        parts.append(text if leaf else f"{text} {everything(inner, below, selected)}")
    return parts


def each_field(kind: Any, selected: set[str] | None = None) -> Iterator[str]:
    """Selections that together ask for all that the items of a feed have, with or without an envelope."""
    fragments: list[str] = []
    kind, wrap = get_named_type(kind), "{{ seq {} }}"
    if isinstance(kind, GraphQLObjectType):
        envelope = fields_of(kind, 1, selected, "")
        yield "{ " + " ".join(text for text in envelope if not text.startswith("event ")) + " }"
        kind, wrap = get_named_type(kind.fields["event"].type), "{{ seq event {{ {} }} }}"
    for one in SCHEMA.get_possible_types(kind):
        inner = everything(one, 1, selected).replace("__typename ", "", 1)
        for text in re.findall(r"(\w+(?: \{.*?\})?)(?= \w| \})", inner[2:]):
            fragments.append(f"... on {one.name} {{ {one.name}_{text.split()[0]}: {text} }}")
    for count in range(0, len(fragments), ALIASES):
        yield wrap.format(" ".join(fragments[count : count + ALIASES]))


def asking(name: str, arguments: dict[str, Any], depth: int = 4, selected: set[str] | None = None) -> str:
    """A query of one field, with everything below it."""
    said = SCHEMA.query_type.fields[name]
    given = {**({"first": 2} if "first" in said.args else {}), **arguments}
    written = ", ".join(f"{key}: {json.dumps(value)}" for key, value in given.items())
    text = f"{name}({written})" if written else name
    inner = get_named_type(said.type)
    if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
        return f"{{ {text} }}"
    return f"{{ {text} {everything(inner, depth, selected)} }}"
