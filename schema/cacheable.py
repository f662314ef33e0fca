"""What a board shows that is its own data: answers made only of this may be kept while its number stands still.

On this list stands a field only if
- every change of what it shows gives the board's topic a number, in the transaction that makes the change;
- all who see the whole board are shown the same;
- the time of day, other boards, runs and whoever asks have no part in it.
People are the exception to the first: a board hears nothing of it when one of them takes another name, so the
proof looks at the people on its cards too (auth/board_version.py).
"""

from kit.graphql.response_cache import CachePolicy

CARDS = "nodes edges pageInfo totalCount"
FIELDS = {
    "Board": "id workspaceId name key description law archivedAt version createdAt columns cards cardCounts"
    " openCardCount seq cursor",
    "StageCount": "stage count",
    "Column": "id boardId name stage wipLimit version board cardCount cards",
    "CardConnection": CARDS,
    "CardEdge": "cursor node",
    "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
    "Card": "id boardId columnId number name title stage description type priority size storyPoints dueOn"
    " archivedAt version createdAt updatedAt board column parent children subtasks subtaskCount labels assignees"
    " links blocks blockedBy messageCount",
    "CardLink": "id kind cardId targetId createdAt card target",
    "Subtask": "id cardId title completed completedAt phase phaseOrder version createdAt updatedAt card",
    "SubtaskCount": "done total",
    "Label": "id workspaceId name colour version",
    "User": "id username nickname firstName lastName version createdAt",
}
BOARD = CachePolicy(
    root="board",
    key="id",
    fields={name: frozenset(fields.split()) for name, fields in FIELDS.items()},
    arguments=frozenset(("first", "after", "last", "before", "orderBy")),
)
PEOPLE = "User"  # the type that the proof looks at besides
