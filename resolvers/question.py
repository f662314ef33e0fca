"""How questions are answered, and the adapters of asking and answering them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID, Parent

import actions.question
from actions.question import NewQuestion
from auth.authentication import check
from auth.locking import lock_own_run
from auth.permissions import sees_card
from kit.graphql.broadcast.broadcast import Delivery
from kit.graphql.types import input_type
from models.events.feed import FeedStarted
from models.events.question import QuestionEvent
from models.question import Question, QuestionStatus, QuestionType
from models.refusal import Invalid
from models.topic import run_topic
from resolvers import feed
from resolvers.context import Info
from resolvers.follow import long_poll
from resolvers.lease import LeaseInput
from resolvers.loaders import Relation
from resolvers.pagination import After, Before, First, Last, Order, Page, PaginatedQuery, load_page
from resolvers.pagination import PageArgs as Asked

QUESTION = Relation(
    select(Question.__table__),
    Question.id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    alike=True,
)
QUESTIONS_OF_RUN = Relation(
    select(Question.__table__).order_by(Question.created_at, Question.place, Question.id),
    Question.run_id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    many=True,
    alike=True,
)
OPEN_QUESTIONS_OF_CARD = Relation(
    select(Question.__table__).where(Question.status == QuestionStatus.OPEN).order_by(Question.id),
    Question.card_id,
    lambda actor: sees_card(actor, Question.board_id, Question.card_id),
    many=True,
    alike=True,
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
MAX_WAIT_SECONDS = 25  # seconds an agent may wait for an answer in one request: an operation has 30
OLDEST = Order("OLDEST", ((Question.id, False),))
EVENT_KINDS = {cls.kind for cls in QuestionEvent.__subclasses__()} | {FeedStarted.kind}


@input_type
class QuestionFilter:
    """Which questions. What is left out does not matter, but for the state: without one, those that are open."""

    board_id: Annotated[ID | None, "On this board."] = None
    card_id: Annotated[ID | None, "On this card."] = None
    run_id: Annotated[ID | None, "Of this run."] = None
    status: Annotated[list[QuestionStatus] | None, "In one of these states; open ones if left out."] = None


@input_type
class OptionInput:
    """An answer that is offered."""

    label: Annotated[str, "What it says: 1 to 200 characters; it is what an answer names."]
    description: Annotated[str, "What choosing it means."] = ""
    recommended: Annotated[bool, "Whether the asker would choose it."] = False


@input_type
class QuestionInput:
    """One of the questions that are asked together."""

    key: Annotated[str, "The asker's name for it, in the answer."]
    text: Annotated[str, "The question: 1 to 10,000 characters."]
    header: Annotated[str, "A word or two to tell it apart: at most 40 characters."] = ""
    type: Annotated[QuestionType, "What an answer consists of."] = QuestionType.TEXT
    options: Annotated[list[OptionInput] | None, "What is offered: at most 12."] = None
    allow_other: Annotated[bool, "Whether an answer in other words is taken too."] = True
    blocking: Annotated[bool, "Whether the run waits for the answer."] = True
    default: Annotated[list[str] | None, "What holds when nobody answers in time; labels or own words."] = (
        None
    )

    def told(self) -> NewQuestion:
        return NewQuestion(
            key=self.key,
            text=self.text,
            header=self.header,
            type=self.type,
            options=_plain(self.options),
            allow_other=self.allow_other,
            blocking=self.blocking,
            default=self.default,
        )


def _plain(options: list[OptionInput] | None) -> list[dict[str, Any]]:
    return [
        {"label": one.label, "description": one.description, "recommended": one.recommended}
        for one in options or ()
    ]


class Questions:
    """Questions that were asked together."""

    def __init__(self, questions: list[Question]) -> None:
        self.questions = questions


async def questions(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Annotated[QuestionFilter | None, "Only questions that fit; the open ones if left out."] = None,
) -> Page:
    """The inbox: questions of every board you may see, oldest first; without a filter, the open ones."""
    filter = filter or QuestionFilter()
    where: list[Any] = [Question.status.in_(filter.status or [QuestionStatus.OPEN])]
    for column, value in (
        (Question.board_id, filter.board_id),
        (Question.card_id, filter.card_id),
        (Question.run_id, filter.run_id),
    ):
        if value is not None:
            where.append(column == value)
    ask = Asked(first, after, last, before)
    return await load_page(info.context, QUESTIONS, OLDEST, ask, None, where, repr(filter))


async def questions_of_card(
    root: Parent[Any],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page:
    """What was asked about it, oldest first, the answered ones included."""
    return await load_page(
        info.context, QUESTIONS_OF_CARD, OLDEST, Asked(first, after, last, before), root.id
    )


async def ask_questions(
    info: Info,
    lease: Annotated[LeaseInput, "The lease the run is held by."],
    key: Annotated[str, "Names what is asked together, in the answer; sent again, nothing is asked twice."],
    questions: Annotated[list[QuestionInput], "1 to 4 questions."],
    session_id: Annotated[str | None, "The agent program's own name for the conversation."] = None,
    expires_in_seconds: Annotated[
        int | None, "Until it expires; as the board's policy says if left out."
    ] = None,
) -> Any:
    """Ask people. The run WAITS until every question that blocks is closed; the worker may wait with it, or die.

    The answer comes as an ANSWER command to the worker that holds the run, else with the run's next claim.
    """
    async with info.context.transaction() as tx:
        asked = await actions.question.ask_questions(
            tx,
            info.context.actor,
            lease.ticket(),
            key,
            [one.told() for one in questions],
            session_id=session_id,
            seconds=expires_in_seconds,
        )
        return Questions(asked)


async def ask_question(
    info: Info,
    card_id: Annotated[ID, "About which card."],
    text: Annotated[str, "The question: 1 to 10,000 characters."],
    header: Annotated[str, "A word or two to tell it apart: at most 40 characters."] = "",
    type: Annotated[QuestionType, "What an answer consists of."] = QuestionType.TEXT,
    options: Annotated[list[OptionInput] | None, "What is offered: at most 12."] = None,
    allow_other: Annotated[bool, "Whether an answer in other words is taken too."] = True,
    expires_in_seconds: Annotated[int | None, "Until it expires; never if left out."] = None,
) -> Any:
    """Ask something about a card while it is planned. No run waits for it, and the card may move.

    It stands in the inbox like any other, and keeps its answer. At most 20 of a card are open.
    """
    asked = NewQuestion(
        key="0",
        text=text,
        header=header,
        type=type,
        options=_plain(options),
        allow_other=allow_other,
        blocking=False,
    )
    async with info.context.transaction() as tx:
        return await actions.question.ask_about_card(
            tx, info.context.actor, card_id, asked, seconds=expires_in_seconds
        )


async def ask_as_agent(
    info: Info,
    key: Annotated[str, "Names what is asked together; asked again with it, nothing is asked twice."],
    questions: Annotated[list[QuestionInput], "1 to 4 questions."],
    expires_in_seconds: Annotated[
        int | None, "Until it expires; as the board's policy says if left out."
    ] = None,
) -> Any:
    """Ask people, as the agent of a run under the run's own credential. `awaitAnswers` waits for the answer.

    The run WAITS until every question that blocks is closed. A Conflict says that the key was used for something
    else. An agent that begins anew and asks the same again is given the same questions, with their answers.
    """
    async with info.context.transaction() as tx:
        actor = info.context.actor
        board, run = await lock_own_run(tx, actor)
        asked = await actions.question.ask_as_agent(
            tx,
            actor,
            board,
            run,
            actor.attempt or 0,
            key,
            [one.told() for one in questions],
            seconds=expires_in_seconds,
        )
        return Questions(asked)


async def await_answers(
    info: Info,
    key: Annotated[str, "What was asked, by the name it was asked under."],
    wait: Annotated[float, "Seconds to wait until all of it is closed: 0 to 25."] = 0,
) -> Any:
    """What an agent asked under its run's own credential, as it stands. Empty where nothing was asked so.

    With `wait` it is answered as soon as the last of its questions is closed, or when the time is over: ask again
    then. When the run's attempt ends meanwhile, that is the error UNAUTHENTICATED.
    """
    if not 0 <= wait <= MAX_WAIT_SECONDS:
        raise Invalid(("wait", f"must be 0 to {MAX_WAIT_SECONDS} seconds"))
    context = info.context
    if context.actor.run_id is None:
        return []
    mine = (
        sees_card(context.actor, Question.board_id, Question.card_id),
        Question.run_id == context.actor.run_id,
    )
    query = select(Question.__table__).where(*mine, Question.group_key == key).order_by(Question.place)

    async def attempt(is_first: bool) -> tuple[Sequence[Any], bool]:
        if not is_first:
            await check(context.services, context.actor)
        await context.refresh()
        rows = await context.read(query)
        return rows, all(row.status != QuestionStatus.OPEN for row in rows)

    return await long_poll(context, run_topic(context.actor.run_id), wait, attempt)


async def answer_question(
    info: Info,
    id: Annotated[ID, "Which question."],
    options: Annotated[list[str] | None, "The labels of what is chosen: one, or for MULTI several."] = None,
    text: Annotated[str | None, "An answer in other words, where the question takes one."] = None,
) -> Any:
    """Answer a question. The first answer holds; after it, or when the question is not open, a Conflict says so.

    With the last question that blocked its run answered, the run goes on: with its worker, or with any other.
    """
    async with info.context.transaction() as tx:
        return await actions.question.answer_question(
            tx, info.context.actor, id, options=options or (), text=text
        )


async def cancel_question(info: Info, id: Annotated[ID, "Which question. It is open."]) -> Any:
    """Take a question back: nobody need answer it. Its run goes on without an answer."""
    async with info.context.transaction() as tx:
        return await actions.question.cancel_question(tx, info.context.actor, id)


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
            if not isinstance(step, Delivery) or step.item.kind in EVENT_KINDS:
                yield step
