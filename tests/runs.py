"""Runs that a worker holds, for tests of what is said in them; and short ways to say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update

import actions.run.claim
import actions.run.finish
import actions.run.start
from actions.run.result import RunResultInput
from kit.db.database import utcnow
from kit.eventlog.tables import Topic
from kit.queue import Ticket
from models.actor import Actor
from models.board import Board
from models.run import RunKind, RunLogLine
from models.topic import run_topic
from models.worker import Worker
from models.workspace import Membership
from protocol.events import EVENTS
from protocol.rows import to_row

REPORT = """mutation($input: ReportRunEventsInput!) { reportRunEvents(input: $input) {
  __typename ... on RunReported { runId lastSeq duplicate } ... on Refusal { code message }
  ... on LeaseLost { runId attempt } ... on Invalid { issues { path message } } } }"""


@dataclass
class Held:
    """A run that a worker holds."""

    app: Any
    actor: Actor
    board: str
    card: str
    id: str
    ticket: Ticket

    @property
    def lease(self) -> dict[str, Any]:
        return {"runId": self.id, "attempt": self.ticket.attempt, "token": self.ticket.token}

    async def report(self, key: str, *events: dict[str, Any], actor: str = "", **lease: Any) -> Any:
        given = {"lease": {**self.lease, **lease}, "key": key, "events": list(events)}
        return await self.app.data(REPORT, actor, input=given)

    async def completes(self, summary: str = "Done") -> None:
        async with self.app.begin(self.actor) as tx:
            await actions.run.finish.complete_run(
                tx, self.actor, lease=self.ticket, result=RunResultInput(summary=summary)
            )

    async def releases(self) -> None:
        async with self.app.begin(self.actor) as tx:
            await actions.run.finish.release_run(tx, self.actor, lease=self.ticket)

    async def is_claimed_again(self) -> "Held":
        return Held(self.app, self.actor, self.board, self.card, self.id, await claimed(self.app, self.actor))


async def has_run(
    app: Any, *, board: str | None = None, card: str | None = None, actor: Actor | None = None
) -> Held:
    """A run on a card, claimed by a worker of the owner's or of `actor`."""
    actor = actor or app.owner
    if board is None or card is None:
        board, [card] = await app.has_board("Do it")
    async with app.begin(actor) as tx:
        [run] = (await actions.run.start.start_run(tx, actor, card_id=card, kind=RunKind.TEST)).runs
    held = Held(app, actor, board, card, run.id, await claimed(app, actor, board))
    async with app.begin(actor) as tx:  # what the server itself said until now would only be in the way
        await tx.execute(delete(RunLogLine).where(RunLogLine.topic == run_topic(run.id)))
        await tx.execute(update(Topic).where(Topic.name == run_topic(run.id)).values(last=0))
    return held


async def claimed(app: Any, actor: Actor, board: str | None = None) -> Ticket:
    """The lease of the next run, by a worker of its own."""
    async with app.begin(actor) as tx:
        worker = Worker(
            workspace_id=await workspace_of(tx, actor, board),
            owner_id=actor.id,
            board_id=board,
            name=f"Worker {utcnow().isoformat()}",
            executors=["SCRIPTED"],
            heard_at=utcnow(),
        )
        tx.add(worker)
        await tx.flush()
        [claim] = await actions.run.claim.claim_runs(tx, actor, worker.id)
    return Ticket(claim.run.id, claim.attempt, claim.token)


async def workspace_of(tx: Any, actor: Actor, board: str | None) -> str:
    if board is not None:
        return str(await tx.scalar(select(Board.workspace_id).where(Board.id == board)))
    return str(await tx.scalar(select(Membership.workspace_id).where(Membership.user_id == actor.id)))


def output(text: str, part: int = 0, *, chunk: bool = False, item: str = "1", **data: Any) -> dict[str, Any]:
    """Text that an agent says: a chunk of it, or a part that is kept."""
    said = {"item": item, "part": part, **data, **({"chunk": True} if chunk else {})}
    return {"type": "OUTPUT", "text": text, "data": said}


LEAST: dict[Any, Any] = {int: 1, str: "x"}


def every_event() -> Iterator[dict[str, Any]]:
    """An event of each type, with as little as it may say."""
    for kind in EVENTS.values():
        hints = {name: field.annotation for name, field in kind.model_fields.items()}
        needs = [name for name, field in kind.model_fields.items() if field.is_required()]
        yield to_row(kind(**{name: LEAST.get(hints[name]) or next(iter(hints[name])) for name in needs}))
