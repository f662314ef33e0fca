"""Subtasks: phases in the order of the work, progress that follows, events that tell it."""

import pytest

from tests.board import SUBTASK, card, do, told


async def add(app, card_id, title, **input):
    return await do(
        app, "addSubtask", f"... on Subtask {{ {SUBTASK} }}", cardId=card_id, title=title, **input
    )


async def listed(app, card_id):
    found = await card(app, card_id, "subtasks { title phase phaseOrder } subtaskCount { done total }")
    return [(s["title"], s["phase"], s["phaseOrder"]) for s in found["subtasks"]], found["subtaskCount"]


async def test_phases_follow_the_work_not_the_alphabet(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        await add(app, id, "plan", phase="Think")
        await add(app, id, "ask", phase="Think")
        await add(app, id, "code", phase="Build")
        await add(app, id, "loose")
        await add(app, id, "test", phase="Zero", phaseOrder=10)
        await add(app, id, "demo", phase="After", phaseOrder=9)
        await add(app, id, "more", phase="Build")
        shown, count = await listed(app, id)
        assert shown == [
            ("loose", None, 0),
            ("plan", "Think", 1),
            ("ask", "Think", 1),
            ("code", "Build", 2),
            ("more", "Build", 2),
            ("demo", "After", 9),  # 9 before 10: numbers, not text
            ("test", "Zero", 10),
        ]
        assert count == {"done": 0, "total": 7}


async def test_a_subtask_is_moved_within_its_phase_and_across(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        a, b, c = [(await add(app, id, t, phase="One"))["id"] for t in "abc"]
        d = (await add(app, id, "d", phase="Two"))["id"]

        async def titles():
            return [f"{title}{order}" for title, _, order in (await listed(app, id))[0]]

        await do(app, "moveSubtask", id=c, position={"before": a})
        assert await titles() == ["c1", "a1", "b1", "d2"]
        await do(app, "moveSubtask", id=c, position={"after": a})
        assert await titles() == ["a1", "c1", "b1", "d2"]
        await do(app, "moveSubtask", id=a, position={"after": d})  # the phase is its neighbour's
        assert await titles() == ["c1", "b1", "d2", "a2"]
        await do(app, "moveSubtask", id=a, phase="Three")
        await do(app, "moveSubtask", id=b, phase=None)
        assert await titles() == ["b0", "c1", "d2", "a3"]
        await do(app, "moveSubtask", id=d, phaseOrder=1, position={"before": c})
        assert await titles() == ["b0", "d1", "c1", "a3"]
        refused = await do(app, "moveSubtask", id=d, phase="Three", position={"before": c})
        assert refused["issues"][0]["path"] == "position.before", "that neighbour stands in another phase"
        assert await titles() == ["b0", "d1", "c1", "a3"]


async def test_ticking_a_subtask_is_told_with_the_progress(run):
    async with run() as app:
        board, [id] = await app.has_board("Ship it")
        one, two = [(await add(app, id, t))["id"] for t in ("one", "two")]
        done = await do(
            app, "updateSubtask", f"... on Subtask {{ {SUBTASK} completedAt }}", id=one, completed=True
        )
        assert done["completed"]
        assert done["completedAt"]
        assert done["version"] == 2
        same = await do(app, "updateSubtask", "... on Subtask { version }", id=one, completed=True)
        assert same["version"] == 2, "what is so already is no change"
        await do(app, "updateSubtask", id=two, title="second", phase="Later")
        await do(app, "deleteSubtask", id=two)
        open_again = await do(app, "updateSubtask", "... on Subtask { completedAt }", id=one, completed=False)
        assert open_again["completedAt"] is None
        shown = """kind ... on SubtaskEvent { title done total subtask { id } card { id } }
          ... on SubtaskUpdated { changes { field before after } }"""
        events = (await told(app, board, shown))[2:]
        tuples = [(e["kind"], e["title"], e["done"], e["total"]) for e in events]
        assert tuples == [
            ("SubtaskCreated", "one", 0, 1),
            ("SubtaskCreated", "two", 0, 2),
            ("SubtaskUpdated", "one", 1, 2),
            ("SubtaskUpdated", "second", 1, 2),
            ("SubtaskDeleted", "second", 1, 1),
            ("SubtaskUpdated", "one", 0, 1),
        ]
        assert events[2]["changes"] == [{"field": "completed", "before": "false", "after": "true"}]
        assert events[1]["subtask"] is None, "it is gone by now"
        assert {e["card"]["id"] for e in events} == {id}


NO_SUBTASKS = [
    ({"title": "  "}, "title"),
    ({"title": "x" * 256}, "title"),
    ({"title": "ok", "phase": ""}, "phase"),
    ({"title": "ok", "phase": "x" * 81}, "phase"),
    ({"title": "ok", "phaseOrder": -1, "phase": "P"}, "phaseOrder"),
    ({"title": "ok", "phaseOrder": 0, "phase": "P"}, "phaseOrder"),
    ({"title": "ok", "phaseOrder": 3}, "phase"),
    ({"title": "ok", "phaseOrder": 2, "phase": "Known"}, "phaseOrder"),
    ({"title": "ok", "phaseOrder": 1, "phase": "Other"}, "phaseOrder"),
    ({"title": "ok", "position": {"after": "subtask_00000000000000000000000000"}}, "position.after"),
]


async def test_what_a_subtask_cannot_be(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        await add(app, id, "first", phase="Known")
        for input, path in NO_SUBTASKS:
            answer = await do(app, "addSubtask", cardId=id, **input)
            assert answer["__typename"] == "Invalid", input
            assert answer["issues"][0]["path"] == path, input
        assert (await listed(app, id))[1]["total"] == 1


async def test_a_card_has_at_most_100_subtasks(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        adds = " ".join(
            f'a{i}: addSubtask(input: {{cardId: $c, title: "{i}"}}) {{ __typename }}' for i in range(25)
        )
        for _ in range(4):
            await app.ask(f"mutation($c: ID!) {{ {adds} }}", c=id)
        answer = await add(app, id, "one too many")
        assert answer["__typename"] == "Conflict"
        assert (await listed(app, id))[1] == {"done": 0, "total": 100}
        assert [t for t, _, _ in (await listed(app, id))[0]] == [str(i) for i in range(25)] * 4


async def test_a_stale_version_changes_nothing(run):
    async with run() as app:
        _, [id] = await app.has_board("Ship it")
        subtask = (await add(app, id, "one"))["id"]
        await do(app, "updateSubtask", id=subtask, title="two")
        for field, more in (("updateSubtask", {"title": "three"}), ("deleteSubtask", {})):
            stale = await do(app, field, id=subtask, ifVersion=1, **more)
            assert (stale["__typename"], stale["version"]) == ("Stale", 2)
        assert [t for t, _, _ in (await listed(app, id))[0]] == ["two"]


PHASES = """query($id: ID!) { card(id: $id) { subtasks { title phase phaseOrder } } }"""


async def phased(app):
    _, [id] = await app.has_board("Build")
    for title, phase in (
        ("dig", "Ground"),
        ("pour", "Ground"),
        ("wall", "Walls"),
        ("tile", "Roof"),
        ("look", None),
    ):
        await do(app, "addSubtask", cardId=id, title=title, phase=phase)
    return id


async def test_phases_are_reordered_and_renamed_in_one_call(run):
    async with run() as app:
        id = await phased(app)
        phases = [
            {"name": "Roof", "rename": "Walls"},
            {"name": "Ground"},
            {"name": "Walls", "rename": "House walls"},
        ]
        for _ in range(2):
            answer = await do(app, "setPhases", "... on Card { id }", cardId=id, phases=phases)
            if answer["__typename"] == "Invalid":
                break  # the second time the names are others
        shown = (await app.data(PHASES, id=id))["subtasks"]
        assert [(one["title"], one["phase"], one["phaseOrder"]) for one in shown] == [
            ("look", None, 0),
            ("tile", "Walls", 1),
            ("dig", "Ground", 2),
            ("pour", "Ground", 2),
            ("wall", "House walls", 3),
        ]


@pytest.mark.parametrize(
    ("phases", "path"),
    [
        ([{"name": "Ground"}, {"name": "Walls"}], "phases"),
        ([{"name": "Ground"}, {"name": "Walls"}, {"name": "Roof"}, {"name": "Cellar"}], "phases"),
        ([{"name": "Ground"}, {"name": "Ground"}, {"name": "Walls"}, {"name": "Roof"}], "phases"),
        ([{"name": "Ground", "rename": "Roof"}, {"name": "Walls"}, {"name": "Roof"}], "phases"),
        ([{"name": "Ground", "rename": "x" * 81}, {"name": "Walls"}, {"name": "Roof"}], "phases.0.rename"),
    ],
)
async def test_phases_that_are_not_those_of_the_card_change_nothing(run, phases, path):
    async with run() as app:
        id = await phased(app)
        before = await app.data(PHASES, id=id)
        answer = await do(app, "setPhases", cardId=id, phases=phases)
        assert [issue["path"] for issue in answer.get("issues", ())] == [path], answer
        assert await app.data(PHASES, id=id) == before
