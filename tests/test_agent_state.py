"""What a card's face shows of its agents: every state and its line, as the row says it and as a filter finds it."""

from tests.work import CHOICE, MOVE, about_run, hand, queued, set_policy, start

LOOK = """query($id: ID!, $filter: CardFilter) { board(id: $id) {
  cards(first: 500, filter: $filter) { nodes { title agentState agentActivity } } } }"""
TOOL = {"type": "TOOL_STARTED", "text": "make test", "data": {"tool": "t1", "name": "Bash"}}
STATES = {  # title: state, line
    "idle": ("IDLE", None),
    "queued": ("QUEUED", "Waits for a worker"),
    "starting": ("STARTING", "At work"),
    "planning": ("PLANNING", "At work"),
    "working": ("WORKING", "Reads the wiring · 1/2"),
    "tool": ("WAITING_TOOL", "make test"),
    "asks": ("WAITING_INPUT", "Waits for an answer"),
    "decides": ("BLOCKED", "Waits for a decision: nothing was changed"),
    "done": ("SUCCEEDED", None),
    "failed": ("FAILED", None),
    "stopped": ("CANCELLED", None),
    "planned": ("IDLE", None),
    "sent back": ("IDLE", None),
    "again": ("QUEUED", "Waits for a worker"),
}


async def shown(app, board, **filter):
    cards = (await app.data(LOOK, id=board, filter=filter or None))["cards"]["nodes"]
    return {one["title"]: (one["agentState"], one["agentActivity"]) for one in cards}


async def has_every_state(app):
    """A board with a card in each state, made by what people and workers do."""
    board, ids = await app.has_board(*STATES)
    await set_policy(app, board, concurrency=0, noChange="DECIDE")
    cards, runs, worker = dict(zip(STATES, ids, strict=True)), {}, await hand(app)
    for title in ("planning", "planned"):
        await app.data(MOVE, input={"id": cards[title], "destination": {"stage": "PLAN"}})
        runs[title] = await start(app, cards[title], kind="PLAN")
    for title in (
        *["starting", "working", "tool", "asks", "decides", "done", "failed", "stopped"],
        "sent back",
        "again",
    ):
        runs[title] = await queued(app, cards[title])
    await worker.claim(100)
    todo = [{"text": "Read", "state": "DONE"}, {"text": "Write"}]
    output = {"type": "OUTPUT", "text": "Reads the wiring"}
    await worker.report(runs["working"], "1", {"type": "TODO", "data": {"items": todo}}, output)
    await worker.report(runs["tool"], "1", TOOL)
    await worker.ask(runs["asks"], CHOICE)
    await worker.complete(runs["decides"], "Red already", "NO_CHANGES")
    for title in ("done", "planned", "sent back", "again"):
        await worker.complete(runs[title])
    await worker.say("failRun", runs["failed"], code="AGENT_ERROR", reason="No paint")
    await app.data(about_run("stopRun"), input={"id": runs["stopped"]})
    await worker.say("confirmStop", runs["stopped"])
    for title in ("sent back", "again"):
        await app.data(MOVE, input={"id": cards[title], "destination": {"stage": "TODO"}})
    await start(app, cards["again"])
    await queued(app, cards["queued"])
    return board


async def test_every_state_and_its_line(run):
    async with run() as app:
        board = await has_every_state(app)
        assert await shown(app, board) == STATES
        named = {state for state, _ in STATES.values()}
        assert len(named) == 11
        for state in named:
            expected = {title: one for title, one in STATES.items() if one[0] == state}
            assert await shown(app, board, agentStates=[state]) == expected
        some = await shown(app, board, agentStates=["WAITING_INPUT", "BLOCKED", "IDLE"])
        assert sorted(some) == ["asks", "decides", "idle", "planned", "sent back"]
        assert await shown(app, board, agentStates=[]) == {}
        assert "asks" not in await shown(app, board, no={"agentStates": ["WAITING_INPUT"]})
        counts = []
        for filter in (None, {"agentStates": ["WAITING_INPUT"]}, {"agentStates": ["IDLE", "FAILED"]}):
            with app.counting() as statements:
                await app.data(LOOK, id=board, filter=filter)
            counts.append(len(statements))
        assert counts[1] <= counts[0], "a filter is a clause, not a statement"
        assert counts[2] <= counts[0], counts


async def test_what_was_sent_back_with_its_reason_waits_for_the_next_run(run):
    reject = "mutation($input: RejectCardInput!) { rejectCard(input: $input) { ... on Card { agentState } } }"
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        await queued(app, card)
        await worker.complete(await worker.take())
        assert await app.data(reject, input={"id": card, "feedback": "Red"}) == {"agentState": "QUEUED"}


async def test_runs_are_found_by_what_they_wait_for_and_who_works_them(run):
    query = "query($filter: RunFilter) { runs(filter: $filter) { nodes { card { title } } } }"
    make = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
      ... on AgentProfile { id } } }"""
    async with run() as app:
        board, cards = await app.has_board("asks", "decides", "quick", "any")
        await set_policy(app, board, concurrency=0, noChange="DECIDE")
        profile = {"workspaceId": await app.home(), "name": "quick", "executor": "CODEX"}
        quick = (await app.data(make, input=profile))["id"]
        worker = await hand(app)
        runs = [await queued(app, card) for card in cards[:2]]
        await worker.claim(2)
        await worker.ask(runs[0], CHOICE)
        await worker.complete(runs[1], "Red already", "NO_CHANGES")
        await queued(app, cards[2], profileIds=[quick])
        await queued(app, cards[3])
        counts = set()
        for filter, titles in (
            ({}, ["any", "asks", "decides", "quick"]),
            ({"waitReason": ["QUESTION"]}, ["asks"]),
            ({"waitReason": ["DECISION", "QUESTION"]}, ["asks", "decides"]),
            ({"waitReason": []}, []),
            ({"profileId": quick}, ["quick"]),
            ({"profileId": "profile_none"}, []),
            ({"executor": ["CODEX", "GEMINI"]}, ["quick"]),
            ({"executor": ["GEMINI"]}, []),
            ({"waitReason": ["QUESTION"], "executor": ["CODEX"]}, []),
        ):
            with app.counting() as statements:
                found = (await app.data(query, filter=filter))["nodes"]
            assert sorted(one["card"]["title"] for one in found) == titles, filter
            if titles:
                counts.add(len(statements))
        assert len(counts) == 1, counts
