"""Boards and columns: templates, order, bounds; and the bad input that everybody tries first."""

import pytest

from models.board import MAX_COLUMNS, TEMPLATES

COLUMNS = "query($id: ID!) { board(id: $id) { columns { id name stage } } }"
MOVE = """mutation($input: MoveColumnInput!) { moveColumn(input: $input) { __typename } }"""
ADD = """mutation($input: CreateColumnInput!) { createColumn(input: $input) { __typename ... on Column { id } } }"""
DELETE = (
    """mutation($id: ID!) { deleteColumn(input: {id: $id}) { __typename ... on Conflict { message } } }"""
)


async def columns(app, board):
    return (await app.data(COLUMNS, id=board))["columns"]


@pytest.mark.parametrize("template", TEMPLATES)
async def test_a_template_gives_fresh_columns_every_time(run, template):
    async with run() as app:
        boards = [(await app.has_board(name=name, template=template))[0] for name in ("One", "Two")]
        one, two = [await columns(app, board) for board in boards]
        assert [(c["name"], c["stage"]) for c in one] == TEMPLATES[template]
        assert [c["name"] for c in one] == [c["name"] for c in two]
        assert not {c["id"] for c in one} & {c["id"] for c in two}


async def test_columns_and_boards_stand_where_they_are_put(run):
    async with run() as app:
        board, _ = await app.has_board(template="KANBAN")
        a, b, c, d = [column["id"] for column in await columns(app, board)]
        await app.data(MOVE, input={"id": d, "position": {"before": b}})
        await app.data(MOVE, input={"id": a})
        assert [column["id"] for column in await columns(app, board)] == [d, b, c, a]
        other, _ = await app.has_board(name="Other")
        move = """mutation($id: ID!, $at: ID!) {
          moveBoard(input: {id: $id, position: {before: $at}}) { __typename } }"""
        assert await app.data(move, id=other, at=board) == {"__typename": "Board"}
        found = (await app.data("{ boards { nodes { id } } }"))["nodes"]
        assert [row["id"] for row in found] == [other, board]


async def test_a_board_has_one_column_at_least_and_not_too_many(run):
    async with run() as app:
        board, _ = await app.has_board(template="BLANK")
        [only] = await columns(app, board)
        assert (await app.data(DELETE, id=only["id"]))["__typename"] == "Conflict"
        for n in range(MAX_COLUMNS - 1):
            made = await app.data(ADD, input={"boardId": board, "name": f"C{n}", "stage": "TODO"})
            assert made["__typename"] == "Column"
        more = await app.data(ADD, input={"boardId": board, "name": "More", "stage": "TODO"})
        assert more == {"__typename": "Conflict"}


def nested(levels):
    return "{ board(id: 1) " + "{ workspace { boards { nodes " * levels + "{ id }" + " } } }" * levels + " }"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (nested(67), 400),  # 201 levels
        ("{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}", 400),
        ("{ __typename } #" + "x" * 5_000_000, 413),
    ],
    ids=["201 levels", "10,000 aliases", "5 MB"],
)
async def test_what_is_too_large_is_refused_before_it_costs_anything(run, query, status):
    async with run() as app:
        accept = {"accept": "application/graphql-response+json"}
        answer = await app.client.post("/graphql", json={"query": query}, headers=accept)
        assert answer.status_code == status
        assert answer.json()["errors"][0]["extensions"]["code"]
        assert (await app.ask("{ __typename }")) == {"data": {"__typename": "Query"}}
