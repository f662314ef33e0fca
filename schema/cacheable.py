"""The fields of a board's own data: a response of only these may be cached until the board's `seq` changes.

A field may be listed only if
- every change of its value increases the `seq` of the board's topic in the same transaction;
- it has the same value for everybody who may see the whole board;
- it does not depend on the time of day, other boards, runs or the caller.
People are the exception to the first rule: a person's new name has no event on the board. The version that
guards the cache therefore covers the people on the board's cards (auth/board_version.py).
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
PEOPLE = "User"  # the type of people, whose changes the version covers separately
