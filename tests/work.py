"""A worker in tests: it speaks the public API as any worker does, one word at a time."""

from typing import Any

REFUSED = "... on Refusal { code message } ... on Invalid { issues { path message } }"
REGISTER = f"""mutation($input: RegisterWorkerInput!) {{ registerWorker(input: $input) {{ __typename
  ... on Worker {{ id }} {REFUSED} }} }}"""
BEAT = f"""mutation($input: WorkerHeartbeatInput!) {{ workerHeartbeat(input: $input) {{ __typename
  ... on WorkerBeat {{ leases {{ runId until lost }}
    commands {{ id: commandId runId kind key answers {{ key answer }} }} }}
  {REFUSED} }} }}"""
START = f"""mutation($input: StartRunInput!) {{ startRun(input: $input) {{ __typename
  ... on Runs {{ runs {{ id status batch: siblings {{ id }} }} }} ... on StageRefused {{ reasons {{ code }} }}
  {REFUSED} }} }}"""
CLAIM = f"""mutation($input: ClaimRunsInput!) {{ claimRuns(input: $input) {{ __typename
  ... on Claims {{ claims {{ attempt token leaseSeconds
    run {{ id kind status card {{ id title stage agentState priority }} }}
    work {{ prompt wholePrompt executor sessionId branch baseRef card slug instructions model options
      permission supervised agentToken }} }} }}
  {REFUSED} }} }}"""
RUN = """id status waitReason attempt outcome summary failureCode failureReason branch warnings retries
  stopRequestedAt card { id stage agentState agentActivity }"""
SHOW = f"""query($id: ID!) {{ run(id: $id) {{ {RUN} queuePosition retryOf {{ id }}
  whyNotRunning {{ code message cardIds runIds questionIds until limit position }}
  attempts {{ number outcome code endedAt }} questions {{ id key status answer answeredHow }} }} }}"""
ASK = f"""mutation($input: AskQuestionsInput!) {{ askQuestions(input: $input) {{ __typename
  ... on Questions {{ questions {{ id key status expiresAt run {{ status waitReason }} }} }} {REFUSED} }} }}"""
ANSWER = f"""mutation($input: AnswerQuestionInput!) {{ answerQuestion(input: $input) {{ __typename
  ... on Question {{ id status answer answeredHow answeredBy {{ username }} run {{ id status }} }}
  {REFUSED} }} }}"""
REPORT = f"""mutation($input: ReportRunEventsInput!) {{ reportRunEvents(input: $input) {{ __typename
  ... on RunReported {{ lastSeq duplicate }} {REFUSED} }} }}"""
POLICY = f"""mutation($input: UpdateBoardPolicyInput!) {{ updateBoardPolicy(input: $input) {{ __typename
  {REFUSED} }} }}"""
MOVE = f"""mutation($input: MoveCardInput!) {{ moveCard(input: $input) {{ __typename
  ... on Card {{ stage }} ... on StageRefused {{ reasons {{ code cardIds }} allowed }} {REFUSED} }} }}"""


def about_run(name: str) -> str:
    """A mutation that answers a run."""
    kind = name[0].upper() + name[1:]
    lawful = " ... on StageRefused { reasons { code } }" if name in ("retryRun", "resumeRun") else ""
    return (
        f"mutation($input: {kind}Input!) {{ {name}(input: $input) {{ __typename ... on Run {{ {RUN} }}"
        f"{lawful} {REFUSED} }} }}"
    )


async def in_todo(app: Any, card: str, actor: str = "") -> None:
    answer = await app.data(MOVE, actor, input={"id": card, "destination": {"stage": "TODO"}})
    assert answer["__typename"] == "Card", answer


async def start(app: Any, card: str, actor: str = "", **input: Any) -> str:
    """Ask for a run on a card, and answer its id."""
    answer = await app.data(START, actor, input={"cardId": card, **input})
    assert answer["__typename"] == "Runs", answer
    return str(answer["runs"][0]["id"])


async def queued(app: Any, card: str, **input: Any) -> str:
    """Put a card of the backlog into TODO and ask for a run."""
    await in_todo(app, card)
    return await start(app, card, **input)


async def show(app: Any, run: str) -> Any:
    return await app.data(SHOW, id=run)


async def set_policy(app: Any, board: str, **values: Any) -> None:
    answer = await app.data(POLICY, input={"boardId": board, **values})
    assert answer["__typename"] == "Board", answer


class Hand:
    """A worker that is registered."""

    def __init__(self, app: Any, id: str, actor: str = "") -> None:
        self.app, self.id, self.actor = app, id, actor
        self.leases: dict[str, dict[str, Any]] = {}

    async def claim(self, most: int = 1, **input: Any) -> list[Any]:
        answer = await self.app.data(CLAIM, self.actor, input={"workerId": self.id, "most": most, **input})
        assert answer["__typename"] == "Claims", answer
        for one in answer["claims"]:
            lease = {"runId": one["run"]["id"], "attempt": one["attempt"], "token": one["token"]}
            self.leases[one["run"]["id"]] = lease
        return list(answer["claims"])

    async def take(self) -> str:
        """Claim one run, and answer its id."""
        [one] = await self.claim()
        return str(one["run"]["id"])

    async def say(self, name: str, run: str, **input: Any) -> Any:
        """A report about a run: completeRun, failRun, releaseRun, confirmStop."""
        return await self.app.data(about_run(name), self.actor, input={"lease": self.leases[run], **input})

    async def complete(self, run: str, summary: str = "Done", outcome: str = "CHANGES", **result: Any) -> Any:
        result = {"summary": summary, "outcome": outcome, **result}
        return await self.say("completeRun", run, result=result)

    async def beat(self, *active: str) -> Any:
        """A heartbeat for everything it holds; of which runs the agents showed signs of life."""
        leases = [{"lease": lease, "active": run in active} for run, lease in self.leases.items()]
        return await self.app.data(BEAT, self.actor, input={"workerId": self.id, "leases": leases})

    async def ask(self, run: str, *questions: Any, key: str = "q", **input: Any) -> Any:
        given = {"lease": self.leases[run], "key": key, "questions": list(questions), **input}
        return await self.app.data(ASK, self.actor, input=given)

    async def report(self, run: str, key: str, *events: Any) -> Any:
        given = {"lease": self.leases[run], "key": key, "events": list(events)}
        return await self.app.data(REPORT, self.actor, input=given)


async def hand(app: Any, name: str = "hand", actor: str = "", **input: Any) -> Hand:
    """A registered worker of the home workspace."""
    given = {"workspaceId": await app.home(), "executors": ["SCRIPTED"], "maxConcurrent": 100, **input}
    answer = await app.data(REGISTER, actor, input={"name": name, **given})
    assert answer["__typename"] == "Worker", answer
    return Hand(app, answer["id"], actor)


async def at_work(app: Any, policy: dict[str, Any] | None = None, **input: Any) -> tuple[str, str, Hand, str]:
    """A board, its one card "Paint", a worker, and the run on that card that the worker holds."""
    board, [card] = await app.has_board("Paint")
    if policy:
        await set_policy(app, board, **policy)
    worker = await hand(app)
    id = await queued(app, card, **input)
    await worker.take()
    return board, card, worker, id


CHOICE = {
    "key": "0",
    "text": "Which colour?",
    "type": "SINGLE",
    "allowOther": False,
    "options": [{"label": "red"}, {"label": "blue", "description": "as the sea", "recommended": True}],
}
WORDS = {"key": "1", "text": "What shall it say?"}
