"""The tools as a server of the Model Context Protocol. Failures are errors of the tool.

This module imports the protocol's package, which is slow: import it only when it is needed.
"""

import json
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from mcp.server.lowlevel import Server
from mcp_types import CallToolResult, ListToolsResult, TextContent, ToolAnnotations
from mcp_types import Tool as Described

from worker.tools.catalogue import TOOLS, Tool
from worker.tools.session import McpSession, ReportProgress, Row, ToolRefused

log = logging.getLogger("signalbox.tools")

VERSION = "1"
INSTRUCTIONS = (
    "Signalbox is the board that people and agents work on together. If you work on a card, read it with get_card,"
    " tick its subtasks as you finish them, and ask people with ask_question where you cannot decide by yourself."
    " People see all of it at once."
)
SessionOf = Callable[[Any, ReportProgress], McpSession]  # the session for the request of a call


def make_server(desk_of: SessionOf) -> Server[Any]:
    async def list_tools(context: Any, params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[_describe(tool) for tool in TOOLS.values()])

    async def call_tool(context: Any, params: Any) -> CallToolResult:
        async def tell(seconds: float, message: str) -> None:
            await context.session.report_progress(seconds, None, message)

        return await call(desk_of(context.request, tell), params.name, params.arguments or {})

    return Server(
        "signalbox",
        version=VERSION,
        title="Signalbox",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _describe(tool: Tool) -> Described:
    hints = ToolAnnotations(
        read_only_hint=tool.reads,
        destructive_hint=tool.deletes,
        idempotent_hint=tool.reads,
        open_world_hint=False,
    )
    return Described(
        name=tool.name, description=tool.description, input_schema=tool.schema, annotations=hints
    )


async def call(session: McpSession, name: str, given: Row) -> CallToolResult:
    """Execute a tool."""
    try:
        if name not in TOOLS:
            raise ToolRefused("NOT_FOUND", f"There is no tool {name[:100]!r}; there are {', '.join(TOOLS)}")
        _check(name, given)
        result = await TOOLS[name].do(session, **given)
    except ToolRefused as refusal:
        return _refused(refusal)
    except Exception as error:  # a bug; its message may quote secrets
        log.error("a tool failed", extra={"tool": name[:100], "type": type(error).__qualname__})
        return _refused(ToolRefused("INTERNAL", "Internal error"))
    content = result if isinstance(result, dict) else {"items": result}
    return CallToolResult(content=[_text(content)], structured_content=content)


def _refused(refusal: ToolRefused) -> CallToolResult:
    result: Row = {"code": refusal.code, "message": str(refusal), **refusal.more}
    return CallToolResult(content=[_text(result)], structured_content=result, is_error=True)


def _text(result: Row) -> TextContent:
    return TextContent(type="text", text=json.dumps(result, ensure_ascii=False))


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(TOOLS[name].schema)


def _check(name: str, given: Row) -> None:
    """Check a tool's input. Raises ToolRefused."""
    issues: list[Row] = [
        {"path": ".".join(map(str, error.absolute_path)), "message": error.message[:300]}
        for error in _validator(name).iter_errors(given)
    ]
    if issues:
        words = "; ".join(f"{tool['path']}: {tool['message']}".removeprefix(": ") for tool in issues[:5])
        raise ToolRefused("INVALID", words, issues=issues[:20])
