"""What a card knows and plans in its agent's prompt, and planned files compared with changed ones."""

import pytest

from models.planned_file import compare_with_plan
from tests.board import do
from tests.test_board_context import PARTS
from tests.work import hand, queued, set_policy, show

CHANGES = """query($id: ID!) { run(id: $id) { warnings
  plannedChanges { changed unchanged unplanned isComplete } } }"""


def file(path, **more):
    return {"path": path, "change": "EDIT", "additions": 1, "deletions": 0, **more}


async def test_a_prompt_has_what_is_known_planned_and_handed_over(run):
    async with run() as app:
        board, [parent, blocker, other, card] = await app.has_board("Walls", "Prime", "Roof", "Paint")
        await set_policy(app, board, concurrency=0)
        worker = await hand(app)
        for id, summary in (
            (parent, "Measured"),
            (blocker, "Primed"),
            (other, "Tiled"),
            (blocker, "Primed twice"),
        ):
            one = await queued(app, id) if summary != "Primed twice" else await again(app, id)
            await worker.take()
            await worker.complete(one, summary)
        for id in (parent, blocker):
            await do(app, "moveCard", id=id, destination={"stage": "DONE"})
        await do(app, "setParentCard", id=card, parentId=parent)
        await do(app, "linkCards", cardId=blocker, kind="BLOCKS", targetId=card)
        await do(app, "addKnowledge", cardId=card, kind="FACT", text="The wall is dry", evidence="log")
        await do(
            app, "addKnowledge", cardId=card, kind="ASSUMPTION", text="Nobody wants green", state="REJECTED"
        )
        await do(app, "addPlannedFile", cardId=card, path="paint.py", intent="Red", contract="def paint()")
        id = await queued(app, card)
        [claim] = await worker.claim()
        prompt = claim["work"]["prompt"]
        assert "Known about this card:\n\n- FACT, draft: The wall is dry\n  Evidence: log" in prompt
        assert "- EDIT paint.py (CODE, proposed)\n  Intent: Red\n  Contract: def paint()" in prompt
        assert "## WEB-1: Walls\nMeasured\n\n## WEB-2: Prime\nPrimed twice" in prompt
        for text in ("green", "Tiled", "Primed\n"):
            assert text not in prompt
        await do(app, "addKnowledge", cardId=card, kind="REQUIREMENT", text="Two coats")
        shown = await app.data(PARTS, id=id)
        assert shown["prompt"] == prompt, "frozen at the first claim"
        names = [part["name"] for part in shown["promptParts"]]
        assert names == ["TASK", "CARD", "KNOWLEDGE", "PLANNED_FILES", "HANDOFFS"]
        assert sum(part["characters"] + 2 for part in shown["promptParts"]) - 2 == len(prompt)


async def again(app, card):
    await do(app, "moveCard", id=card, destination={"stage": "TODO"})
    return (await do(app, "startRun", "... on Runs { runs { id } }", cardId=card))["runs"][0]["id"]


async def test_what_does_not_fit_is_left_out_and_named(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, promptLength=10_000)
        worker = await hand(app)
        for name in ("first", "second", "third"):
            text = f"{name} {'x' * 4_500}"
            await do(app, "addKnowledge", cardId=card, kind="REQUIREMENT", text=text)
        await do(app, "addPlannedFile", cardId=card, path="big.py", contract="y" * 9_000)
        await do(app, "addPlannedFile", cardId=card, path="small.py")
        id = await queued(app, card)
        await worker.take()
        shown = await app.data(PARTS, id=id)
        left = {part["name"]: part["leftOut"] for part in shown["promptParts"]}
        assert [name[:5] for name in left["KNOWLEDGE"]] == ["third"]
        assert left["PLANNED_FILES"] == ["big.py"]
        assert "Left out of planned files for their length: big.py" in shown["prompt"]
        assert "small.py (CODE" in shown["prompt"]


async def test_planned_files_are_compared_with_the_result(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        await set_policy(app, board, unplannedFiles="WARN")
        worker = await hand(app)
        for path in ("a.py", "b.py", "docs/", "empty/"):
            await do(app, "addPlannedFile", cardId=card, path=path)
        id = await queued(app, card)
        assert (await app.data(CHANGES, id=id))["plannedChanges"] is None
        await worker.take()
        assert (await app.data(CHANGES, id=id))["plannedChanges"] is None, "no diff is not an empty one"
        await do(app, "addPlannedFile", cardId=card, path="late.py")
        moved = file("new.py", change="MOVE", movedFrom="b.py")
        await worker.complete(id, files=[file("a.py"), file("docs/x/y.md"), moved])
        found = await app.data(CHANGES, id=id)
        assert found["plannedChanges"] == {
            "changed": ["a.py", "docs/x/y.md", "b.py"],
            "unchanged": ["empty/"],
            "unplanned": ["new.py"],
            "isComplete": True,
        }
        assert found["warnings"] == ["It changed what was not planned: new.py"]


@pytest.mark.parametrize(
    ("setting", "status"), [("ALLOW", "SUCCEEDED"), ("FORBID", "FAILED"), ("APPROVE", "SUCCEEDED")]
)
async def test_the_policy_makes_the_plan_a_check(run, setting, status):
    async with run() as app:
        board, [card, free] = await app.has_board("Paint", "Free")
        await set_policy(app, board, concurrency=0, unplannedFiles=setting)
        worker = await hand(app)
        await do(app, "addPlannedFile", cardId=card, path="a.py")
        for id in (card, free):
            one = await queued(app, id)
            await worker.take()
            await worker.complete(one, files=[file("a.py"), file("b.py")], headSha="a" * 40, branch="x")
            shown = await show(app, one)
            planned = id == card
            assert shown["status"] == (status if planned else "SUCCEEDED")
            if setting == "FORBID" and planned:
                assert (shown["failureCode"], shown["failureReason"]) == (
                    "POLICY_VIOLATION",
                    "It changed what was not planned: b.py",
                )
                continue
            moved = await do(app, "moveCard", id=id, destination={"stage": "DONE"})
            refused = setting == "APPROVE" and planned
            assert moved["__typename"] == ("StageRefused" if refused else "Card"), moved


def test_paths_are_compared_by_name_and_folder():
    compared = compare_with_plan(["a", "b/", "c/"], ["b/x", "bx", "a", "a"])
    assert (compared.changed, compared.unchanged, compared.unplanned) == (["b/x", "a"], ["c/"], ["bx"])
