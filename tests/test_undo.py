"""Undoing a change: the board is as it was before, or the refusal says why not."""

import asyncio

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.board import do, dump, told

CURSOR = "query($id: ID!) { board(id: $id) { seq } }"
MOVING = {"version", "seq", "updatedAt"}  # of any change


async def seq_of(app, board):
    return (await app.data(CURSOR, id=board))["seq"]


async def undo(app, board, actor="", **change):
    return await do(app, "undo", "... on Board { seq }", actor, boardId=board, **change)


def still(value):
    """The board without versions and times; sets of labels and assignees have no order."""
    if isinstance(value, dict):
        shown = {key: still(item) for key, item in value.items() if key not in MOVING}
        for key in ("labels", "assignees", "links", "blocks"):
            if key in shown:
                shown[key] = len(shown[key]) if key in ("links", "blocks") else sorted(map(str, shown[key]))
        if shown.get("archivedAt"):
            shown["archivedAt"] = True
        return shown
    return [still(item) for item in value] if isinstance(value, list) else value


async def shown(app, board):
    return still(await dump(app, board))


INDEX = st.integers(0, 3)
CHANGE = st.one_of(
    st.tuples(st.just("fields"), INDEX, st.sampled_from([
        {"title": "Other"}, {"priority": "CRITICAL", "type": "BUG"}, {"size": "LARGE", "storyPoints": 8},
        {"dueOn": "2026-12-24", "description": "Text"}, {"storyPoints": None, "dueOn": None},
    ])),
    st.tuples(st.just("move"), INDEX, st.tuples(st.integers(0, 2), st.sampled_from(["top", "bottom"]))),
    st.tuples(st.just("moveMany"), INDEX, st.tuples(st.integers(0, 2), st.sampled_from(["top", "bottom"]))),
    st.tuples(st.just("bulk"), INDEX, st.sampled_from([
        {"priority": "LOW"}, {"title": {"prefix": "x "}, "storyPoints": {"set": 3}},
        {"dueOn": {"set": "2027-01-01"}},
    ])),
    st.tuples(st.just("bulkLabels"), INDEX, st.sampled_from(["add", "remove", "replace"])),
    st.tuples(st.just("label"), INDEX, st.booleans()),
    st.tuples(st.just("person"), INDEX, st.booleans()),
    st.tuples(st.just("archive"), INDEX, st.booleans()),
    st.tuples(st.just("create"), INDEX, st.integers(1, 3)),
    st.tuples(st.just("link"), INDEX, st.booleans()),
    st.tuples(st.just("parent"), INDEX, INDEX),
    st.tuples(st.just("subtask"), INDEX, st.sampled_from([
        {"title": "Other"}, {"completed": True}, {"phase": "Late"}, {"phase": None, "completed": False},
    ])),
    st.tuples(st.just("moveSubtask"), INDEX, st.sampled_from(["top", "bottom"])),
    st.tuples(st.just("addSubtask"), INDEX, st.booleans()),
)  # fmt: skip


class Board:
    """A board with cards, labels and subtasks, and the changes that are made on it."""

    async def make(self, app):
        self.app = app
        self.id, self.cards = await app.has_board("One", "Two", "Three", "Four")
        self.columns = [
            (await do(app, "createColumn", "... on Column { id }", boardId=self.id, name=name, stage=stage))[
                "id"
            ]
            for name, stage in (("Ideas", "BACKLOG"), ("Later", "BACKLOG"), ("Design", "PLAN"))
        ]
        self.labels = [
            (await do(app, "createLabel", "... on Label { id }", workspaceId=await app.home(), name=name,
                      colour="#112233"))["id"]
            for name in ("red", "blue")
        ]  # fmt: skip
        self.subtasks = []
        for card in self.cards:
            for title in ("a", "b"):
                made = await do(
                    app, "addSubtask", "... on Subtask { id }", cardId=card, title=title, phase="Early"
                )
                self.subtasks.append(made["id"])
        return self

    async def change(self, kind, n, value):
        app, card, more = self.app, self.cards[n], [self.cards[n], self.cards[(n + 2) % 4]]
        match kind:
            case "fields":
                return await do(app, "updateCard", id=card, **value)
            case "move" | "moveMany":
                place = {"destination": {"columnId": self.columns[value[0]]}, "position": {value[1]: True}}
                if kind == "move":
                    return await do(app, "moveCard", id=card, **place)
                return await do(app, "moveCards", ids=more, **place)
            case "bulk":
                return await do(app, "bulkUpdateCards", ids=more, **value)
            case "bulkLabels":
                return await do(app, "bulkUpdateCards", ids=more, labels={value: [self.labels[n % 2]]})
            case "label":
                return await do(
                    app, "addLabel" if value else "removeLabel", cardId=card, labelId=self.labels[0]
                )
            case "person":
                return await do(
                    app, "assignCard" if value else "unassignCard", cardId=card, userId=app.owner.id
                )
            case "archive":
                return await do(app, "archiveCard" if value else "unarchiveCard", id=card)
            case "create":
                return await do(app, "createCards", boardId=self.id, cards=[{"title": "New"}] * value)
            case "link":
                return await do(app, "linkCards", cardId=card, targetId=more[1], kind="BLOCKS")
            case "parent":
                return await do(
                    app, "setParentCard", id=card, parentId=None if n == value else self.cards[value]
                )
            case "subtask":
                return await do(app, "updateSubtask", id=self.subtasks[n], **value)
            case "moveSubtask":
                return await do(app, "moveSubtask", id=self.subtasks[n], position={value: True})
            case "addSubtask":
                return await do(app, "addSubtask", cardId=card, title="c")


@pytest.mark.slow
@pytest.mark.parametrize(
    "count", [60, pytest.param(1_000, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]
)
async def test_a_generated_change_undone_at_once_leaves_the_board_as_it_was(run, count):
    async with run(points=10**9) as app:
        board, done = await Board().make(app), []

        async def compare(kind, n, value, keep):
            before, first = await shown(app, board.id), await seq_of(app, board.id)
            await board.change(kind, n, value)
            last = await seq_of(app, board.id)
            if last == first or keep == 0:  # nothing changed, or it stays and the next one begins there
                return
            answer = await undo(app, board.id, seq=last)
            assert answer["__typename"] == "Board", (kind, n, value, answer)
            assert await shown(app, board.id) == before, (kind, n, value)
            done.append(kind)

        loop = asyncio.get_running_loop()

        @settings(
            max_examples=count, deadline=None, database=None, derandomize=True,
            phases=[Phase.generate],  # the board goes on: nothing to shrink to
           
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(CHANGE, st.integers(0, 3))
        def check(change, keep):
            asyncio.run_coroutine_threadsafe(compare(*change, keep), loop).result(60)

        await asyncio.to_thread(check)
        assert len(done) >= count / 4
        assert len(set(done)) >= 9
        kinds = await told(app, board.id)  # its numbers are dense
        assert sum(one["kind"] == "ChangeUndone" for one in kinds) == len(done)


async def test_a_bulk_change_is_undone_by_its_correlation_id_once(run):
    async with run() as app:
        board, ids = await app.has_board("One", "Two")
        before = await shown(app, board)
        await do(app, "bulkUpdateCards", ids=ids, priority="HIGH", title={"suffix": "!"})
        events = await told(app, board, "kind correlationId")
        id, count = events[-1]["correlationId"], len(events)
        assert (await undo(app, board, correlationId=id))["__typename"] == "Board"
        assert await shown(app, board) == before
        new = (await told(app, board, "kind correlationId"))[count:]
        assert [one["kind"] for one in new] == ["CardUpdated", "CardUpdated", "ChangeUndone"]
        assert len({one["correlationId"] for one in new} - {id}) == 1
        for change in ({"correlationId": id}, {"seq": count}):
            again = await undo(app, board, **change)
            assert (again["code"], again["message"]) == ("CONFLICT", "The change was undone already")
        undone = await undo(app, board, seq=count + 3)
        assert undone["message"] == "ChangeUndone cannot be undone"
        assert await shown(app, board) == before


async def test_two_at_once_undo_it_once(run):
    async with run() as app:
        board, ids = await app.has_board("One")
        await do(app, "updateCard", id=ids[0], title="Two")
        seq = await seq_of(app, board)
        answers = await asyncio.gather(*(undo(app, board, seq=seq) for _ in range(5)))
        assert sorted(one["__typename"] for one in answers) == ["Board"] + ["Conflict"] * 4


async def test_what_was_built_on_is_refused_and_nothing_changes(run):
    async with run() as app:
        board, [card, parent] = await app.has_board("One", "Two")
        created = (await seq_of(app, board)) - 1
        await do(app, "updateCard", id=card, title="Three", priority="LOW")
        first = await seq_of(app, board)
        await do(app, "updateCard", id=card, storyPoints=5)  # another field
        await do(app, "updateCard", id=card, title="Four")
        before = await dump(app, board)
        for seq, name in ((first, "CardUpdated, event"), (created, "CardUpdated, event")):
            answer = await undo(app, board, seq=seq)
            assert (answer["code"], answer["conflict"]) == ("CONFLICT", card)
            assert name in answer["message"]
        assert await dump(app, board) == before
        answer = await undo(app, board, seq=first + 1)
        assert answer["__typename"] == "Board", "another field was changed since"
        await do(app, "postMessage", cardId=parent, body="Here")
        assert (await undo(app, board, seq=created + 1))["code"] == "CONFLICT", "somebody wrote on it"


async def test_the_law_judges_the_move_back(run):
    async with run() as app:
        board, [card, other] = await app.has_board("One", "Two")
        columns = (await dump(app, board))["columns"]
        backlog = next(one["id"] for one in columns if one["stage"] == "BACKLOG")
        await do(app, "moveCard", id=card, destination={"stage": "PLAN"})
        seq = await seq_of(app, board)
        await do(app, "updateColumn", id=backlog, wipLimit=1)
        before = await dump(app, board)
        answer = await undo(app, board, seq=seq)
        assert [reason["code"] for reason in answer["reasons"]] == ["WIP_LIMIT"]
        assert await dump(app, board) == before
        await do(app, "archiveCard", id=other)
        assert (await undo(app, board, seq=seq))["__typename"] == "Board"


async def test_what_cannot_be_undone_says_so(run):
    async with run() as app:
        board, [card] = await app.has_board("One")
        assert (await undo(app, board, seq=1))["message"] == "BoardCreated cannot be undone"
        for bad in (0, -1, 999):
            assert (await undo(app, board, seq=bad))["code"] == "NOT_FOUND"
        assert (await undo(app, board, correlationId="batch_none"))["code"] == "CONFLICT"
        for both in ({}, {"seq": 1, "correlationId": "batch_none"}):
            assert (await undo(app, board, **both))["code"] == "INVALID"
        await do(app, "updateCard", id=card, title="Two")
        seq = await seq_of(app, board)
        async with app.services.database.engine.begin() as connection:
            old = "UPDATE event SET at = '2026-01-01 00:00:00' WHERE topic = :topic AND seq = :seq"
            await connection.execute(text(old), {"topic": f"board:{board}", "seq": seq})
        assert "seconds old" in (await undo(app, board, seq=seq))["message"]
        await do(app, "deleteCard", id=card)
        answer = await undo(app, board, seq=seq + 1)
        assert answer["message"] == "CardDeleted cannot be undone"
