"""One caller of the tools: executes API operations by name, and knows its own card and board."""

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Ask = Callable[
    [str, str, Row], Awaitable[Row]
]  # (name, text, variables) of an operation to its GraphQL response
ReportProgress = Callable[[float, str], Awaitable[None]]  # (seconds waited so far, reason)


class ToolRefused(Exception):
    """The API refused the operation: its code, message and further fields."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.more = code, more


@cache
def operations() -> dict[str, str]:
    """Return the text of every operation by name, with the fragment it uses."""
    blocks = Path(__file__).with_name("operations.graphql").read_text().split("\n\n")
    [fragment] = [block for block in blocks if block.startswith("fragment ")]
    named = [block for block in blocks if block.startswith(("query ", "mutation "))]
    return {
        block.replace("(", " ").split()[1]: f"{block}\n\n{fragment}" if "...Refused" in block else block
        for block in named
    }


class McpSession:
    def __init__(self, ask: Ask, report_progress: ReportProgress) -> None:
        self._ask, self.report_progress = ask, report_progress
        self._own: Row | None = None

    async def ask(self, name: str, /, **variables: Any) -> Any:
        """Execute an operation and return its only field. Raises ToolRefused."""
        [value] = (await self.execute_all(name, **variables)).values()
        if isinstance(value, dict) and "code" in value and "message" in value:
            raise ToolRefused(value["code"], value["message"], **_more(value))
        return value

    async def do(self, name: str, /, **input: Any) -> Row:
        """Execute a mutation. Arguments that are None are omitted."""
        value = await self.ask(name, input={key: entry for key, entry in input.items() if entry is not None})
        return {key: entry for key, entry in value.items() if key != "__typename"}

    async def execute_all(self, name: str, /, **variables: Any) -> Row:
        """Execute an operation and return all of its fields. Raises ToolRefused."""
        answer = await self._ask(name, operations()[name], variables)
        if errors := answer.get("errors"):
            extensions = dict(errors[0].get("extensions") or {})
            raise ToolRefused(
                extensions.pop("code", "ERROR"), errors[0].get("message", ""), **_extensions_shown(extensions)
            )
        return dict(answer["data"])

    async def own(self) -> Row:
        """Return the caller's run with its card and board; empty for a caller without a run."""
        if self._own is None:
            self._own = (await self.ask("OwnRun"))["run"] or {}
        return self._own

    async def card(self, id: str | None) -> str:
        return id or await self._named("cardId", "card_id")

    async def board(self, id: str | None) -> str:
        return id or await self._named("boardId", "board_id")

    async def _named(self, field: str, argument: str) -> str:
        if own_id := (await self.own()).get(field):
            return str(own_id)
        raise ToolRefused(
            "INVALID", f"{argument} must be given: only a run's own credential has one of its own"
        )


def require_found(value: Any, id: str) -> Any:
    """Return an object that was requested by id. Raises ToolRefused if it is null."""
    if value is None:
        raise ToolRefused("NOT_FOUND", "Nothing with that id exists that you may see", id=id)
    return value


def _more(value: Row) -> Row:
    return {key: entry for key, entry in value.items() if key not in ("__typename", "code", "message")}


def _extensions_shown(extensions: Row) -> Row:
    return {
        key: entry for key, entry in extensions.items() if key in ("reason", "retryAfter", "limit", "maximum")
    }
