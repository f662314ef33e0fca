"""CSV for spreadsheets (RFC 4180, CRLF, a header line): the cards of a board, and the velocity report."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from sqlalchemy import select
from strawberry import ID

from auth.permissions import sees_card
from kit.graphql.errors import PublicError
from models.account import User
from models.board import BoardColumn
from models.card import Card, CardAssignee, CardLabel
from models.sprint import Sprint
from models.workspace import Label
from resolvers.board import BOARD
from resolvers.card import Filter
from resolvers.card_filter import CardFilter, filter_clauses
from resolvers.context import Info
from resolvers.sprint import COMPLETED_OF_BOARD, velocity_of_rows

MAX_CSV_CARDS = 2_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell
CARDS = (
    *(
        "name",
        "title",
        "description",
        "column",
        "stage",
        "type",
        "priority",
        "size",
        "story points",
        "due on",
    ),
    *("labels", "assignees", "sprint", "archived at", "created at", "updated at"),
)
VELOCITY = ("sprint", "completed at", "committed points", "completed points", "average", "forecast")


async def cards_csv(info: Info, board_id: Annotated[ID, "The board."], filter: Filter = None) -> str | None:
    """The cards of a board as CSV, column by column from the top; null if you may not see the board.

    A text that a spreadsheet would compute begins with an apostrophe. Raises LIMIT_EXCEEDED above 2,000 cards.
    """
    context = info.context
    board = await context.load(BOARD, board_id)
    if board is None:
        return None
    these = (
        Card.board_id == board.id,
        sees_card(context.actor, Card.board_id, Card.id),
        *filter_clauses(filter or CardFilter()),
    )
    columns = select(*Card.__table__.c, BoardColumn.name.label("column_name"), BoardColumn.stage)
    query = columns.join(BoardColumn, BoardColumn.id == Card.column_id).where(*these)
    rows = await context.read(query.order_by(BoardColumn.rank, Card.rank, Card.id).limit(MAX_CSV_CARDS + 1))
    if len(rows) > MAX_CSV_CARDS:
        raise PublicError(
            f"More than {MAX_CSV_CARDS:,} cards match: narrow the filter", code="LIMIT_EXCEEDED", status=200
        )
    matching = select(Card.id).join(BoardColumn, BoardColumn.id == Card.column_id).where(*these)
    labels = await _names(
        context.read, select(CardLabel.card_id, Label.name).join(Label), CardLabel.card_id.in_(matching)
    )
    people = await _names(
        context.read,
        select(CardAssignee.card_id, User.username.label("name")).join(User),
        CardAssignee.card_id.in_(matching),
    )
    sprints = {
        row.id: row.name
        for row in await context.read(select(Sprint.id, Sprint.name).where(Sprint.board_id == board.id))
    }
    return _table(
        CARDS,
        (
            (
                *(
                    f"{board.key}-{row.number}",
                    row.title,
                    row.description,
                    row.column_name,
                    row.stage,
                    row.type,
                ),
                *(row.priority.name, row.size, row.story_points, row.due_on),
                *(", ".join(labels[row.id]), ", ".join(people[row.id]), sprints.get(row.sprint_id)),
                *(row.archived_at, row.created_at, row.updated_at),
            )
            for row in rows
        ),
    )


async def velocity_csv(info: Info, board_id: Annotated[ID, "The board."]) -> str | None:
    """The velocity report of a board as CSV: its last six completed sprints, newest first.

    The line of the newest sprint has the average and the forecast. Null if you may not see the board.
    """
    board = await info.context.load(BOARD, board_id)
    if board is None:
        return None
    velocity = velocity_of_rows(await info.context.load(COMPLETED_OF_BOARD, board.id))
    return _table(
        VELOCITY,
        (
            (
                *(one.name, one.completed_at, one.committed_points, one.completed_points),
                *((velocity.average, velocity.forecast) if place == 0 else (None, None)),
            )
            for place, one in enumerate(velocity.sprints)
        ),
    )


async def _names(read: Any, query: Any, where: Any) -> dict[str, list[str]]:
    """Read names by the card that has them, in alphabetical order."""
    names: dict[str, list[str]] = defaultdict(list)
    for row in await read(query.where(where)):
        names[row.card_id].append(row.name)
    return defaultdict(list, {id: sorted(some) for id, some in names.items()})


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(header)
    table.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
