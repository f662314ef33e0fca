"""The policy of a board: every field has a default, a bound and a way back; its limit is the queue's."""

import pytest
from sqlalchemy import select

from actions.policy_values import changed_policy
from kit import queue
from kit.queue import Cap, ClaimFilter, NewJob, Slot, scope_cap
from models.policy import BOUNDS, MAX_LENGTHS, BoardPolicy, board_policy_of
from models.refusal import Invalid
from tests.test_profile import make

FIELDS = """autoDispatch agentProfileId concurrency maxAttempts queueSeconds attemptSeconds wholeSeconds
  silenceSeconds leaseSeconds stuckMinutes questionSeconds questionExpiry repeatedQuestions noChange repository
  baseBranch branchTemplate instructions promptLength requiredRequirements requiredPlannedFiles requireAnswers
  requireReview requireApproval"""
CHANGE = f"""mutation($input: UpdateBoardPolicyInput!) {{ updateBoardPolicy(input: $input) {{
  __typename ... on Board {{ version policy {{ {FIELDS} }} }} ... on Refusal {{ code }}
  ... on Stale {{ version }} ... on Invalid {{ issues {{ path }} }} }} }}"""
READ = f"query($id: ID!) {{ board(id: $id) {{ policy {{ {FIELDS} }} }} }}"
FEED = """subscription($id: ID!) { boardFeed(boardId: $id, after: "0") { event { kind: __typename
  ... on BoardPolicyUpdated { changes { field before after } } } } }"""
DEFAULTS = {  # written a second time on purpose
    "autoDispatch": False,
    "agentProfileId": None,
    "concurrency": 1,
    "maxAttempts": 3,
    "queueSeconds": 604_800,
    "attemptSeconds": 3_600,
    "wholeSeconds": 86_400,
    "silenceSeconds": 300,
    "leaseSeconds": 30,
    "stuckMinutes": 10,
    "questionSeconds": 1_800,
    "questionExpiry": "FAIL",
    "repeatedQuestions": "SHOW",
    "noChange": "SUCCEED",
    "requiredRequirements": 1,
    "requiredPlannedFiles": 1,
    "requireAnswers": True,
    "requireReview": False,
    "requireApproval": False,
    "repository": "",
    "baseBranch": "",
    "branchTemplate": "signalbox/{card}-{slug}",
    "instructions": "",
    "promptLength": 200_000,
}


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


async def cap(app, board):
    """What the queue lets be held at once on a board, and how many places there are."""
    name = scope_cap(board)
    caps = await app.services.database.read(select(Cap.most).where(Cap.name == name))
    slots = await app.services.database.read(select(Slot.n).where(Slot.cap == name))
    return (caps[0].most if caps else None), len(slots)


@pytest.mark.parametrize("name", BOUNDS)
def test_every_number_is_bounded(name):
    low, high = BOUNDS[name]
    for value in (low, high):
        assert getattr(board_policy_of(changed_policy({}, {name: value})), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(Invalid):
            changed_policy({}, {name: value})


@pytest.mark.parametrize("name", MAX_LENGTHS)
def test_every_text_is_bounded(name):
    longest = "x" * MAX_LENGTHS[name]
    assert getattr(board_policy_of(changed_policy({}, {name: longest})), name) == longest
    for value in (f"{longest}x", "nul\0"):
        with pytest.raises(Invalid):
            changed_policy({}, {name: value})


@pytest.mark.parametrize("template", ["{nothing}", "{card", "{card.id}", "{}", "{0}", " "])
def test_a_branch_template_names_only_what_there_is(template):
    with pytest.raises(Invalid):
        changed_policy({}, {"branch_template": template})


def test_what_is_stored_and_no_longer_known_is_left_out():
    assert board_policy_of({"concurrency": 3, "of_old": 1}) == BoardPolicy(concurrency=3)
    assert changed_policy({"concurrency": 3}, {"concurrency": None}) == {}


async def test_defaults_changes_and_the_way_back(run):
    async with run() as app:
        board, _ = await app.has_board()
        assert (await app.data(READ, id=board))["policy"] == DEFAULTS
        given = {
            name: not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value
            for name, value in DEFAULTS.items()
        }
        given |= {
            "questionExpiry": "HOLD",
            "repeatedQuestions": "ANSWER",
            "noChange": "DECIDE",
            "branchTemplate": "{run}/{slug}",
        }
        given["agentProfileId"] = (await make(app))["id"]
        given |= {"repository": "../web", "baseBranch": "trunk", "instructions": "Be kind."}
        told = await app.data(CHANGE, input={"boardId": board, "ifVersion": 1, **given})
        assert told == {"__typename": "Board", "version": 2, "policy": given}
        assert (await app.data(READ, id=board))["policy"] == given
        same = await app.data(CHANGE, input={"boardId": board, **given})
        assert same["version"] == 2, "what changes nothing is no change"
        stale = await app.data(CHANGE, input={"boardId": board, "ifVersion": 1, "concurrency": 2})
        assert stale == {"__typename": "Stale", "code": "STALE", "version": 2}
        back = await app.data(CHANGE, input={"boardId": board, **dict.fromkeys(DEFAULTS)})
        assert back == {"__typename": "Board", "version": 3, "policy": DEFAULTS}
        async with app.follow(FEED, id=board) as hear:
            heard = [(await hear())["boardFeed"] for _ in range(3)]
        assert [one["kind"] for one in heard] == ["BoardCreated", *["BoardPolicyUpdated"] * 2]
        changes = {one["field"]: (one["before"], one["after"]) for one in heard[1]["changes"]}
        assert changes.keys() == DEFAULTS.keys()
        assert changes["autoDispatch"] == ("false", "true")
        assert changes["noChange"] == ("SUCCEED", "DECIDE")


async def test_what_cannot_be_taken_changes_nothing(run):
    async with run() as app:
        board, _ = await app.has_board()
        told = await app.data(CHANGE, input={"boardId": board, "maxAttempts": 5, "leaseSeconds": 1})
        assert told == {"__typename": "Invalid", "code": "INVALID", "issues": [{"path": "leaseSeconds"}]}
        assert (await app.data(READ, id=board))["policy"] == DEFAULTS


@pytest.mark.parametrize(
    ("given", "dispatches"),
    [
        ({}, True),
        ({"template": "PIPELINE"}, True),
        ({"template": "KANBAN"}, False),
        ({"template": "BLANK"}, False),
        ({"template": "KANBAN", "autoDispatch": True}, True),
        ({"autoDispatch": False}, False),
    ],
)
async def test_agents_are_given_the_cards_of_pipelines(run, given, dispatches):
    async with run() as app:
        make = """mutation($input: CreateBoardInput!) { createBoard(input: $input) {
          ... on Board { policy { autoDispatch } } } }"""
        made = await app.data(make, input={"workspaceId": await app.home(), "name": "Web", **given})
        assert made == {"policy": {"autoDispatch": dispatches}}


async def test_the_limit_is_the_queues(run):
    async with run() as app:
        board, _ = await app.has_board()
        home = await app.home()
        assert await cap(app, board) == (1, 1), "a new board works one run at a time"
        async with app.begin() as tx:
            works = [NewJob(id=f"run_{n}", kind="CODE", tenant=home, scope=board) for n in range(4)]
            await queue.enqueue(tx, *works)

        async def claimed():
            async with app.begin() as tx:
                return len(await queue.claim(tx, "worker_x", ClaimFilter(tenant=home), most=4))

        assert await claimed() == 1
        await app.data(CHANGE, input={"boardId": board, "concurrency": 2})
        assert (await cap(app, board), await claimed()) == ((2, 2), 1)
        await app.data(CHANGE, input={"boardId": board, "concurrency": 0})
        assert (await cap(app, board), await claimed()) == ((None, 0), 2), "0 is no limit"
        await app.data(CHANGE, input={"boardId": board, "concurrency": None})
        assert (await cap(app, board))[0] == 1
        delete = """mutation($id: ID!) { deleteBoard(input: {id: $id, confirmName: "Web"}) { __typename } }"""
        assert (await app.data(delete, id=board))["__typename"] == "Board"
        assert await cap(app, board) == (None, 0), "nothing is left of a deleted board"
