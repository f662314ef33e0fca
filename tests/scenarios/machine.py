"""Drives runs through the public API in any order; after every step all that holds of runs is looked at.

There is no second model of runs: what the tables say after the step before tells whether a report must be taken.
"""

import asyncio
import threading
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from actions.run.sweep import sweep
from models.question import QuestionStatus
from models.run import TERMINAL
from runtime.database import utcnow
from tests.board import do
from tests.scenarios.invariants import World, broken, look
from tests.work import ANSWER, ASK, MOVE, START, WORDS, Hand, about_run, hand, set_policy

STAGES = ["BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"]
LOST = {"LeaseLost", "NotFound"}


class House:
    """The application, open in a thread of its own for as long as examples are run."""

    def __init__(self, run: Any) -> None:
        self.run, self.ready = run, threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self.thread.start()
        assert self.ready.wait(60)
        self.hands = [self.do(hand(self.app, name)) for name in ("one", "two")]

    async def _live(self) -> None:
        self.loop, self.end = asyncio.get_running_loop(), asyncio.Event()
        async with self.run(points=10**9, points_per_second=10**9) as self.app:
            self.ready.set()
            await self.end.wait()

    def do(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join(60)


class RunMachine(RuleBasedStateMachine):
    house: House  # set in a subclass

    pick = st.integers(0, 1_000)  # one of what there is, whatever it is

    def say(self, query: str, **input: Any) -> Any:
        return self.house.do(self.house.app.data(query, input=input))

    def do(self, field: str, **input: Any) -> Any:
        return self.house.do(do(self.house.app, field, **input))

    @initialize(
        concurrency=st.sampled_from([0, 1, 2]),
        no_change=st.sampled_from(["SUCCEED", "DECIDE"]),
        attempts=st.sampled_from([1, 2, 3]),
        auto=st.booleans(),
    )
    def begin(self, concurrency: int, no_change: str, attempts: int, auto: bool) -> None:
        app = self.house.app
        self.board, self.cards = self.house.do(app.has_board("One", "Two", "Three"))
        policy = {"concurrency": concurrency, "noChange": no_change, "maxAttempts": attempts}
        self.house.do(set_policy(app, self.board, autoDispatch=auto, **policy))
        for card in self.cards[:2]:
            self.say(MOVE, id=card, stage="TODO")
        self.leases: list[tuple[Hand, dict[str, Any]]] = []
        self.steps = 0

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "board"):
            self.world: World = self.house.do(look(self.house.app.house.database))
            assert broken(self.world) == []

    def runs(self, *, ended: bool) -> list[str]:
        mine = [run for run in self.world.runs.values() if run.board_id == self.board]
        return sorted(run.id for run in mine if (run.status in TERMINAL) == ended)

    def lives(self, lease: dict[str, Any]) -> bool:
        job = self.world.jobs[lease["runId"]]
        return bool(job.held and job.attempt == lease["attempt"])

    def lease(self, pick: int) -> tuple[Hand, dict[str, Any]]:
        """One of the leases there were, mostly one that still holds."""
        live = [one for one in self.leases if self.lives(one[1])]
        some = live if live and pick % 5 else self.leases
        return some[pick % len(some)]

    def report(self, name: str, pick: int, **input: Any) -> None:
        """A worker says something under one of its leases: taken exactly while it holds the run."""
        _, lease = self.lease(pick)
        answer = self.say(about_run(name), lease=lease, **input)
        kind = answer["__typename"]
        if not self.lives(lease):
            assert kind in LOST, (name, answer)
        elif name == "confirmStop":
            asked = self.world.runs[lease["runId"]].stop_requested_at
            assert kind == ("Run" if asked else "Conflict"), answer
        else:
            assert kind == "Run", (name, answer)

    has_leases = precondition(lambda self: bool(getattr(self, "leases", ())))
    has_cards = precondition(lambda self: bool(getattr(self, "cards", ())))

    @has_cards
    @rule(pick=pick, kind=st.sampled_from(["CODE", "CODE", "CODE", "PLAN", "REVIEW"]))
    def start(self, pick: int, kind: str) -> None:
        answer = self.say(START, cardId=self.cards[pick % len(self.cards)], kind=kind)
        assert answer["__typename"] in {"Runs", "StageRefused", "Conflict"}, answer

    @rule(pick=pick, most=st.sampled_from([1, 1, 2, 3]))
    def claim(self, pick: int, most: int) -> None:
        one = self.house.hands[pick % 2]
        for claim in self.house.do(one.claim(most)):
            lease = one.leases[claim["run"]["id"]]
            assert not any(lease == other for _, other in self.leases), "a lease was given twice"
            self.leases.append((one, lease))

    @has_leases
    @rule(pick=pick)
    def speak(self, pick: int) -> None:
        hand, lease = self.lease(pick)
        hand.leases[lease["runId"]] = lease
        self.steps += 1
        answer = self.house.do(
            hand.report(lease["runId"], f"k{self.steps}", {"type": "OUTPUT", "text": "Word"})
        )
        assert (answer["__typename"] == "RunReported") == self.lives(lease), answer

    @has_leases
    @rule(pick=pick, outcome=st.sampled_from(["CHANGES", "NO_CHANGES"]))
    def complete(self, pick: int, outcome: str) -> None:
        self.report("completeRun", pick, result={"summary": "Done", "outcome": outcome, "branch": "b"})

    @has_leases
    @rule(pick=pick, retryable=st.booleans())
    def fail(self, pick: int, retryable: bool) -> None:
        self.report("failRun", pick, code="AGENT_ERROR", reason="Broken", retryable=retryable)

    @has_leases
    @rule(pick=pick)
    def release(self, pick: int) -> None:
        self.report("releaseRun", pick)

    @has_leases
    @rule(pick=pick)
    def confirm(self, pick: int) -> None:
        self.report("confirmStop", pick)

    @has_leases
    @rule(pick=pick, blocking=st.booleans())
    def ask(self, pick: int, blocking: bool) -> None:
        self.steps += 1
        _, lease = self.lease(pick)
        given = {"key": f"q{self.steps}", "questions": [{**WORDS, "blocking": blocking}]}
        kind = self.say(ASK, lease=lease, **given)["__typename"]
        if not self.lives(lease):
            assert kind in LOST
        else:
            asked = self.world.runs[lease["runId"]].stop_requested_at
            assert kind == ("Conflict" if asked else "Questions")

    @rule(pick=pick, cancel=st.booleans())
    def answer(self, pick: int, cancel: bool) -> None:
        asked = [q for q in self.world.questions if self.world.runs[q.run_id].board_id == self.board]
        if asked:
            question = asked[pick % len(asked)]
            if cancel:
                kind = self.do("cancelQuestion", id=question.id)["__typename"]
            else:
                kind = self.say(ANSWER, id=question.id, text="Yes")["__typename"]
            assert kind == ("Question" if question.status is QuestionStatus.OPEN else "Conflict")

    @rule(pick=pick)
    def stop(self, pick: int) -> None:
        if runs := self.runs(ended=False):
            assert self.say(about_run("stopRun"), id=runs[pick % len(runs)])["__typename"] == "Run"

    @rule(pick=pick, ended=st.booleans(), name=st.sampled_from(["resumeRun", "retryRun", "concludeRun"]))
    def take_up(self, pick: int, ended: bool, name: str) -> None:
        if runs := self.runs(ended=ended):
            kind = self.say(about_run(name), id=runs[pick % len(runs)])["__typename"]
            assert kind in {"Run", "Conflict", "StageRefused"}

    @has_leases
    @rule(pick=pick)
    def expire(self, pick: int) -> None:
        """A worker was not heard for the length of its lease."""
        _, lease = self.lease(pick)
        self.age("UPDATE attempt SET lease_until = heartbeat_at WHERE job_id = :id", lease["runId"])
        self.house.do(sweep(self.house.app.house.feed, utcnow()))

    @has_leases
    @rule(pick=pick)
    def wait(self, pick: int) -> None:
        """The time passes after which what failed is tried again."""
        _, lease = self.lease(pick)
        self.age("UPDATE job SET available_at = enqueued_at WHERE id = :id", lease["runId"])

    def age(self, statement: str, id: str) -> None:
        async def pass_by() -> None:
            async with self.house.app.house.database.write() as tx:
                await tx.execute(text(statement), {"id": id})

        self.house.do(pass_by())

    @has_cards
    @rule(pick=pick, stage=st.sampled_from(STAGES), cancel=st.booleans())
    def move(self, pick: int, stage: str, cancel: bool) -> None:
        card = self.cards[pick % len(self.cards)]
        answer = self.say(MOVE, id=card, stage=stage, cancelRun=cancel)
        assert answer["__typename"] in {"Card", "StageRefused"}, answer

    @precondition(lambda self: len(getattr(self, "cards", ())) > 1)
    @rule(pick=pick, cancel=st.booleans())
    def delete(self, pick: int, cancel: bool) -> None:
        card = self.cards[pick % len(self.cards)]
        kind = self.do("deleteCard", id=card, cancelRun=cancel)["__typename"]
        active = [r for r in self.world.runs.values() if r.card_id == card and r.status not in TERMINAL]
        assert kind == ("Conflict" if active and not cancel else "Card")
        if kind == "Card":
            self.cards.remove(card)

    def teardown(self) -> None:
        if hasattr(self, "board"):
            self.do("deleteBoard", id=self.board, confirmName="Web", cancelRuns=True)
