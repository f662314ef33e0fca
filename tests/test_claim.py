"""Who is given which run: by its programs, skills, kinds and hands; and what goes on, or goes, with a claim."""

import pytest

from tests.work import REFUSED, about_run, at_work, hand, queued, set_policy, show

PROFILE = f"""mutation($input: CreateAgentProfileInput!) {{ createAgentProfile(input: $input) {{
  ... on AgentProfile {{ id }} {REFUSED} }} }}"""
PYTHON = [{"name": "python", "level": "ADVANCED"}]
# What the run needs, what the worker is, and whether it is given the run.
FITS = {
    "any worker": ({}, {}, True),
    "its program": ({"executor": "CODEX"}, {"executors": ["GEMINI", "CODEX"]}, True),
    "another program": ({"executor": "CODEX"}, {"executors": ["GEMINI"]}, False),
    "its skill": ({"capabilities": PYTHON}, {"capabilities": [{"name": "python", "level": "EXPERT"}]}, True),
    "less than its skill": (
        {"capabilities": PYTHON},
        {"capabilities": [{"name": "python", "level": "BEGINNER"}]},
        False,
    ),
    "no skill": ({"capabilities": PYTHON}, {}, False),
    "its kind": ({}, {"kinds": ["PLAN", "CODE"]}, True),
    "another kind": ({}, {"kinds": ["PLAN"]}, False),
}


@pytest.mark.parametrize("case", FITS)
async def test_a_run_goes_to_a_worker_that_can_do_it(run, case):
    needs, is_, fits = FITS[case]
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        made = {"workspaceId": await app.home(), "name": "Needs", "executor": "SCRIPTED", **needs}
        profiles = [(await app.data(PROFILE, input=made))["id"]] if needs else []
        worker = await hand(app, **is_)
        id = await queued(app, card, profileIds=profiles)
        assert [one["run"]["id"] for one in await worker.claim()] == ([id] if fits else [])
        if not fits:
            assert "NO_CAPABLE_WORKER" in [why["code"] for why in (await show(app, id))["whyNotRunning"]]


async def test_a_worker_holds_no_more_than_it_said(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two", "Three")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app, maxConcurrent=2)
        ids = [await queued(app, card) for card in cards]
        assert [one["run"]["id"] for one in await worker.claim(3)] == ids[:2]
        assert await worker.claim() == []
        await worker.complete(ids[0])
        assert await worker.take() == ids[2]


async def test_a_failed_run_goes_on_in_another_on_its_branch_and_in_its_session(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        result = {"branch": "signalbox/web-1", "sessionId": "talk-1"}
        failed = await worker.say("failRun", id, code="AGENT_ERROR", reason="Out of paint", result=result)
        assert (failed["status"], failed["branch"]) == ("FAILED", "signalbox/web-1")
        again = await app.data(about_run("resumeRun"), input={"id": id, "instruction": "There is paint now"})
        assert (again["status"], again["branch"]) == ("QUEUED", "signalbox/web-1")
        assert again["id"] != id
        assert (await show(app, again["id"]))["retryOf"] == {"id": id}
        [claim] = await worker.claim()
        assert claim["run"]["id"] == again["id"]
        assert (claim["work"]["branch"], claim["work"]["sessionId"]) == ("signalbox/web-1", "talk-1")
        assert "There is paint now" in claim["work"]["prompt"]
        refused = await app.data(about_run("resumeRun"), input={"id": id})
        assert refused["code"] == "CONFLICT"  # it goes on already


async def test_a_conversation_names_the_one_before_it(run):
    """A run that goes on in another one; its first, and one that was there already, take over from none."""
    query = "query($id: ID!) { agentSessions(cardId: $id) { externalId parent { externalId } } }"
    async with run() as app:
        _, [card] = await app.has_board("Paint")
        worker = await hand(app)
        id = await queued(app, card)
        for session in ("talk-1", "talk-1", "talk-2", "talk-1", "talk-3"):
            await worker.take()
            await worker.say("releaseRun", id, sessionId=session)
        found = {one["externalId"]: one["parent"] for one in await app.data(query, id=card)}
        assert found == {
            "talk-1": None,
            "talk-2": {"externalId": "talk-1"},
            "talk-3": {"externalId": "talk-1"},
        }


async def test_a_board_with_agents_at_it_goes_only_when_that_is_said(run):
    archive = "mutation($input: ArchiveBoardInput!) { archiveBoard(input: $input) { __typename } }"
    delete = (
        f"mutation($input: DeleteBoardInput!) {{ deleteBoard(input: $input) {{ __typename {REFUSED} }} }}"
    )
    async with run() as app:
        board, cards = await app.has_board("One", "Two")
        worker = await hand(app)
        at_work = await queued(app, cards[0])
        await worker.take()
        answer = await app.data(delete, input={"id": board, "confirmName": "Web"})
        assert answer["message"] == "1 run of an agent is active there; pass cancelRuns to end it"
        waiting = await queued(app, cards[1])
        answer = await app.data(delete, input={"id": board, "confirmName": "Web"})
        assert (answer["__typename"], answer["code"]) == ("Conflict", "CONFLICT")
        assert answer["message"] == "2 runs of agents are active there; pass cancelRuns to end them"
        await set_policy(app, board, concurrency=0)
        await app.data(archive, input={"id": board})
        assert await worker.claim() == []
        assert "BOARD_ARCHIVED" in [why["code"] for why in (await show(app, waiting))["whyNotRunning"]]
        answer = await app.data(delete, input={"id": board, "confirmName": "Web", "cancelRuns": True})
        assert answer == {"__typename": "Board"}
        assert (await worker.complete(at_work))["code"] == "NOT_FOUND"


async def test_a_column_with_agents_at_its_cards_goes_only_when_that_is_said(run):
    columns = "query($id: ID!) { board(id: $id) { columns { id stage } } }"
    delete = (
        f"mutation($input: DeleteColumnInput!) {{ deleteColumn(input: $input) {{ __typename {REFUSED} }} }}"
    )
    async with run() as app:
        board, [card] = await app.has_board("One")
        id = await queued(app, card)
        [todo] = [
            one["id"] for one in (await app.data(columns, id=board))["columns"] if one["stage"] == "TODO"
        ]
        answer = await app.data(delete, input={"id": todo})
        assert answer["message"] == "The column has 1 card; give moveCardsTo or deleteCards"
        answer = await app.data(delete, input={"id": todo, "deleteCards": True})
        assert answer["message"] == "1 run of an agent is active there; pass cancelRuns to end it"
        answer = await app.data(delete, input={"id": todo, "deleteCards": True, "cancelRuns": True})
        assert answer["__typename"] != "Conflict"
        assert await show(app, id) is None


async def test_what_becomes_of_a_sub_agent_is_its_own_affair(run):
    """Its error and its end are lines that name it; the run goes on, and its card stays."""
    log = """query($id: ID!) { run(id: $id) { status failureCode
      events(first: 10, types: [SUBAGENT, ERROR]) { nodes { agent text
        ... on RunSubagent { phase name session } ... on RunError { code } } } } }"""
    async with run() as app:
        _, card, worker, id = await at_work(app)
        about = {"name": "looker", "session": "talk-1/looker"}
        said = [
            {"type": "SUBAGENT", "agent": "looker", "data": {"phase": "STARTED", **about}},
            {"type": "ERROR", "agent": "looker", "text": "It is dark", "data": {"code": "DARK"}},
            {"type": "SUBAGENT", "agent": "looker", "data": {"phase": "FAILED", **about}},
        ]
        assert (await worker.report(id, "a", *said))["__typename"] == "RunReported"
        shown = await app.data(log, id=id)
        assert (shown["status"], shown["failureCode"]) == ("RUNNING", None)
        lines = shown["events"]["nodes"]
        assert [line["agent"] for line in lines] == ["looker"] * 3
        assert [line.get("session") for line in lines] == ["talk-1/looker", None, "talk-1/looker"]
        assert lines[1]["code"] == "DARK"
        card = (await show(app, id))["card"]
        assert (card["stage"], card["agentState"]) == ("IN_PROGRESS", "WORKING")
        assert (await worker.complete(id))["status"] == "SUCCEEDED"
