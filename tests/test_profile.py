"""Agent profiles: their names, their bounds, their limit in the queue, and who may."""

import pytest
from sqlalchemy import select

from kit.queue import Cap, key_cap
from models.worker import MAX_PROFILES, AgentProfile, AgentProgram, Skill, needed, needs, reaches, skills_of
from tests.work import hand, queued, set_policy, show

FIELDS = """id name role executor model persona options permission capabilities { name level } maxConcurrent
  enabled version"""
FEED = """subscription($id: ID!) { workspaceFeed(workspaceId: $id, after: "0") {
  event { kind: __typename ... on AgentProfileEvent { name profile { name } }
  ... on AgentProfileUpdated { changes { field before after } } } } }"""
LIST = """query($id: ID!) { agentProfiles(workspaceId: $id) { name }
  workspace(id: $id) { agentProfiles { name capabilities { name } } } }"""


async def do(app, name, actor="", /, **input):
    answer = f"__typename ... on AgentProfile {{ {FIELDS} }} ... on Refusal {{ code }}"
    answer += " ... on Invalid { issues { path } }"
    answer += " ... on Conflict { with: conflictingId }" * (name != "deleteAgentProfile")
    answer += " ... on Stale { version }" * (name != "createAgentProfile")
    kind = f"{name[0].upper()}{name[1:]}Input!"
    query = f"mutation($input: {kind}) {{ {name}(input: $input) {{ {answer} }} }}"
    return await app.data(query, actor, input=input)


async def make(app, actor="", /, **input):
    given = {"workspaceId": await app.home(), "name": "Coder", "executor": "CLAUDE_CODE", **input}
    return await do(app, "createAgentProfile", actor, **given)


def test_a_level_reaches_every_level_below_it():
    asked = needs(skills_of("c", [(" Python", Skill.INTERMEDIATE), ("rust", Skill.BEGINNER)]))
    assert asked == ["python:INTERMEDIATE", "rust:BEGINNER"]
    assert needed(asked) == {"python": Skill.INTERMEDIATE, "rust": Skill.BEGINNER}
    for level, fits in {"BEGINNER": 0, "INTERMEDIATE": 1, "ADVANCED": 1, "EXPERT": 1}.items():
        offered = reaches(skills_of("c", [("PYTHON", Skill(level)), ("rust", Skill.EXPERT)]))
        assert set(asked).issubset(offered) == bool(fits), level
    assert skills_of("c", [("a", Skill.EXPERT), ("A", Skill.BEGINNER)]) == {"a": Skill.EXPERT}


async def test_a_profile_from_first_to_last(run):
    async with run() as app:
        home = await app.home()
        made = await make(
            app,
            name="  Fast   coder ",
            model="large",
            persona="Be quick.",
            options={"effort": "high"},
            capabilities=[{"name": "Python", "level": "ADVANCED"}, {"name": "git"}],
            maxConcurrent=2,
        )
        id = made.pop("id")
        assert made == {
            "__typename": "AgentProfile",
            "name": "Fast coder",
            "role": "CODER",
            "executor": "CLAUDE_CODE",
            "model": "large",
            "persona": "Be quick.",
            "options": {"effort": "high"},
            "permission": "AUTONOMOUS",
            "capabilities": [{"name": "git", "level": "BEGINNER"}, {"name": "python", "level": "ADVANCED"}],
            "maxConcurrent": 2,
            "enabled": True,
            "version": 1,
        }
        again = await make(app, name="fAST CODER")
        assert again == {"__typename": "Conflict", "code": "CONFLICT", "with": id}
        changed = await do(
            app,
            "updateAgentProfile",
            id=id,
            name="FAST coder",
            options=None,
            capabilities=None,
            enabled=False,
        )
        assert (changed["name"], changed["options"], changed["capabilities"]) == ("FAST coder", {}, [])
        assert (changed["model"], changed["enabled"], changed["version"]) == ("large", False, 2)
        stale = await do(app, "updateAgentProfile", id=id, ifVersion=1, model=None)
        assert stale == {"__typename": "Stale", "code": "STALE", "version": 2}
        gone = await do(app, "deleteAgentProfile", id=id, ifVersion=2)
        assert gone["name"] == "FAST coder"
        assert (await do(app, "deleteAgentProfile", id=id))["code"] == "NOT_FOUND"
        async with app.follow(FEED, id=home) as hear:
            heard = []
            while len(heard) < 3:
                one = (await hear())["workspaceFeed"]
                heard += [one] if one["kind"].startswith("AgentProfile") else []
        assert [one["kind"][12:] for one in heard] == ["Created", "Updated", "Deleted"]
        assert [one["name"] for one in heard] == ["Fast coder", "FAST coder", "FAST coder"]
        changes = {one["field"]: (one["before"], one["after"]) for one in heard[1]["changes"]}
        assert changes == {
            "name": ("Fast coder", "FAST coder"),
            "options": ('{"effort": "high"}', "{}"),
            "capabilities": ('["git:BEGINNER", "python:ADVANCED"]', "[]"),
            "enabled": ("true", "false"),
        }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"model": "x" * 101}, "model"),
        ({"persona": "x" * 20_001}, "persona"),
        ({"options": {"a": 1}}, "options.a"),
        ({"options": {"a": {"b": "c"}}}, "options.a"),
        ({"options": ["a"]}, "options"),
        ({"options": {str(n): "" for n in range(51)}}, "options"),
        ({"options": {"a": "x" * 2_001}}, "options.a"),
        ({"capabilities": [{"name": "no:colon"}]}, "capabilities.0.name"),
        ({"capabilities": [{"name": f"c{n}"} for n in range(51)]}, "capabilities"),
        ({"maxConcurrent": 0}, "maxConcurrent"),
        ({"maxConcurrent": 1_001}, "maxConcurrent"),
    ],
)
async def test_what_cannot_be_taken(run, given, path):
    async with run() as app:
        told = await make(app, **given)
        assert told == {"__typename": "Invalid", "code": "INVALID", "issues": [{"path": path}]}
        assert (await app.ask(LIST, id=await app.home()))["data"]["agentProfiles"] == []


async def test_the_limit_is_the_queues(run):
    async with run() as app:

        async def most():
            rows = await app.services.database.read(select(Cap.most).where(Cap.name == key_cap(id)))
            return rows[0].most if rows else None

        id = (await make(app))["id"]
        assert await most() is None
        for given, wanted in ((3, 3), (None, None), (2, 2)):
            await do(app, "updateAgentProfile", id=id, maxConcurrent=given)
            assert await most() == wanted
        await do(app, "deleteAgentProfile", id=id)
        assert await most() is None


async def test_a_limit_holds_for_runs_that_were_there_before_it(run):
    async with run() as app:
        board, cards = await app.has_board("One", "Two", "Three")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        id = (await make(app, executor="SCRIPTED"))["id"]
        runs = [await queued(app, card, profileIds=[id]) for card in cards]
        assert await worker.take() == runs[0]
        await do(app, "updateAgentProfile", id=id, maxConcurrent=2)
        assert await worker.take() == runs[1]
        assert await worker.claim(3) == []
        [why] = (await show(app, runs[2]))["whyNotRunning"]
        assert (why["code"], why["runIds"], why["limit"]) == ("LIMIT_REACHED", runs[:2], 2)
        await worker.complete(runs[0])
        assert await worker.take() == runs[2]


async def test_a_list_of_any_length_is_one_statement(run):
    async with run() as app:
        home = await app.home()
        async with app.begin() as tx:
            for n in range(MAX_PROFILES):
                profile = AgentProfile(workspace_id=home, name=f"P{n:03}", name_folded=f"p{n:03}")
                profile.executor = AgentProgram.CODEX
                tx.add(profile)
        assert (await make(app))["code"] == "CONFLICT"
        with app.counting() as statements:
            found = (await app.ask(LIST, id=home))["data"]
        assert len(found["agentProfiles"]) == len(found["workspace"]["agentProfiles"]) == MAX_PROFILES
        assert [one["name"] for one in found["agentProfiles"]] == [f"P{n:03}" for n in range(MAX_PROFILES)]
        assert len(statements) == 3, statements  # the session, the profiles, the workspace


async def test_members_use_them_and_admins_change_them(run):
    async with run() as app:
        await app.has_user("max")
        await app.has_user("vic", "VIEWER")
        id = (await make(app))["id"]
        for who in ("max", "vic"):
            found = await app.data(
                "query($id: ID!) { node(id: $id) { ... on AgentProfile { name } } }", who, id=id
            )
            assert found == {"name": "Coder"}
            assert (await make(app, who, name="Other"))["code"] == "FORBIDDEN"
            assert (await do(app, "deleteAgentProfile", who, id=id))["code"] == "FORBIDDEN"
