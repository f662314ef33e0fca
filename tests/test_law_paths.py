"""The law holds on every path: the same refusal whichever way a forbidden move is tried, and nothing changed."""

import itertools
import random

from models.board import Template
from models.stage import Law, Stage
from tests.board import card, do, dump

ALLOWED = ["BACKLOG", "PLAN", "TODO"]


async def columns(app, board):
    found = await app.data("query($id: ID!) { board(id: $id) { columns { id stage } } }", id=board)
    return [(column["id"], column["stage"]) for column in found["columns"]]


async def by_stage(app, board):
    return {stage: id for id, stage in reversed(await columns(app, board))}


async def prepared(app):
    """A card in the backlog that was done once: some of its revisions stood where it may not go now."""
    board, [id, other] = await app.has_board("Guarded", "Other")
    for stage in ("TODO", "IN_PROGRESS", "REVIEW", "DONE", "BACKLOG"):
        assert (await do(app, "moveCard", id=id, destination={"stage": stage}))["__typename"] == "Card"
    return board, id, other


async def restore(app, board, id, other):
    seq = (await card(app, id, "revisions(first: 50) { seq stage }"))["revisions"][0]
    assert seq["stage"] == "DONE"
    return await do(app, "restoreCardRevision", cardId=id, revision=seq["seq"])


async def update_column(app, board, id, other):
    return await do(app, "updateColumn", id=(await by_stage(app, board))["BACKLOG"], stage="DONE")


async def delete_column(app, board, id, other):
    lanes = await by_stage(app, board)
    return await do(app, "deleteColumn", id=lanes["BACKLOG"], moveCardsTo=lanes["DONE"])


async def create(app, board, id, other):
    return await do(app, "createCard", boardId=board, title="New", destination={"stage": "DONE"})


async def create_many(app, board, id, other):
    cards = [{"title": "one"}, {"title": "two"}]
    return await do(app, "createCards", boardId=board, cards=cards, destination={"stage": "DONE"})


async def update(app, board, id, other):
    return await do(app, "updateCard", id=id, title="Changed too", destination={"stage": "DONE"})


async def update_by_column(app, board, id, other):
    return await do(app, "updateCard", id=id, destination={"columnId": (await by_stage(app, board))["DONE"]})


async def move(app, board, id, other):
    return await do(app, "moveCard", id=id, destination={"stage": "DONE"})


async def move_by_column(app, board, id, other):
    return await do(
        app,
        "moveCard",
        id=id,
        destination={"columnId": (await by_stage(app, board))["DONE"]},
        position={"top": True},
    )


async def move_many(app, board, id, other):
    return await do(app, "moveCards", ids=[id, other], destination={"stage": "DONE"})


PATHS = [
    create,
    create_many,
    update,
    update_by_column,
    move,
    move_by_column,
    move_many,
    restore,
    update_column,
    delete_column,
]


async def test_every_path_gives_the_same_refusal_and_changes_nothing(run):
    async with run() as app:
        board, id, other = await prepared(app)
        before = await dump(app, board)
        for path in PATHS:
            refused = await path(app, board, id, other)
            assert refused["__typename"] == "StageRefused", (path, refused)
            assert (refused["at"], refused["to"], refused["allowed"]) == ("BACKLOG", "DONE", ALLOWED), path
            assert [reason["code"] for reason in refused["reasons"]] == ["LAW"], path
            assert refused["code"] == "STAGE_REFUSED", path
            first = {create: None, create_many: None, update_column: other, delete_column: other}
            assert refused["refusedCardId"] == first.get(path, id), f"the first that may not go: {path}"
            assert await dump(app, board) == before, path


async def test_one_refused_card_refuses_all(run):
    async with run() as app:
        board, [a, b, c] = await app.has_board(*"abc")
        await do(app, "moveCard", id=b, destination={"stage": "TODO"})
        before = await dump(app, board)
        refused = await do(app, "moveCards", ids=[b, a, c], destination={"stage": "IN_PROGRESS"})
        assert (refused["__typename"], refused["refusedCardId"]) == ("StageRefused", a)
        assert await dump(app, board) == before
        lanes = await by_stage(app, board)
        await do(app, "updateColumn", id=lanes["PLAN"], wipLimit=2)
        before = await dump(app, board)
        refused = await do(
            app,
            "createCards",
            boardId=board,
            destination={"stage": "PLAN"},
            cards=[{"title": t} for t in "xyz"],
        )
        assert refused["reasons"] == [{"code": "WIP_LIMIT", "cardIds": [], "limit": 2, "count": 2}]
        assert await dump(app, board) == before
        bad = await do(app, "createCards", boardId=board, cards=[{"title": "ok"}, {"title": " "}])
        assert bad["issues"][0]["path"] == "cards.1.title"
        assert await dump(app, board) == before


async def gate(app, id, stage, **more):
    """What `moves` says and what a move answers: they must agree."""
    [said] = [
        m
        for m in (await card(app, id, "moves { stage allowed reasons { code cardIds limit count } }"))[
            "moves"
        ]
        if m["stage"] == stage
    ]
    answer = await do(app, "moveCard", id=id, destination={"stage": stage}, **more)
    assert said["allowed"] == (answer["__typename"] == "Card")
    assert said["reasons"] == answer.get("reasons", [])
    return [reason["code"] for reason in said["reasons"]], answer


async def test_the_wip_limit_is_a_gate(run):
    async with run() as app:
        board, [a, b, c] = await app.has_board(*"abc")
        todo = (await by_stage(app, board))["TODO"]
        await do(app, "updateColumn", id=todo, wipLimit=2)
        assert (await do(app, "moveCards", ids=[a, b, c], destination={"stage": "TODO"}))[
            "__typename"
        ] == "StageRefused"
        await do(app, "moveCards", ids=[a, b], destination={"stage": "TODO"})
        codes, refused = await gate(app, c, "TODO")
        assert codes == ["WIP_LIMIT"]
        assert refused["reasons"][0] == {"code": "WIP_LIMIT", "cardIds": [], "limit": 2, "count": 2}
        assert (await do(app, "moveCard", id=b, destination={"columnId": todo}, position={"before": a}))[
            "__typename"
        ] == "Card", "reordering"
        await do(app, "archiveCard", id=a)
        assert (await gate(app, c, "TODO"))[0] == [], "an archived card takes no room"


async def test_a_stage_has_room_where_one_of_its_columns_has(run):
    async with run() as app:
        board, [a, b] = await app.has_board(*"ab")
        first = (await by_stage(app, board))["TODO"]
        second = (
            await do(app, "createColumn", "... on Column { id }", boardId=board, name="More", stage="TODO")
        )["id"]
        await do(app, "updateColumn", id=first, wipLimit=1)
        await do(app, "moveCard", id=a, destination={"stage": "TODO"})
        assert (await gate(app, b, "TODO"))[0] == []
        assert (await card(app, b, "columnId"))["columnId"] == second
        await do(app, "moveCard", id=b, destination={"stage": "TODO"}, position={"top": True})
        assert (await card(app, b, "columnId"))["columnId"] == second, "it stands in that stage already"


async def test_an_unfinished_blocker_is_a_gate_into_progress(run):
    async with run() as app:
        _, [a, b] = await app.has_board(*"ab")
        await do(app, "linkCards", cardId=a, targetId=b, kind="BLOCKS")
        assert (await gate(app, b, "TODO"))[0] == []
        codes, refused = await gate(app, b, "IN_PROGRESS")
        assert codes == ["BLOCKED"]
        assert refused["reasons"][0]["cardIds"] == [a]
        assert (await card(app, b, "allowedStages"))["allowedStages"] == ["BACKLOG", "PLAN", "TODO"]
        for stage in ("TODO", "IN_PROGRESS", "REVIEW", "DONE"):
            await do(app, "moveCard", id=a, destination={"stage": stage})
        assert (await gate(app, b, "IN_PROGRESS"))[0] == []


async def test_an_archived_card_or_board_does_not_move(run):
    async with run() as app:
        board, [a, b] = await app.has_board(*"ab")
        await do(app, "archiveCard", id=a)
        assert (await gate(app, a, "TODO"))[0] == ["CARD_ARCHIVED"]
        await do(app, "archiveBoard", id=board)
        before = await dump(app, board)
        assert (await gate(app, b, "TODO"))[0] == ["BOARD_ARCHIVED"]
        assert (await gate(app, a, "DONE"))[0] == ["BOARD_ARCHIVED", "CARD_ARCHIVED", "LAW"]
        assert (await do(app, "createCard", boardId=board, title="x"))["reasons"][0][
            "code"
        ] == "BOARD_ARCHIVED"
        assert (await do(app, "unarchiveCard", id=a))["reasons"][0]["code"] == "BOARD_ARCHIVED"
        assert await dump(app, board) == before
        await do(app, "unarchiveBoard", id=board)
        back = await do(app, "unarchiveCard", "... on Card { column { stage } }", id=a)
        assert back["column"]["stage"] == "BACKLOG"


async def test_a_stage_without_a_column_is_a_gate(run):
    async with run() as app:
        _, [a] = await app.has_board("a", template="KANBAN")
        codes, refused = await gate(app, a, "PLAN")
        assert codes == ["NO_COLUMN"]
        assert refused["allowed"] == ["TODO", "IN_PROGRESS", "REVIEW", "DONE"], "the board is FREE"


KEY = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  ... on ApiKeySecret { secret } ... on Refusal { message } } }"""


async def test_a_key_obeys_the_law_as_people_do(run):
    async with run() as app:
        board, id, _ = await prepared(app)
        made = await app.data(
            KEY, input={"workspaceId": await app.home(), "name": "bot", "scopes": ["WRITE"]}
        )
        app.tokens["bot"] = f"Bearer {made['secret']}"
        before = await dump(app, board)
        for field, input in (
            ("moveCard", {"id": id, "destination": {"stage": "DONE"}}),
            ("moveCards", {"ids": [id], "destination": {"stage": "DONE"}}),
            ("updateCard", {"id": id, "title": "x", "destination": {"stage": "DONE"}}),
            ("createCard", {"boardId": board, "title": "x", "destination": {"stage": "DONE"}}),
        ):
            refused = await do(app, field, actor="bot", **input)
            assert (refused["at"], refused["to"], refused["allowed"]) == ("BACKLOG", "DONE", ALLOWED), field
        assert await dump(app, board) == before


async def test_who_may_only_look_is_told_so_beforehand(run):
    async with run() as app:
        _, [id] = await app.has_board("a")
        await app.has_user("vic", "VIEWER")
        found = await card(app, id, "allowedStages moves { reasons { code } }", "vic")
        assert found["allowedStages"] == []
        assert all(move["reasons"][0] == {"code": "FORBIDDEN"} for move in found["moves"])
        assert (await do(app, "moveCard", actor="vic", id=id, destination={"stage": "TODO"}))[
            "__typename"
        ] == "Forbidden"


async def test_moves_tell_beforehand_what_a_move_answers(run):
    """On boards made by dice, `moves` and `moveCard` agree about every card and stage."""
    async with run() as app:
        for seed in range(3):
            dice = random.Random(seed)
            ids = await made_by(dice, app, f"Board {seed}")
            seen = {True: 0, False: 0}
            for _ in range(20):
                codes, _ = await gate(app, dice.choice(ids), dice.choice(list(Stage)))
                seen[not codes] += 1
            assert all(seen.values()), f"the dice {seed} found moves of both kinds"


async def made_by(dice, app, name):
    """The cards of a board with limits and blockers."""
    like = {"template": dice.choice(list(Template)), "law": dice.choice(list(Law))}
    board, _ = await app.has_board(name=name, **like)
    made = await do(
        app,
        "createCards",
        "... on Cards { cards { id } }",
        boardId=board,
        cards=[{"title": t} for t in "abcdef"],
    )
    ids = [one["id"] for one in made["cards"]]
    for stage in dice.sample(list(Stage), 3):
        limit = dice.choice([None, 1, 2])
        await do(app, "createColumn", boardId=board, name="Another", stage=stage, wipLimit=limit)
    for id, _ in await columns(app, board):
        if dice.random() < 0.4:
            await do(app, "updateColumn", id=id, wipLimit=dice.choice([1, 2]))
    for one, other in dice.sample(list(itertools.combinations(ids, 2)), 4):
        await do(app, "linkCards", cardId=one, targetId=other, kind="BLOCKS")
    await do(app, "archiveCard", id=dice.choice(ids))
    return ids
