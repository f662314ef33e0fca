"""Drives runs through the public API in any order; after every step all that holds of runs is looked at.

There is no second model of runs: what the tables say after the step before tells whether a report must be taken.
"""

import asyncio
import threading
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from actions.run.sweep import sweep
from kit.db.database import utcnow
from models.question import QuestionStatus
from models.run import TERMINAL
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
    services: House  # set in a subclass

    pick = st.integers(0, 1_000)  # one of what there is, whatever it is

    def say(self, query: str, **input: Any) -> Any:
        return self.services.do(self.services.app.data(query, input=input))

    def do(self, field: str, **input: Any) -> Any:
        return self.services.do(do(self.services.app, field, **input))

    @initialize(
        concurrency=st.sampled_from([0, 1, 2]),
        no_change=st.sampled_from(["SUCCEED", "DECIDE"]),
        attempts=st.sampled_from([1, 2, 3]),
        auto=st.booleans(),
    )
    def begin(self, concurrency: int, no_change: str, attempts: int, auto: bool) -> None:
        app = self.services.app
        self.board, self.cards = self.services.do(app.has_board("One", "Two", "Three"))
        policy = {"concurrency": concurrency, "noChange": no_change, "maxAttempts": attempts}
        self.services.do(set_policy(app, self.board, autoDispatch=auto, **policy))
        for card in self.cards[:2]:
            self.say(MOVE, id=card, destination={"stage": "TODO"})
        self.leases: list[tuple[Hand, dict[str, Any]]] = []
        self.steps = 0

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "board"):
            self.world: World = self.services.do(look(self.services.app.services.database))
            found = broken(self.world)
            assert not found, "\n".join(found)

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

    worker = ["claim", "speak", "complete", "fail", "ask", "ask", "release", "confirm"]
    people = ["start", "start", "answer", "answer", "stop", "take_up", "move", "move", "delete"]
    clock = ["expire", "wait"]

    # Three rules, not sixteen: so much of an example is work, whatever else happens in it.
    @rule(what=st.sampled_from(worker * 2 + clock), pick=pick, flag=st.booleans())
    def work(self, what: str, pick: int, flag: bool) -> None:
        getattr(self, what if self.leases else "claim")(pick, flag)

    @rule(what=st.sampled_from(worker), pick=pick, flag=st.booleans())
    def work_more(self, what: str, pick: int, flag: bool) -> None:
        getattr(self, what if self.leases else "claim")(pick, flag)

    @rule(what=st.sampled_from(people), pick=pick, flag=st.booleans())
    def decide(self, what: str, pick: int, flag: bool) -> None:
        getattr(self, what)(pick, flag)

    def card(self, pick: int) -> str:
        return str(self.cards[pick // 7 % len(self.cards)])

    def start(self, pick: int, flag: bool) -> None:
        kind = ["CODE", "CODE", "CODE", "PLAN", "REVIEW"][pick % 5]
        answer = self.say(START, cardId=self.card(pick), kind=kind)
        assert answer["__typename"] in {"Runs", "StageRefused", "Conflict"}, answer

    def claim(self, pick: int, flag: bool) -> None:
        one = self.services.hands[pick % 2]
        for claim in self.services.do(one.claim(1 + pick % 3)):
            lease = one.leases[claim["run"]["id"]]
            assert not any(lease == other for _, other in self.leases), "a lease was given twice"
            self.leases.append((one, lease))

    def speak(self, pick: int, flag: bool) -> None:
        hand, lease = self.lease(pick)
        hand.leases[lease["runId"]] = lease
        self.steps += 1
        answer = self.services.do(
            hand.report(lease["runId"], f"k{self.steps}", {"type": "OUTPUT", "text": "Word"})
        )
        assert (answer["__typename"] == "RunReported") == self.lives(lease), answer

    def complete(self, pick: int, flag: bool) -> None:
        outcome = "CHANGES" if flag else "NO_CHANGES"
        self.report("completeRun", pick, result={"summary": "Done", "outcome": outcome, "branch": "b"})

    def fail(self, pick: int, flag: bool) -> None:
        self.report("failRun", pick, code="AGENT_ERROR", reason="Broken", retryable=flag)

    def release(self, pick: int, flag: bool) -> None:
        self.report("releaseRun", pick)

    def confirm(self, pick: int, flag: bool) -> None:
        self.report("confirmStop", pick)

    def ask(self, pick: int, flag: bool) -> None:
        self.steps += 1
        _, lease = self.lease(pick)
        given = {"key": f"q{self.steps}", "questions": [{**WORDS, "blocking": flag}]}
        kind = self.say(ASK, lease=lease, **given)["__typename"]
        if not self.lives(lease):
            assert kind in LOST
        else:
            asked = self.world.runs[lease["runId"]].stop_requested_at
            assert kind == ("Conflict" if asked else "Questions")

    def answer(self, pick: int, flag: bool) -> None:
        asked = [q for q in self.world.questions if self.world.runs[q.run_id].board_id == self.board]
        if asked:
            question = asked[pick % len(asked)]
            if flag:
                kind = self.do("cancelQuestion", id=question.id)["__typename"]
            else:
                kind = self.say(ANSWER, id=question.id, text="Yes")["__typename"]
            assert kind == ("Question" if question.status is QuestionStatus.OPEN else "Conflict")

    def stop(self, pick: int, flag: bool) -> None:
        if runs := self.runs(ended=False):
            assert self.say(about_run("stopRun"), id=runs[pick % len(runs)])["__typename"] == "Run"

    def take_up(self, pick: int, flag: bool) -> None:
        name = ["resumeRun", "retryRun", "concludeRun"][pick % 3]
        if runs := self.runs(ended=flag):
            kind = self.say(about_run(name), id=runs[pick % len(runs)])["__typename"]
            assert kind in {"Run", "Conflict", "StageRefused"}

    def expire(self, pick: int, flag: bool) -> None:
        """A worker was not heard for the length of its lease."""
        _, lease = self.lease(pick)
        self.age("UPDATE attempt SET lease_until = heartbeat_at WHERE job_id = :id", lease["runId"])
        self.services.do(sweep(self.services.app.services.event_log, utcnow()))

    def wait(self, pick: int, flag: bool) -> None:
        """The time passes after which what failed is tried again."""
        _, lease = self.lease(pick)
        self.age("UPDATE job SET available_at = enqueued_at WHERE id = :id", lease["runId"])

    def age(self, statement: str, id: str) -> None:
        async def pass_by() -> None:
            async with self.services.app.services.database.write() as tx:
                await tx.execute(text(statement), {"id": id})

        self.services.do(pass_by())

    def move(self, pick: int, flag: bool) -> None:
        answer = self.say(MOVE, id=self.card(pick), destination={"stage": STAGES[pick % 6]}, cancelRun=flag)
        assert answer["__typename"] in {"Card", "StageRefused"}, answer

    def delete(self, pick: int, flag: bool) -> None:
        if len(self.cards) == 1:
            return
        card = self.card(pick)
        kind = self.do("deleteCard", id=card, cancelRun=flag)["__typename"]
        active = [r for r in self.world.runs.values() if r.card_id == card and r.status not in TERMINAL]
        assert kind == ("Conflict" if active and not flag else "Card")
        if kind == "Card":
            self.cards.remove(card)

    def teardown(self) -> None:
        if hasattr(self, "board"):
            self.do("deleteBoard", id=self.board, confirmName="Web", cancelRuns=True)
