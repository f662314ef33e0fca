"""Reviews: threads, findings, and their mutations."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.finding
import actions.review
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node, object_type
from models.review_thread import (
    MAX_COMMENTS,
    MAX_FINDINGS,
    MAX_REVIEW_COMMENTS,
    DiffSide,
    FindingCategory,
    ReviewVerdict,
    Severity,
)
from models.review_thread import ReviewComment as CommentRow
from models.review_thread import ReviewThread as ThreadRow
from resolvers.card import CARD
from resolvers.review import COMMENTS_OF_THREAD, FINDING
from resolvers.run import RUN
from schema.actor import Actor, actor_named
from schema.fields import mutation, node_type, relation_field, result_type
from schema.refusal import Conflict, LeaseLost, StageRefused

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


def _author(root: CommentRow) -> Actor | None:
    return actor_named(root.author_id)


def _resolver(root: ThreadRow) -> Actor | None:
    return actor_named(root.resolved_by)


@object_type
class ReviewComment:
    """A comment of a thread; the first one opened it."""

    author: Actor | None = strawberry.field(
        resolver=_author, description="The author: a person, a key, or the agent of a run; null if unknown."
    )
    body: Annotated[str, "Markdown."]
    created_at: Annotated[datetime, "Time of creation."]


@node_type("finding")
class ReviewFinding(Node):
    """A finding of a REVIEW run about the work of a run."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID, "The REVIEW run."]
    target_run_id: Annotated[ID, "The run that it is about."]
    path: Annotated[str, "Path of the file."]
    line_start: Annotated[int | None, "First line; null: the whole file."]
    line_end: Annotated[int | None, "Last line; null: the whole file."]
    severity: Annotated[Severity, "The severity."]
    category: Annotated[FindingCategory, "The subject."]
    title: Annotated[str, "The finding in a line."]
    description: Annotated[str, "Markdown; may be empty."]
    suggestion: Annotated[str | None, "How to mend it; null if nothing is suggested."]
    snippet: Annotated[str | None, "The code that it is about; null if it is not quoted."]
    version: Annotated[int, "Increases by one with each change."]
    run: RunLater | None = relation_field(RUN, "run_id", text="The REVIEW run.")
    target_run: RunLater | None = relation_field(RUN, "target_run_id", text="The run that it is about.")
    fix_run: RunLater | None = relation_field(
        RUN, "fix_run_id", text="The run that was asked to mend it; null: none."
    )
    resolved_by_run: RunLater | None = relation_field(
        RUN, "resolved_by_run_id", text="The run that mended it; null until then."
    )


@node_type("thread")
class ReviewThread(Node):
    """A thread of comments on a line of a run's diff."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID, "The run whose diff has the line; the next run, once it was carried over."]
    first_run_id: Annotated[ID, "The run whose diff had the line when the thread was opened."]
    path: Annotated[str, "Path of the file."]
    side: Annotated[DiffSide, "The side of the diff."]
    line: Annotated[int | None, "Number of the line, from 1; null: the whole file."]
    line_text: Annotated[str, "Text of the line; empty for the whole file."]
    outdated: Annotated[bool, "Whether the line is gone from the newest diff."]
    resolved_at: Annotated[datetime | None, "Time of its resolution; null while it is open."]
    resolved_by: Actor | None = strawberry.field(
        resolver=_resolver, description="The actor that resolved it; null while it is open."
    )
    created_at: Annotated[datetime, "Time of creation."]
    version: Annotated[int, "Increases by one with each change."]
    comments: list[ReviewComment] = relation_field(
        COMMENTS_OF_THREAD, text=f"Its comments, oldest first; at most {MAX_COMMENTS}.", size=3
    )
    finding: ReviewFinding | None = relation_field(
        FINDING, "finding_id", text="The finding that opened it; null: a person did."
    )
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(RUN, "run_id", text="The run whose diff has the line.")


@result_type(actions.review.SubmittedReview)
class SubmittedReview:
    """A review that was submitted."""

    card: CardLater = strawberry.field(description="The card.")
    verdict: Annotated[ReviewVerdict, "The verdict."]
    threads: list[ReviewThread] = strawberry.field(
        description="The threads that it opened, in the order of its comments.",
        directives=[list_size(3, maximum=MAX_REVIEW_COMMENTS, slicing=())],
    )


@result_type(actions.finding.ReportedFindings)
class ReportedFindings:
    """Findings that were reported together."""

    findings: list[ReviewFinding] = strawberry.field(
        description="The findings, in the order of the input.",
        directives=[list_size(3, maximum=MAX_FINDINGS, slicing=())],
    )


@strawberry.type
class ReviewMutation:
    create_review_thread = mutation(
        actions.review.create_review_thread, ReviewThread, Conflict, requires=Access.BOARD
    )
    reply_to_thread = mutation(actions.review.reply_to_thread, ReviewThread, Conflict, requires=Access.BOARD)
    resolve_thread = mutation(actions.review.resolve_thread, ReviewThread, requires=Access.BOARD)
    submit_review = mutation(
        actions.review.submit_review, SubmittedReview, Conflict, StageRefused, requires=Access.BOARD
    )
    report_findings = mutation(
        actions.finding.report_findings, ReportedFindings, LeaseLost, Conflict, requires=Access.WORKER
    )
    report_findings_as_agent = mutation(
        actions.finding.report_findings_as_agent, ReportedFindings, LeaseLost, Conflict, requires=Access.AGENT
    )
    create_fix_run = mutation(
        actions.finding.create_fix_run, RunLater, StageRefused, Conflict, requires=Access.BOARD
    )
