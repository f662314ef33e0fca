"""Checks: the type and its mutation."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import actions.check
from auth.permissions import Access
from kit.graphql.limits.list_size import list_size
from kit.graphql.types import Node
from models.check import MAX_CHECKS, CheckKind, CheckStatus
from resolvers.card import CARD
from resolvers.run import RUN
from schema.fields import mutation, node_type, relation_field, result_type
from schema.refusal import LeaseLost

CardLater: Any = Annotated["Card", strawberry.lazy("schema.card")]
RunLater: Any = Annotated["Run", strawberry.lazy("schema.run")]


@node_type("check")
class Check(Node):
    """The newest result of one check of one commit of a card."""

    board_id: Annotated[ID, "The board."]
    card_id: Annotated[ID, "The card."]
    run_id: Annotated[ID | None, "The run that was checked; null: the result is of a code host."]
    sha: Annotated[str, "The commit."]
    kind: Annotated[CheckKind, "The kind."]
    name: Annotated[str, "The name, unique for a kind and a commit."]
    status: Annotated[CheckStatus, "The status."]
    exit_code: Annotated[int | None, "Exit code of its command; null if it has none."]
    output: Annotated[str, "Its output: at most 65,536 bytes of the head and the tail."]
    url: Annotated[str | None, "Page of the result; null if there is none."]
    seconds: Annotated[float | None, "Its duration in seconds; null if unknown."]
    finished_at: Annotated[datetime | None, "Time of its end; null while it is PENDING."]
    version: Annotated[int, "Increases by one with each change."]
    card: CardLater | None = relation_field(CARD, "card_id", text="The card.")
    run: RunLater | None = relation_field(
        RUN, "run_id", text="The run that was checked; null if there is none."
    )


@result_type(actions.check.RecordedChecks)
class RecordedChecks:
    """The checks of a commit after results were recorded."""

    checks: list[Check] = strawberry.field(
        description="All checks of the commit, by kind and name.",
        directives=[list_size(5, maximum=MAX_CHECKS, slicing=())],
    )


@strawberry.type
class CheckMutation:
    report_checks = mutation(actions.check.report_checks, RecordedChecks, LeaseLost, requires=Access.WORKER)
