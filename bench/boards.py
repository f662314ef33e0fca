"""A board to measure on, and what is asked of it: its cards with their subtasks and labels."""

from typing import Any

from sqlalchemy import insert, select, text

import models  # noqa: F401 - every table
from actions.ranks import rank_between
from kit.db.database import Database
from kit.eventlog.tables import NUMBER
from kit.ids import new_id
from models.board import Board, BoardColumn
from models.card import Card, CardLabel, Subtask
from models.topic import board_topic
from models.workspace import Label, Workspace

SUBTASKS = 5  # of each card
QUERY = """query Board($id: ID!, $first: Int!) { board(id: $id) { id name columns { id name stage }
  cards(first: $first) { nodes { id number title type priority dueOn version createdAt columnId
    subtasks { id title completed phase } labels { id name colour } } } } }"""
CARD = "query Card($id: ID!) { card(id: $id) { id number title priority version } }"
# The same in the words of the schema that PostGraphile makes of our database; it orders by indexed columns only.
POSTGRAPHILE = """query Board($id: String!, $first: Int!) { board: boardByRowId(rowId: $id) { rowId name
  boardColumnsByBoardId { nodes { rowId name stage } }
  cardsByBoardId(first: $first, condition: {archivedAt: null}, orderBy: [RANK_ASC, ROW_ID_ASC]) { nodes {
    rowId number title type priority dueOn version createdAt columnId
    subtasksByCardId(orderBy: [ROW_ID_ASC]) { nodes { rowId title completed phase } }
    cardLabelsByCardId { nodes { labelByLabelId { rowId name colour } } } } } } }"""
POSTGRAPHILE_CARD = """query Card($id: String!) {
  card: cardByRowId(rowId: $id) { rowId number title priority version } }"""


def labels_of(n: int) -> int:
    """How many labels card `n` carries: 1.7 on average."""
    return (1, 2, 2, 1, 2, 1, 2, 3, 1, 2)[n % 10]


async def fill(database: Database, cards: int, workspace: str | None = None) -> str:
    """Make a board with that many cards; return its id. Goes around the law, which measures nothing here."""
    async with database.write() as tx:
        if workspace is None:
            workspace = await tx.scalar(select(Workspace.id).limit(1))
        assert workspace, "somebody has a workspace"
        board = new_id("board")
        await tx.execute(
            insert(Board).values(
                id=board, workspace_id=workspace, name="Bench", key=f"B{board[-7:]}".upper(), rank=board[-12:]
            )
        )
        names = ["BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE"]
        columns = [
            {"id": new_id("column"), "board_id": board, "name": name.title(), "stage": name, "rank": f"a{n}"}
            for n, name in enumerate(names)
        ]
        labels = [
            {
                "id": new_id("label"),
                "workspace_id": workspace,
                "name": f"label {n} {board[-6:]}",
                "name_folded": f"label {n} {board[-6:]}",
                "colour": "#00FF00",
            }
            for n in range(3)
        ]
        await tx.execute(NUMBER, {"topic": board_topic(board), "epoch": "bench", "n": 1})
        await tx.execute(insert(BoardColumn), columns)
        await tx.execute(insert(Label), labels)
        await _cards(tx, board, columns, labels, cards)
    if not database.is_sqlite:
        async with database.write() as tx:
            await tx.execute(text("ANALYZE"))
    return board


async def _cards(tx: Any, board: str, columns: list[Any], labels: list[Any], count: int) -> None:
    rank, cards, subtasks, carried = None, [], [], []
    for n in range(count):
        rank, card = rank_between(rank, None), new_id("card")
        column = columns[n * len(columns) // count]["id"]
        cards.append(
            {
                "id": card,
                "board_id": board,
                "column_id": column,
                "rank": rank,
                "number": n + 1,
                "title": f"Card {n} wants to be done before the others",
                "description": "What is to be done, and why. " * 5,
                "priority": n % 5,
            }
        )
        for k in range(SUBTASKS):
            subtasks.append(
                {
                    "id": new_id("subtask"),
                    "card_id": card,
                    "board_id": board,
                    "title": f"Step {k} of card {n}",
                    "completed": k < n % 5,
                    "phase": "One",
                    "phase_order": 1,
                    "rank": f"a{k}",
                }
            )
        for label in labels[: labels_of(n)]:
            carried.append({"card_id": card, "label_id": label["id"], "board_id": board})
    for table, rows in ((Card, cards), (Subtask, subtasks), (CardLabel, carried)):
        for start in range(0, len(rows), 500):
            await tx.execute(insert(table), rows[start : start + 500])
