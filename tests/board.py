"""What tests say about boards: mutations in one line, and everything a board shows, to compare."""

import re
from typing import Any

REFUSALS = """__typename ... on Refusal { code message
  ... on StageRefused { at to allowed refusedCardId reasons { code cardIds limit count } }
  ... on Invalid { issues { path message } }
  ... on Stale { version }
  ... on Conflict { conflict: conflictingId }
  ... on NotFound { missing: requestedId } }"""

CARD = "id name title version stage: column { stage }"
SUBTASK = "id title completed phase phaseOrder version"
MESSAGE = "id body editedAt deletedAt version author { kind name }"


async def do(app: Any, field: str, shown: str = "", actor: str = "", **input: Any) -> Any:
    """Run one mutation by its name; `shown` selects what it answers when it is not refused."""
    kind = field[0].upper() + field[1:]
    query = f"mutation($input: {kind}Input!) {{ {field}(input: $input) {{ {REFUSALS} {shown} }} }}"
    return await app.data(query, actor, input=input)


async def card(app: Any, id: str, shown: str, actor: str = "") -> Any:
    return await app.data(f"query($id: ID!) {{ card(id: $id) {{ {shown} }} }}", actor, id=id)


BOARD = """query($id: ID!) { board(id: $id) {
  name law archivedAt version seq
  columns { id name stage wipLimit version cardCount
    cards(first: 50, filter: {any: [{}]}) { nodes { id } } }
  cards(first: 50) { nodes { ...C } }
  archived: cards(first: 50, filter: {archived: true}) { nodes { ...C } } } }
  fragment C on Card { id title description type priority size storyPoints dueOn version updatedAt archivedAt
    columnId parent { id } labels { id } assignees { id } links { id } blocks { id }
    subtasks { id title completed phase phaseOrder } messageCount }"""


async def dump(app: Any, board: str) -> Any:
    """Everything that a board shows, and how far its feed is."""
    return await app.data(BOARD, id=board)


async def told(app: Any, board: str, shown: str = "kind") -> list[Any]:
    """Every item of a board's feed, flat: `kind` is the event's type."""
    seq = (await app.data("query($id: ID!) { board(id: $id) { seq } }", id=board))["seq"]
    envelope = "seq correlationId" if "correlationId" in shown else "seq"
    event = re.sub(r"\bkind\b", "kind: __typename", shown.replace("correlationId", "")) or "__typename"
    query = f"""subscription($id: ID!) {{
      boardFeed(boardId: $id, after: "0") {{ {envelope} event {{ {event} }} }} }}"""
    async with app.follow(query, id=board) as hear:
        events = [(await hear())["boardFeed"] for _ in range(seq)]
    assert [event.pop("seq") for event in events] == list(range(1, seq + 1)), "numbers are dense"
    return events


WHO_ASKS = re.compile(
    r'SELECT "?user"?\.is_active, auth_session\.revoked_at, auth_session\.expires_at\s+FROM'
)


def reads(statements: list[str]) -> list[str]:
    """What an operation read, without the look at who asks."""
    return [s for s in statements if not WHO_ASKS.match(s)]


async def do_each(app: Any, field: str, shown: str, actor: str, *inputs: Any) -> list[Any]:
    """Run one mutation with several inputs, one after the other, in one operation."""
    kind = f"{field[0].upper()}{field[1:]}Input!"
    given = {f"i{n}": input for n, input in enumerate(inputs)}
    fields = " ".join(f"{key}: {field}(input: ${key}) {{ {REFUSALS} {shown} }}" for key in given)
    answer = await app.ask(
        f"mutation({', '.join(f'${key}: {kind}' for key in given)}) {{ {fields} }}", actor, **given
    )
    assert "errors" not in answer, answer["errors"]
    return [answer["data"][key] for key in given]
