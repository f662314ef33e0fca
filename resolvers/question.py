"""Reads of questions, and the operations on them that wait or hold a lease."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, cast

from sqlalchemy import ColumnElement, select
from strawberry import ID, Parent

import actions.question
from actions.lease import LeaseInput
from actions.question import ExpiresInSeconds, QuestionInput, Questions
from auth.authentication import check_credential
from auth.permissions import sees_card
from kit.graphql.broadcast.broadcast import Delivery, DeliveryPage
from kit.graphql.types import input_type
from kit.queue import Ticket
from models.card import Card
from models.events.feed import FeedStarted
from models.events.question import QuestionEvent
from models.question import Question, QuestionStatus
from models.refusal import Invalid
from models.topic import run_topic
from resolvers import feed
from resolvers.context import Info
from resolvers.follow import long_poll
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PageArgs, PaginatedQuery, load_page

QUESTION = Relation(
    select(Question.__table__),
    Question.id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    viewer_independent=True,
)
QUESTIONS_OF_RUN = Relation(
    select(Question.__table__).order_by(Question.created_at, Question.place, Question.id),
    Question.run_id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    many=True,
    viewer_independent=True,
)
OPEN_QUESTIONS_OF_CARD = Relation(
    select(Question.__table__).where(Question.status == QuestionStatus.OPEN).order_by(Question.id),
    Question.card_id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    many=True,
    viewer_independent=True,
)
QUESTIONS = PaginatedQuery(
    "questions",
    select(Question.__table__),
    None,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
)
QUESTIONS_OF_CARD = PaginatedQuery(
    "card.questions",
    select(Question.__table__),
    Question.card_id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
)
MAX_WAIT_SECONDS = 25  # of one request, below the time limit of an operation, 30 s
OLDEST = Order("OLDEST", ((Question.id, False),))
EVENT_KINDS = {cls.kind for cls in QuestionEvent.__subclasses__()} | {FeedStarted.kind}


@input_type
class QuestionFilter:
    """Conditions on questions, all of which must hold. Without `status`, open questions match."""

    board_id: Annotated[ID | None, "On this board."] = None
    card_id: Annotated[ID | None, "About this card."] = None
    run_id: Annotated[ID | None, "Of this run."] = None
    status: Annotated[list[QuestionStatus] | None, "In one of these states; default: OPEN."] = None


async def questions(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[QuestionFilter | None, "Only questions that match; default: open ones."] = None,
) -> Page:
    """Questions of all boards that you may see, oldest first; without a filter, the open ones."""
    filter = filter or QuestionFilter()
    where: list[ColumnElement[bool]] = [Question.status.in_(filter.status or [QuestionStatus.OPEN])]
    for column, value in (
        (Question.board_id, filter.board_id),
        (Question.card_id, filter.card_id),
        (Question.run_id, filter.run_id),
    ):
        if value is not None:
            where.append(column == value)
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, QUESTIONS, OLDEST, page, None, where, repr(filter))


async def questions_of_card(
    root: Parent[Card],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """The questions about it, oldest first, open and closed."""
    page = PageArgs(first, after, last, before)
    return await load_page(info.context, QUESTIONS_OF_CARD, OLDEST, page, root.id)


async def ask_questions(
    info: Info,
    lease: Annotated[LeaseInput, "The lease that holds the run."],
    key: Annotated[
        str, "The name of this group of questions, 1 to 100 characters. Reusing it asks nothing twice."
    ],
    questions: Annotated[list[QuestionInput], "1 to 4 questions."],
    session_id: Annotated[str | None, "The agent program's own name for the session."] = None,
    expires_in_seconds: ExpiresInSeconds = None,
) -> Questions:
    """Ask people about a run. The run is WAITING until every blocking question is closed.

    The worker that holds the run gets the answers as an ANSWER command; otherwise the next claim of the run gets
    them. Raises LeaseLost, or Conflict if the run is being stopped or has 20 open questions.
    """
    async with info.context.transaction() as tx:
        return await actions.question.ask_questions(
            tx,
            info.context.actor,
            cast(Ticket, lease),
            key,
            questions,
            session_id=session_id,
            seconds=expires_in_seconds,
        )


async def await_answers(
    info: Info,
    key: Annotated[str, "The name of the group of questions."],
    wait: Annotated[float, "Seconds to wait until all are closed, 0 to 25."] = 0,
) -> Sequence[Question]:
    """The questions of one group that an agent asked with its run's credential; empty if there are none.

    With `wait` the response comes when the last of them is closed or the time is over; then call it again. Raises
    UNAUTHENTICATED if the run's attempt ends meanwhile.
    """
    if not 0 <= wait <= MAX_WAIT_SECONDS:
        raise Invalid(("wait", f"must be 0 to {MAX_WAIT_SECONDS} seconds"))
    context = info.context
    if context.actor.run_id is None:
        return []
    of_run = (
        sees_card(context.actor, Question.board_id, Question.card_id),
        Question.run_id == context.actor.run_id,
    )
    query = select(Question.__table__).where(*of_run, Question.group_key == key).order_by(Question.place)

    async def attempt(is_first: bool) -> tuple[Sequence[Question], bool]:
        if not is_first:
            await check_credential(context.services, context.actor)
        await context.refresh()
        rows = await context.read(query)
        return rows, all(row.status != QuestionStatus.OPEN for row in rows)

    return await long_poll(context, run_topic(context.actor.run_id), wait, attempt)


async def question_feed(
    info: Info,
    board_id: Annotated[ID, "The board."],
    after: feed.After = None,
) -> AsyncGenerator[Any, None]:
    """Questions of a board as they are asked and closed: the events of `boardFeed` that are about questions.

    Numbers and cursors are those of the board's feed, so `seq` jumps. Resuming after a cursor loses nothing.
    """
    async with aclosing(feed.board_feed(info, board_id, after)) as steps:
        async for step in steps:
            if isinstance(step, DeliveryPage):
                step = DeliveryPage([each for each in step.deliveries if each.item.kind in EVENT_KINDS])
            if not isinstance(step, Delivery) or step.item.kind in EVENT_KINDS:
                yield step
