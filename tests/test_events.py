"""Event classes: what is stored is read again, and every field of the API is described."""

import inspect
from datetime import UTC, datetime

from kit.graphql.types import split_description
from models.events import EVENT_TYPES
from models.events.feed import FeedStarted
from models.events.run import RunRequeued

# Rows are stored under these names: a class that is renamed keeps its kind, or a migration renames the rows.
STORED_KINDS = [
    "ADDRESS_CONFIRMED",
    "IDENTITY_LINKED",
    "IDENTITY_UNLINKED",
    "INVITATION_CREATED",
    "INVITATION_RESENT",
    "INVITATION_REVOKED",
    "INVITATION_ACCEPTED",
    "INVITATION_DELIVERY_CHANGED",
    "BOARD_CREATED",
    "BOARD_UPDATED",
    "BOARD_ARCHIVED",
    "BOARD_UNARCHIVED",
    "BOARD_DELETED",
    "COLUMN_CREATED",
    "COLUMN_UPDATED",
    "COLUMN_MOVED",
    "COLUMN_DELETED",
    "CARD_CREATED",
    "CARD_UPDATED",
    "CARD_MOVED",
    "CARD_ARCHIVED",
    "CARD_UNARCHIVED",
    "CARD_DELETED",
    "CARD_LINKED",
    "CARD_UNLINKED",
    "SUBTASK_CREATED",
    "SUBTASK_UPDATED",
    "SUBTASK_MOVED",
    "SUBTASK_DELETED",
    "LABEL_ADDED",
    "LABEL_REMOVED",
    "ASSIGNEE_ADDED",
    "ASSIGNEE_REMOVED",
    "MESSAGE_POSTED",
    "MESSAGE_EDITED",
    "MESSAGE_DELETED",
    "WORKSPACE_CREATED",
    "WORKSPACE_UPDATED",
    "WORKSPACE_DELETED",
    "MEMBER_JOINED",
    "MEMBER_ROLE_CHANGED",
    "MEMBER_REMOVED",
    "LABEL_CREATED",
    "LABEL_UPDATED",
    "LABEL_DELETED",
    "API_KEY_CREATED",
    "API_KEY_REVOKED",
    "BOARD_MOVED",
    "USER_REGISTERED",
    "USER_UPDATED",
    "PASSWORD_CHANGED",
    "SESSION_STARTED",
    "SESSIONS_REVOKED",
    "ASSIGNED",
    "UNASSIGNED",
    "BOARD_POLICY_UPDATED",
    "RUN_QUEUED",
    "RUN_CLAIMED",
    "RUN_STARTED",
    "RUN_PROGRESS",
    "RUN_WAITING",
    "RUN_RESUMED",
    "RUN_REQUEUED",
    "RUN_STOPPING",
    "RUN_CONCLUDING",
    "RUN_SUCCEEDED",
    "RUN_FAILED",
    "RUN_CANCELLED",
    "BATCH_ENDED",
    "RUN_CHOSEN",
    "QUESTION_ASKED",
    "QUESTION_ANSWERED",
    "QUESTION_EXPIRED",
    "QUESTION_CANCELLED",
    "WORKER_REGISTERED",
    "WORKER_DEREGISTERED",
    "AGENT_PROFILE_CREATED",
    "AGENT_PROFILE_UPDATED",
    "AGENT_PROFILE_DELETED",
    "NOTIFIED",
    "RANKS_REWRITTEN",
    "CARD_APPROVED",
    "CARD_APPROVAL_WITHDRAWN",
    "CHECKS_RECORDED",
    "REVIEW_COMPLETED",
    "BOARD_CONTEXT_UPDATED",
    "DOCUMENT_CREATED",
    "DOCUMENT_UPDATED",
    "DOCUMENT_DELETED",
    "DOCUMENT_LINKED",
    "DOCUMENT_UNLINKED",
    "GROUP_CREATED",
    "GROUP_UPDATED",
    "GROUP_MOVED",
    "GROUP_DELETED",
    "PLAN_PROPOSED",
    "PLAN_APPLIED",
    "PLAN_REFUSED",
    "APPROVAL_REQUESTED",
    "APPROVAL_DECIDED",
    "APPROVAL_CANCELLED",
    "MERGE_STARTED",
    "MERGE_CONFLICTS",
    "MERGE_RESOLVED",
    "MERGE_COMPLETED",
    "MERGE_FAILED",
    "MERGE_ABORTED",
    "KNOWLEDGE_ADDED",
    "KNOWLEDGE_UPDATED",
    "KNOWLEDGE_MOVED",
    "KNOWLEDGE_DELETED",
    "PLANNED_FILE_ADDED",
    "PLANNED_FILE_UPDATED",
    "PLANNED_FILE_MOVED",
    "PLANNED_FILE_DELETED",
    "PULL_REQUEST_LINKED",
    "PULL_REQUEST_UNLINKED",
    "PULL_REQUEST_OPENED",
    "PULL_REQUEST_UPDATED",
    "PULL_REQUEST_MERGED",
    "PULL_REQUEST_CLOSED",
    "CI_CHANGED",
    "REVIEW_THREAD_OPENED",
    "REVIEW_THREAD_REPLIED",
    "REVIEW_THREAD_RESOLVED",
    "REVIEW_THREAD_REOPENED",
    "REVIEW_THREAD_CARRIED_OVER",
    "DIFF_CHANGED",
    "CONNECTION_CREATED",
    "CONNECTION_UPDATED",
    "CONNECTION_DELETED",
    "REPOSITORY_CONNECTED",
    "REPOSITORY_UPDATED",
    "REPOSITORY_DISCONNECTED",
    "ANSWER_RULE_CREATED",
    "ANSWER_RULE_UPDATED",
    "ANSWER_RULE_MOVED",
    "ANSWER_RULE_DELETED",
    "WEBHOOK_ENDPOINT_CREATED",
    "WEBHOOK_ENDPOINT_UPDATED",
    "WEBHOOK_SECRET_ROTATED",
    "WEBHOOK_ENDPOINT_DISABLED",
    "WEBHOOK_ENDPOINT_DELETED",
    "FILE_ATTACHED",
    "FILE_DELETED",
    "SECOND_FACTOR_ADDED",
    "SECOND_FACTOR_REMOVED",
]


def test_stored_names_stay():
    assert sorted(EVENT_TYPES) == sorted([*STORED_KINDS, FeedStarted.kind])


def test_a_field_is_described_or_only_stored():
    """A description is a sentence; a field without one is in no type of the API."""
    for cls in EVENT_TYPES.values():
        assert inspect.getdoc(cls).endswith("."), cls
        for base in cls.__mro__:
            for name, annotation in inspect.get_annotations(base).items():
                text = split_description(annotation)[1]
                assert text is None or text.endswith("."), (cls, name)


def test_a_payload_is_json():
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    run = {"card_id": "card_1", "run_id": "run_1", "run_kind": "CODE", "status": "QUEUED", "attempt": 1}
    event = RunRequeued(**run, wait_reason=None, failure_code=None, reason=None, available_at=at, cause=None)
    nothing = dict.fromkeys(("wait_reason", "failure_code", "reason", "cause"))
    assert event.payload({}) == {**run, **nothing, "available_at": "2026-01-31T12:00:00+00:00"}
    assert (event.kind, event.subject) == ("RUN_REQUEUED", "card_1")
