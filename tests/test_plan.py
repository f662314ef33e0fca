"""Plans: up to 100 actions in one transaction, each by its own law; a refused plan leaves nothing but a note."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.board import card, do, dump, told
from tests.tenants import two  # noqa: F401 - a fixture
from tests.test_agent_access import at_work
from tests.test_group import shown

CHANGES = "changes { index action change changedId tempId title } summary { created updated moved deleted }"
REJECTED = "... on PlanRejected { index action reasonCode reasonMessage issues { path } planId }"
PLAN = f"... on PlanBatch {{ id status {CHANGES} }} ... on PlanPreview {{ {CHANGES} }} {REJECTED}"
ACCEPTED = f"... on PlanBatch {{ id status {CHANGES} }} {REJECTED}"
PLANS = """query($id: ID!) { board(id: $id) { plans { nodes {
  id status message actions refusedIndex reasonCode reason author { name } decidedBy { name } } } } }"""


async def plan(app, board, *actions, actor="", **input):
    return await do(app, "planBatch", PLAN, actor, boardId=board, actions=list(actions), **input)


async def plans(app, board, actor=""):
    return (await app.data(PLANS, actor, id=board))["plans"]["nodes"]


def effects(answer):
    return [(one["action"], one["change"], one["tempId"], one["title"]) for one in answer["changes"]]


WHOLE = [
    {"createGroup": {"tempId": "$buy", "title": "Buy"}},
    {"createGroup": {"tempId": "$pay", "title": "Pay", "parentId": "$buy", "colour": "#00aa00"}},
    {"createCard": {"tempId": "$card", "title": "Pay by card", "groupId": "$pay", "priority": "HIGH"}},
    {"createCard": {"tempId": "$cash", "title": "Pay in cash", "dueOn": "2026-12-24"}},
    {"addSubtask": {"tempId": "$step", "cardId": "$card", "title": "Ask the bank"}},
    {"addSubtask": {"cardId": "$card", "title": "First", "position": {"before": "$step"}}},
    {"addKnowledge": {"cardId": "$card", "kind": "REQUIREMENT", "text": "It pays"}},
    {"addPlannedFile": {"cardId": "$card", "path": "./pay.py", "action": "CREATE"}},
    {"linkCards": {"cardId": "$card", "targetId": "$cash", "kind": "BLOCKS"}},
    {"askQuestion": {"tempId": "$q", "cardId": "$card", "text": "Which bank?"}},
    {"answerQuestion": {"id": "$q", "text": "Any"}},
    {"updateCard": {"id": "$cash", "title": "Pay in coins", "dueOn": None}},
    {"moveCard": {"id": "$card", "destination": {"stage": "PLAN"}}},
    {"setCardGroup": {"id": "$cash", "groupId": "$pay"}},
    {"moveGroup": {"id": "$pay", "parentId": None}},
    {"updateSubtask": {"id": "$step", "completed": True}},
    {"deleteGroup": {"id": "$buy"}},
]


async def test_a_plan_does_what_its_mutations_do_in_one_transaction(run):
    async with run() as app:
        board, _ = await app.has_board()
        answer = await plan(app, board, *WHOLE, message="The first week")
        assert answer["__typename"] == "PlanBatch", answer
        assert answer["status"] == "ACCEPTED"
        assert answer["summary"] == {"created": 10, "updated": 4, "moved": 2, "deleted": 1}
        assert [one["index"] for one in answer["changes"]] == list(range(len(WHOLE)))
        ids = {one["tempId"]: one["changedId"] for one in answer["changes"] if one["tempId"]}
        made = await card(
            app,
            ids["$card"],
            """title stage priority group { title } subtasks { title completed } knowledge { text }
               plannedFiles { path } blocks { title dueOn group { title } } questions { nodes { answer } }""",
        )
        assert made == {
            "title": "Pay by card",
            "stage": "PLAN",
            "priority": "HIGH",
            "group": {"title": "Pay"},
            "subtasks": [
                {"title": "First", "completed": False},
                {"title": "Ask the bank", "completed": True},
            ],
            "knowledge": [{"text": "It pays"}],
            "plannedFiles": [{"path": "pay.py"}],
            "blocks": [{"title": "Pay in coins", "dueOn": None, "group": {"title": "Pay"}}],
            "questions": {"nodes": [{"answer": ["Any"]}]},
        }
        [kept] = await plans(app, board)
        assert (kept["id"], kept["status"], kept["message"]) == (answer["id"], "ACCEPTED", "The first week")
        assert kept["author"] == kept["decidedBy"] == {"name": "owner"}
        assert kept["actions"][0] == {"createGroup": {"tempId": "$buy", "title": "Buy", **DEFAULTS}}
        events = await told(app, board, "kind correlationId ... on PlanEvent { actionCount plan { id } }")
        planned = [one for one in events if one["correlationId"] == answer["id"]]
        assert planned[-1]["kind"] == "PlanApplied"
        assert planned[-1]["plan"] == {"id": answer["id"]}
        assert len(planned) == len(events) - 1, "all but the board's own"


DEFAULTS = {"description": "", "colour": "#B3BAC5"}


async def test_a_preview_answers_what_the_plan_then_does_and_changes_nothing(run):
    async with run() as app:
        board, [id] = await app.has_board("old")
        actions = [*WHOLE, {"updateCard": {"id": id, "title": "new"}}, {"deleteCard": {"id": id}}]
        before = await dump(app, board)
        seen = await plan(app, board, *actions, dryRun=True)
        assert seen["__typename"] == "PlanPreview"
        assert await dump(app, board) == before
        assert await plans(app, board) == []
        done = await plan(app, board, *actions)
        assert (effects(seen), seen["summary"]) == (effects(done), done["summary"])
        assert [one["changedId"] for one in seen["changes"] if one["change"] == "CREATED"] == [None] * 10
        assert seen["changes"][-1]["changedId"] == id == done["changes"][-1]["changedId"]


CREATE = {"createCard": {"title": "x"}}
BAD = [
    (
        [
            {"createCard": {"title": "x", "groupId": "$later"}},
            {"createGroup": {"title": "g", "tempId": "$later"}},
        ],
        0,
        "INVALID",
        "groupId",
    ),
    (
        [{"createCard": {"title": "x", "tempId": "$a"}}, {"createCard": {"title": "y", "tempId": "$a"}}],
        1,
        "INVALID",
        "tempId",
    ),
    ([{"createCard": {"title": "x", "tempId": "a"}}], 0, "INVALID", "tempId"),
    ([{"createCard": {"title": "x", "tempId": "$"}}], 0, "INVALID", "tempId"),
    ([{"createCard": {"title": "x", "tempId": "$" + "x" * 50}}], 0, "INVALID", "tempId"),
    ([CREATE, {"createCard": {"title": " "}}], 1, "INVALID", "title"),
    (
        [
            {"createCard": {"title": "x", "tempId": "$a"}},
            {"addPlannedFile": {"cardId": "$a", "path": "../x"}},
        ],
        1,
        "INVALID",
        "path",
    ),
    (
        [
            {"createCard": {"title": "x", "tempId": "$a"}},
            {"createCard": {"title": "y", "tempId": "$b", "parentId": "$a"}},
            {"setParentCard": {"id": "$a", "parentId": "$b"}},
        ],
        2,
        "CONFLICT",
        None,
    ),
    (
        [
            {"createCard": {"title": "x", "tempId": "$a"}},
            {"createCard": {"title": "y", "tempId": "$b"}},
            {"linkCards": {"cardId": "$a", "targetId": "$b", "kind": "BLOCKS"}},
            {"linkCards": {"cardId": "$b", "targetId": "$a", "kind": "BLOCKS"}},
        ],
        3,
        "CONFLICT",
        None,
    ),
    ([CREATE, {"moveCard": {"id": "card_00000000000000000000000000"}}], 1, "NOT_FOUND", None),
    (
        [
            {"createCard": {"title": "x", "tempId": "$a"}},
            {"addSubtask": {"cardId": "$a", "title": "s", "tempId": "$s"}},
            {"updateCard": {"id": "$s", "title": "z"}},
        ],
        2,
        "NOT_FOUND",
        None,
    ),
    ([{"createCard": {"title": "x", "destination": {"stage": "DONE"}}}], 0, "STAGE_REFUSED", None),
    (
        [
            {"createCard": {"title": "x", "tempId": "$a"}},
            {"deleteCard": {"id": "$a"}},
            {"updateCard": {"id": "$a", "title": "z"}},
        ],
        2,
        "NOT_FOUND",
        None,
    ),
    (
        [
            {"createGroup": {"title": "g", "tempId": "$g"}},
            {"createCard": {"title": "x", "groupId": "$g"}},
            {"deleteGroup": {"id": "$g"}},
        ],
        2,
        "CONFLICT",
        None,
    ),
    (
        [{"createCard": {"title": "x", "tempId": "$a"}}, {"updateCard": {"id": "$a", "title": None}}],
        1,
        "INVALID",
        "title",
    ),
]


async def test_a_refusal_names_its_action_and_nothing_has_changed(run):
    async with run() as app:
        board, _ = await app.has_board("there")
        before = await dump(app, board)
        for number, (actions, index, code, path) in enumerate(BAD):
            seen = await plan(app, board, *actions, dryRun=True)
            assert (seen["__typename"], seen["index"], seen["planId"]) == ("PlanRejected", index, None), seen
            refused = await plan(app, board, *actions)
            assert (refused["index"], refused["reasonCode"]) == (index, code), (actions, refused)
            assert refused["action"] == next(iter(actions[index]))
            assert [issue["path"] for issue in refused["issues"]] == ([path] if path else [])
            [newest, *others] = await plans(app, board)
            assert (newest["id"], newest["status"]) == (refused["planId"], "REJECTED")
            assert (newest["refusedIndex"], newest["reasonCode"]) == (index, code)
            assert newest["reason"] == refused["reasonMessage"]
            assert len(others) == number, "a preview is not stored"
            after = await dump(app, board)
            assert after.pop("seq") == before["seq"] + number + 1, "the note of each is told"
            assert after == {key: value for key, value in before.items() if key != "seq"}


async def test_a_bad_29th_of_30_leaves_nothing(run):
    async with run() as app:
        board, _ = await app.has_board()
        actions = [{"createCard": {"title": f"card {n}"}} for n in range(30)]
        actions[28] = {"createCard": {"title": ""}}
        refused = await plan(app, board, *actions)
        assert (refused["__typename"], refused["index"]) == ("PlanRejected", 28)
        assert (await dump(app, board))["cards"]["nodes"] == []
        many = await plan(app, board, *[CREATE] * 101)
        assert (many["__typename"], many["issues"][0]["path"]) == ("Invalid", "actions")
        none = await plan(app, board)
        assert none["__typename"] == "Invalid"
        assert len(await plans(app, board)) == 1
        for action in ({}, {**CREATE, "createGroup": {"title": "x"}}):
            said = await app.ask(
                "mutation($i: PlanBatchInput!) { planBatch(input: $i) { __typename } }",
                i={"boardId": board, "actions": [action]},
            )
            assert "errors" in said, "exactly one kind"


async def test_an_old_sequence_refuses_a_plan(run):
    async with run() as app:
        board, _ = await app.has_board("a")
        seq = (await dump(app, board))["seq"]
        await do(app, "createCard", boardId=board, title="b")
        stale = await plan(app, board, CREATE, expectedSequence=seq)
        assert (stale["__typename"], stale["version"]) == ("Stale", seq + 1)
        assert len((await dump(app, board))["cards"]["nodes"]) == 2
        assert (await plan(app, board, CREATE, expectedSequence=seq + 1))["__typename"] == "PlanBatch"


async def test_the_same_key_answers_the_same(run):
    async with run() as app:
        board, _ = await app.has_board()
        text = f"mutation($i: PlanBatchInput!) {{ planBatch(input: $i) {{ __typename {PLAN} }} }}"
        for actions, count in (([CREATE, CREATE], 1), ([CREATE, {"createCard": {"title": ""}}], 2)):
            variables = {"i": {"boardId": board, "actions": actions}}
            key = {"idempotency-key": f"plan {count}"}
            first, second = [(await app.post(text, variables, headers=key)).json() for _ in range(2)]
            assert first == second
            assert "errors" not in first, first
            assert len(await plans(app, board)) == count
        assert len((await dump(app, board))["cards"]["nodes"]) == 2


async def test_a_plan_has_the_rights_of_its_author(run):
    async with run() as app:
        board, [id] = await app.has_board("a")
        await app.has_user("vic", "VIEWER")
        await app.has_user("max")
        await app.has_user("eve", None)
        for actor, answer in (("vic", "Forbidden"), ("eve", "NotFound"), ("max", "PlanBatch")):
            assert (await plan(app, board, CREATE, actor=actor))["__typename"] == answer
        other, [far] = await app.has_board("far", name="Other")
        near = {"moveCard": {"id": id}}
        refused = await plan(app, other, near, {"updateCard": {"id": far, "title": "x"}}, actor="max")
        assert refused["__typename"] in ("PlanBatch", "PlanRejected")
        seen = [one["author"]["name"] for one in await plans(app, board)]
        assert seen == ["max"]


async def test_an_agent_proposes_and_a_person_decides(two):  # noqa: F811
    async with two() as (app, home, _):
        _, run, agent = await at_work(app, home)
        ann, board = home.actor("ann"), home.ids["board"]
        actions = [
            {"createGroup": {"title": "canary g", "tempId": "$g"}},
            {"createCard": {"title": "canary c", "groupId": "$g", "dueOn": "2026-12-24"}},
        ]
        shape = "... on PlanBatch { id status run { id } author { kind } changes { action } }"
        made = await do(app, "proposePlan", shape, agent, actions=actions, message="canary")
        assert (made["status"], made["run"], made["changes"]) == ("PROPOSED", {"id": run}, [])
        assert made["author"] == {"kind": "AGENT"}
        assert (await do(app, "acceptPlan", ACCEPTED, agent, id=made["id"]))["code"] in (
            "FORBIDDEN",
            "NOT_FOUND",
        )
        assert (await do(app, "planBatch", PLAN, agent, boardId=board, actions=actions))[
            "code"
        ] == "FORBIDDEN"
        done = await do(app, "acceptPlan", ACCEPTED, ann, id=made["id"])
        assert (done["status"], done["summary"]["created"]) == ("ACCEPTED", 2)
        due = await card(app, done["changes"][1]["changedId"], "dueOn group { title }", ann)
        assert due == {"dueOn": "2026-12-24", "group": {"title": "canary g"}}
        assert (await do(app, "acceptPlan", ACCEPTED, ann, id=made["id"]))["__typename"] == "Conflict"
        no = await do(app, "proposePlan", shape, agent, actions=actions)
        said = await do(
            app, "rejectPlan", "... on PlanBatch { reason status }", ann, id=no["id"], reason="Not now"
        )
        assert said == {"__typename": "PlanBatch", "reason": "Not now", "status": "REJECTED"}
        bad = await do(app, "proposePlan", shape, agent, actions=[{"createCard": {"title": ""}}])
        refused = await do(app, "acceptPlan", ACCEPTED, ann, id=bad["id"])
        assert (refused["__typename"], refused["index"], refused["planId"]) == ("PlanRejected", 0, bad["id"])
        states = [one["status"] for one in await plans(app, board, ann)]
        assert states[:3] == ["REJECTED", "REJECTED", "ACCEPTED"]


KINDS = {
    "createGroup": lambda n: {"title": f"g{n}"},
    "createCard": lambda n: {"title": f"c{n}"},
    "addSubtask": lambda n: {"cardId": "$c", "title": f"s{n}"},
    "addKnowledge": lambda n: {"cardId": "$c", "kind": "REQUIREMENT", "text": f"k{n}"},
    "addPlannedFile": lambda n: {"cardId": "$c", "path": f"p{n}"},
    "updateCard": lambda n: {"id": "$c", "title": f"t{n}"},
    "moveCard": lambda n: {"id": "$c", "position": {"top": True}},
    "updateGroup": lambda n: {"id": "$g", "title": f"t{n}"},
    "moveGroup": lambda n: {"id": "$g"},
}
FIRST = [{"createCard": {"title": "c", "tempId": "$c"}}, {"createGroup": {"title": "g", "tempId": "$g"}}]


async def test_an_action_takes_a_fixed_number_of_statements(run, figure):
    """As many for each further action of a kind, in one transaction."""
    async with run() as app:
        board, _ = await app.has_board()
        each = {}
        for kind, make in KINDS.items():
            counted = []
            for many in (2, 12, 22):
                actions = [{kind: make(n)} for n in range(many)]
                with app.counting() as statements:
                    answer = await plan(app, board, *FIRST, *actions)
                assert answer["__typename"] == "PlanBatch", answer
                counted.append(len(statements))
            assert counted[2] - counted[1] == counted[1] - counted[0], (kind, counted)
            each[kind] = (counted[2] - counted[1]) / 10
            assert each[kind] <= 12, (kind, each)
        figure(**each)


CARDS, GROUPS = ["$a", "$b", "$c"], ["$g", "$h", "$i"]
ACTION = st.one_of(
    st.builds(
        lambda t, g: {"createCard": {"title": t, "groupId": g}},
        st.sampled_from(["x", "", "y"]),
        st.sampled_from([None, *GROUPS]),
    ),
    st.builds(lambda i, t: {"createCard": {"title": t, "tempId": i}}, st.sampled_from(CARDS), st.just("t")),
    st.builds(
        lambda i, p: {"createGroup": {"title": "g", "tempId": i, "parentId": p}},
        st.sampled_from(GROUPS),
        st.sampled_from([None, *GROUPS]),
    ),
    st.builds(
        lambda i, s: {"moveCard": {"id": i, "destination": {"stage": s}}},
        st.sampled_from(CARDS),
        st.sampled_from(["TODO", "PLAN", "DONE"]),
    ),
    st.builds(lambda i: {"deleteCard": {"id": i}}, st.sampled_from(CARDS)),
    st.builds(
        lambda i, u: {"deleteGroup": {"id": i, "cards": u}},
        st.sampled_from(GROUPS),
        st.sampled_from([None, {"ungroup": True}]),
    ),
    st.builds(
        lambda i, k: {"linkCards": {"cardId": i, "targetId": k, "kind": "BLOCKS"}},
        st.sampled_from(CARDS),
        st.sampled_from(CARDS),
    ),
    st.builds(
        lambda i, p: {"addPlannedFile": {"cardId": i, "path": p}},
        st.sampled_from(CARDS),
        st.sampled_from(["a", "./a", "../a"]),
    ),
    st.builds(
        lambda i, g: {"setCardGroup": {"id": i, "groupId": g}},
        st.sampled_from(CARDS),
        st.sampled_from([None, *GROUPS]),
    ),
    st.builds(lambda i, t: {"addSubtask": {"cardId": i, "title": t}}, st.sampled_from(CARDS), st.just("s")),
)
START = [{"createCard": {"title": "a", "tempId": "$a"}}, {"createGroup": {"title": "g", "tempId": "$g"}}]


async def same_as_its_preview(app, board, actions):
    before = await dump(app, board)
    seen = await plan(app, board, *actions, dryRun=True)
    assert await dump(app, board) == before
    done = await plan(app, board, *actions)
    for answer in (seen, done):
        for name in ("id", "planId", "status", "conflict", "missing"):
            answer.pop(name, None)
        kind = answer.pop("__typename")
        assert kind in ("PlanPreview", "PlanBatch", "PlanRejected")
        for change in answer.get("changes", []):
            if change["change"] == "CREATED" or change["changedId"]:
                change.pop("changedId")
    assert seen == done, actions
    return "changes" in done


# The server draws delays at random while Hypothesis draws actions.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
async def test_a_preview_equals_the_plan_for_any_actions(run, count):
    async with run() as app:
        loop, outcomes, boards = asyncio.get_running_loop(), [], []

        async def compare(actions):
            if len(outcomes) % 40 == 0:  # a board has at most 200 groups
                boards.append((await app.has_board(name=f"Board {len(boards)}"))[0])
            outcomes.append(await same_as_its_preview(app, boards[-1], START + actions))

        @settings(
            max_examples=count,
            deadline=timedelta(seconds=60),
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(ACTION, min_size=1, max_size=8))
        def check(actions):
            asyncio.run_coroutine_threadsafe(compare(actions), loop).result(60)

        await asyncio.to_thread(check)
        assert set(outcomes) == {True, False}, "some were applied, and some refused"


@pytest.mark.slow
async def test_fifty_planners_on_one_board_lose_nothing(run):
    async with run() as app:
        board, _ = await app.has_board()
        batches = [
            [{"createGroup": {"title": f"g{n}", "tempId": "$g"}}]
            + [{"createCard": {"title": f"c{n}.{k}", "groupId": "$g"}} for k in range(3)]
            for n in range(50)
        ]
        answers = await asyncio.gather(*(plan(app, board, *actions) for actions in batches))
        assert {answer["__typename"] for answer in answers} == {"PlanBatch"}
        workflows, loose = await shown(app, board)
        assert loose == []
        assert sorted(workflows) == sorted((f"g{n}", [f"c{n}.{k}" for k in range(3)], []) for n in range(50))
        events = await told(app, board, "kind correlationId")  # it checks that numbers are dense
        of_plans = [one["correlationId"] for one in events if one["correlationId"]]
        runs = [id for n, id in enumerate(of_plans) if n == 0 or of_plans[n - 1] != id]
        assert len(runs) == len(set(runs)) == 50, "the events of a plan are together"
