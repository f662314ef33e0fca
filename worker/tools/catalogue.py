"""The tools: their input and the API operation that each executes.

The caller's credential decides what a tool may do. With a run's token, an agent reads its card, completes and adds
subtasks, notes knowledge and planned files, adds files, comments, edits the card's texts, creates cards under it,
and asks. Everything else is FORBIDDEN.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from worker.tools.question import ask_and_wait
from worker.tools.session import McpSession, Row, require_found

STAGES = ("BACKLOG", "PLAN", "TODO", "IN_PROGRESS", "REVIEW", "DONE")
PRIORITIES = ("NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL")
KNOWLEDGE_KINDS = ("REQUIREMENT", "FACT", "ASSUMPTION")
ARTIFACT_KINDS = ("CODE", "TEST", "DOCS", "CONFIG", "MIGRATION", "ASSET", "OTHER")
ENCODINGS = ("TEXT", "BASE64")
FILE_ACTIONS = ("CREATE", "EDIT")
TYPES = ("FEATURE", "BUG", "REFACTOR", "TEST", "DOCS", "REVIEW", "CHORE")

Do = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    schema: Row
    do: Do
    reads: bool = False  # changes nothing
    deletes: bool = False


TOOLS: dict[str, Tool] = {}


def text(description: str, max_length: int | None = None) -> Row:
    return {"type": "string", "description": description, **({"maxLength": max_length} if max_length else {})}


def one_of(description: str, values: tuple[str, ...]) -> Row:
    return {"type": "string", "enum": list(values), "description": description}


def number(description: str, low: int, high: int) -> Row:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def flag(description: str) -> Row:
    return {"type": "boolean", "description": description}


CARD = text("Which card, by its id. Left out: the card of your run.")
BOARD = text("Which board, by its id. Left out: the board of your run.")


def tool(takes: Row, *needs: str, reads: bool = False, deletes: bool = False) -> Callable[[Do], Do]:
    """Declare a tool. The function's docstring is the description for agents."""

    def wrap(do: Do) -> Do:
        schema = {
            "type": "object",
            "properties": takes,
            "required": list(needs),
            "additionalProperties": False,
        }
        words = " ".join((do.__doc__ or "").split())
        TOOLS[do.__name__] = Tool(do.__name__, words, schema, do, reads, deletes)
        return do

    return wrap


@tool(
    {
        "action": one_of("What to do.", ("list", "create", "delete")),
        "board_id": text("For delete: which board."),
        "confirm_name": text("For delete: the board's name, to show that you mean it."),
        "name": text("For create: what it is called.", 100),
        "workspace_id": text("For create: in which workspace; list names them."),
        "description": text("For create: Markdown."),
    },
    "action",
)
async def board(
    session: McpSession,
    action: str,
    board_id: str = "",
    confirm_name: str = "",
    name: str = "",
    workspace_id: str = "",
    description: str | None = None,
) -> Any:
    """List the boards you may see, create one, or delete one."""
    if action == "create":
        return await session.do("CreateBoard", name=name, workspaceId=workspace_id, description=description)
    if action == "delete":
        return await session.do("DeleteBoard", id=board_id, confirmName=confirm_name)
    data = await session.execute_all("Boards")
    return {"boards": data["boards"]["nodes"], "workspaces": data["workspaces"]["nodes"]}


@tool(
    {
        "board_id": BOARD,
        "first": number("Page size; default 50.", 1, 200),
        "after": text("Cursor: the endCursor of the previous page."),
    },
    reads=True,
)
async def get_board_cards(
    session: McpSession, board_id: str | None = None, first: int = 50, after: str | None = None
) -> Any:
    """Read a board: its columns, and the cards that you may see, by column, from the top."""
    id = await session.board(board_id)
    return require_found(await session.ask("BoardCards", id=id, first=first, after=after), id)


@tool({"card_id": CARD}, reads=True)
async def get_card(session: McpSession, card_id: str | None = None) -> Any:
    """Read a card: its texts, subtasks, labels, newest messages and questions."""
    id = await session.card(card_id)
    return require_found(await session.ask("ReadCard", id=id), id)


@tool(
    {
        "title": text("What is to be done, in a line.", 255),
        "description": text("Markdown."),
        "type": one_of("The kind of work.", TYPES),
        "priority": one_of("How urgent it is.", PRIORITIES),
        "stage": one_of("The stage of the card; default BACKLOG.", STAGES),
        "board_id": BOARD,
        "parent_id": text("The parent card. Default: the card of your run, if you have one."),
    },
    "title",
)
async def create_card(
    session: McpSession,
    title: str,
    description: str | None = None,
    type: str | None = None,
    priority: str | None = None,
    stage: str | None = None,
    board_id: str | None = None,
    parent_id: str | None = None,
) -> Any:
    """Create a card. An agent that works on a card creates cards under it, in the backlog."""
    return await session.do(
        "CreateCard",
        boardId=await session.board(board_id),
        title=title,
        description=description,
        type=type,
        priority=priority,
        destination=None if stage is None else {"stage": stage},
        parentId=parent_id or (await session.own()).get("cardId"),
    )


@tool(
    {
        "card_id": CARD,
        "title": text("New title.", 255),
        "description": text("New description, whole, in Markdown."),
        "priority": one_of("How urgent it is.", PRIORITIES),
        "stage": one_of("Move the card to this stage, if the law of stages allows it.", STAGES),
        "if_version": number("Fail unless the card has this version.", 1, 2**31 - 1),
    }
)
async def update_card(
    session: McpSession,
    card_id: str | None = None,
    title: str | None = None,
    description: str | None = None,
    priority: str | None = None,
    stage: str | None = None,
    if_version: int | None = None,
) -> Any:
    """Update a card. Omitted fields stay. An agent that works on a card may change its title and description only:
    Signalbox moves the card when the work starts and ends."""
    return await session.do(
        "UpdateCard",
        id=await session.card(card_id),
        title=title,
        description=description,
        priority=priority,
        destination=None if stage is None else {"stage": stage},
        ifVersion=if_version,
    )


@tool({"card_id": text("Id of the card.")}, "card_id", deletes=True)
async def delete_card(session: McpSession, card_id: str) -> Any:
    """Delete a card and its contents. Forbidden for an agent that works on a card."""
    return await session.do("DeleteCard", id=card_id)


@tool(
    {
        "card_id": CARD,
        "title": text("What is to be done, in a line.", 255),
        "phase": text("Name of the phase.", 80),
        "phase_order": number("Number of the phase. Default for a new phase: the last.", 1, 1000),
    },
    "title",
)
async def create_subtask(
    session: McpSession,
    title: str,
    card_id: str | None = None,
    phase: str | None = None,
    phase_order: int | None = None,
) -> Any:
    """Add a subtask to a card, at the end of its phase: a step that people see done or not."""
    id = await session.card(card_id)
    return await session.do("CreateSubtask", cardId=id, title=title, phase=phase, phaseOrder=phase_order)


@tool(
    {
        "subtask_id": text("Which subtask, by its id."),
        "title": text("New title.", 255),
        "completed": flag("Whether it is done."),
        "phase": text("Move it to the end of this phase.", 80),
        "before": text("Move it before this subtask."),
        "after": text("Move it after this subtask."),
    },
    "subtask_id",
)
async def update_subtask(
    session: McpSession,
    subtask_id: str,
    title: str | None = None,
    completed: bool | None = None,
    phase: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> Any:
    """Update a subtask; set completed when it is done. With before or after, it is only moved."""
    if before or after:
        position = {"after": after} if after else {"before": before}
        return await session.do("MoveSubtask", id=subtask_id, position=position, phase=phase)
    return await session.do("UpdateSubtask", id=subtask_id, title=title, completed=completed, phase=phase)


@tool({"subtask_id": text("Which subtask, by its id.")}, "subtask_id", deletes=True)
async def delete_subtask(session: McpSession, subtask_id: str) -> Any:
    """Delete a subtask."""
    return await session.do("DeleteSubtask", id=subtask_id)


@tool(
    {
        "action": one_of("What to do.", ("list", "add", "update", "delete")),
        "card_id": CARD,
        "knowledge_id": text("For update and delete: which item, by its id."),
        "kind": one_of("For add and update: what it is. A FACT needs evidence.", KNOWLEDGE_KINDS),
        "text": text("For add and update: Markdown.", 5_000),
        "evidence": text("For a FACT: where it is seen.", 5_000),
        "confidence": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "How sure you are, 0 to 1.",
        },
    },
    "action",
)
async def knowledge(
    session: McpSession,
    action: str,
    card_id: str | None = None,
    knowledge_id: str = "",
    kind: str | None = None,
    text: str | None = None,
    evidence: str | None = None,
    confidence: float | None = None,
) -> Any:
    """Read what a card requires and what is known and assumed about it, or note it. An agent that works on a card
    writes drafts, which people approve, and changes only drafts of agents."""
    given: Row = {"kind": kind, "text": text, "evidence": evidence, "confidence": confidence}
    if action == "update":
        return await session.do("UpdateKnowledge", id=knowledge_id, **given)
    if action == "delete":
        return await session.do("DeleteKnowledge", id=knowledge_id)
    id = await session.card(card_id)
    if action == "add":
        return await session.do("AddKnowledge", cardId=id, **given)
    return require_found(await session.ask("Knowledge", id=id), id)


@tool(
    {
        "action": one_of("What to do.", ("list", "add", "update", "delete")),
        "card_id": CARD,
        "planned_file_id": text("For update and delete: which planned file, by its id."),
        "path": text("For add and update: path from the root of the repository; a folder ends with /.", 500),
        "kind": one_of("The kind of file.", ARTIFACT_KINDS),
        "change": one_of("Whether the file is new.", FILE_ACTIONS),
        "module": text("The module that it belongs to.", 100),
        "intent": text("What the change is for.", 2_000),
        "contract": text("The interface that it must keep or offer.", 10_000),
    },
    "action",
)
async def planned_file(
    session: McpSession,
    action: str,
    card_id: str | None = None,
    planned_file_id: str = "",
    path: str | None = None,
    kind: str | None = None,
    change: str | None = None,
    module: str | None = None,
    intent: str | None = None,
    contract: str | None = None,
) -> Any:
    """Read the files that a card will create or edit, or propose them. An agent that works on a card changes only
    what is still proposed."""
    given: Row = {"path": path, "kind": kind, "action": change}
    given |= {"module": module, "intent": intent, "contract": contract}
    if action == "update":
        return await session.do("UpdatePlannedFile", id=planned_file_id, **given)
    if action == "delete":
        return await session.do("DeletePlannedFile", id=planned_file_id)
    id = await session.card(card_id)
    if action == "add":
        return await session.do("AddPlannedFile", cardId=id, **given)
    return require_found(await session.ask("PlannedFiles", id=id), id)


@tool(
    {
        "action": one_of("What to do.", ("list", "add", "update", "delete")),
        "card_id": CARD,
        "message_id": text("For update and delete: id of a message of your own."),
        "body": text("For add and update: Markdown.", 10_000),
        "last": number("For list: number of newest messages; default 20.", 1, 100),
        "before": text("For list: cursor, the startCursor of the next page."),
    },
    "action",
)
async def comment(
    session: McpSession,
    action: str,
    card_id: str | None = None,
    message_id: str = "",
    body: str = "",
    last: int = 20,
    before: str | None = None,
) -> Any:
    """Read the messages on a card, add one, or change or delete one of your own."""
    if action == "update":
        return await session.do("EditComment", id=message_id, body=body)
    if action == "delete":
        return await session.do("DeleteComment", id=message_id)
    id = await session.card(card_id)
    if action == "add":
        return await session.do("AddComment", cardId=id, body=body)
    return require_found(await session.ask("Comments", id=id, last=last, before=before), id)["messages"]


@tool(
    {
        "action": one_of("What to do.", ("list", "read", "add", "delete")),
        "card_id": CARD,
        "file_id": text("For read and delete: which file, by its id."),
        "offset": number("For read: the first byte; default 0.", 0, 2**31 - 1),
        "length": number("For read: bytes; default 65,536.", 1, 524_288),
        "name": text("For add: its name.", 200),
        "content": text("For add: its content, at most 524,288 bytes.", 700_000),
        "encoding": one_of("For add: the form of the content; default TEXT.", ENCODINGS),
    },
    "action",
)
async def file(
    session: McpSession,
    action: str,
    card_id: str | None = None,
    file_id: str = "",
    offset: int = 0,
    length: int = 65_536,
    name: str = "",
    content: str = "",
    encoding: str | None = None,
) -> Any:
    """List the files of a card and of its messages, read one in parts, or add one. An agent that works on a card
    deletes only files that it added. The url of a file has all of it, for the same token."""
    if action == "read":
        return require_found(
            await session.ask("FileContent", id=file_id, offset=offset, length=length), file_id
        )
    if action == "delete":
        return await session.do("DeleteFile", id=file_id)
    id = await session.card(card_id)
    if action == "add":
        return await session.do(
            "CreateFile", place={"cardId": id}, name=name, content=content, encoding=encoding
        )
    return require_found(await session.ask("Files", id=id), id)


@tool(
    {
        "action": one_of("What to do.", ("get", "update")),
        "board_id": BOARD,
        "instructions": text("For update: instructions for every agent of the board."),
        "repository": text("For update: the repository of the work.", 500),
        "base_branch": text("For update: the branch that work starts from.", 200),
        "branch_template": text("For update: template of branch names.", 200),
        "concurrency": number("For update: maximum number of concurrent runs; 0 is no limit.", 0, 1000),
        "auto_dispatch": flag("For update: give a card that enters TODO to an agent."),
    },
    "action",
)
async def board_settings(
    session: McpSession,
    action: str,
    board_id: str | None = None,
    instructions: str | None = None,
    repository: str | None = None,
    base_branch: str | None = None,
    branch_template: str | None = None,
    concurrency: int | None = None,
    auto_dispatch: bool | None = None,
) -> Any:
    """Read the settings and instructions of a board for agents, or update them as an admin."""
    id = await session.board(board_id)
    if action == "get":
        return require_found(await session.ask("BoardSettings", id=id), id)
    return await session.do(
        "UpdateBoardSettings",
        boardId=id,
        instructions=instructions,
        repository=repository,
        baseBranch=base_branch,
        branchTemplate=branch_template,
        concurrency=concurrency,
        autoDispatch=auto_dispatch,
    )


OPTION = {
    "type": "object",
    "properties": {
        "label": text("Text of the option.", 200),
        "description": text("Effect of choosing it.", 1000),
        "recommended": flag("Whether you recommend it."),
    },
    "required": ["label"],
    "additionalProperties": False,
}


@tool(
    {
        "question": text("The question.", 10_000),
        "options": {
            "type": "array",
            "items": OPTION,
            "maxItems": 12,
            "description": "Options to choose from.",
        },
        "multiple": flag("Whether several of the options may be chosen."),
        "allow_other": flag("Whether free text is accepted; default true."),
        "header": text("A short heading.", 40),
        "default": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": 12,
            "description": "The answer that applies if nobody answers in time.",
        },
        "expires_in_seconds": number("Seconds until the question expires.", 1, 2_592_000),
        "wait_seconds": number("Seconds to wait; default: until it is answered.", 0, 86_400),
        "key": text("Key of the question. Asking again with the same key continues the same question.", 100),
    },
    "question",
)
async def ask_question(
    session: McpSession,
    question: str,
    options: list[Row] | None = None,
    multiple: bool = False,
    allow_other: bool = True,
    header: str = "",
    default: list[str] | None = None,
    expires_in_seconds: int | None = None,
    wait_seconds: int | None = None,
    key: str | None = None,
) -> Any:
    """Ask the people of the board, and wait until one of them answers, however long that takes. If the connection
    breaks, ask the same again: you get the same question and its answer. To ask the same text a second time,
    give another key."""
    question_input: Row = {
        "key": "answer",
        "text": question,
        "header": header,
        "type": ("MULTI" if multiple else "SINGLE") if options else "TEXT",
        "options": options,
        "allowOther": allow_other,
        "default": default,
    }
    return await ask_and_wait(
        session, key or _digest(question_input), question_input, expires_in_seconds, wait_seconds
    )


SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
CATEGORIES = (
    *("SECURITY", "BUG", "PERFORMANCE", "MAINTAINABILITY", "BEST_PRACTICE", "STYLE", "DOCUMENTATION", "TEST"),
)
FINDING = {
    "type": "object",
    "properties": {
        "path": text("Path of a file that the reviewed work changed."),
        "line_start": number(
            "First line in the new file; the diff shows it. Left out: the whole file.", 1, 2**31 - 1
        ),
        "line_end": number("Last line. Default: the first.", 1, 2**31 - 1),
        "severity": one_of("The severity.", SEVERITIES),
        "category": one_of("The subject.", CATEGORIES),
        "title": text("The finding in a line.", 200),
        "description": text("Markdown.", 10_000),
        "suggestion": text("How to mend it.", 10_000),
        "snippet": text("The code that it is about.", 4_000),
        "run_id": text("The reviewed run. Default: the run whose work stands on the card."),
    },
    "required": ["path", "severity", "category", "title"],
    "additionalProperties": False,
}
FINDING_FIELDS = {"line_start": "lineStart", "line_end": "lineEnd", "run_id": "runId"}


@tool(
    {
        "findings": {
            "type": "array",
            "items": FINDING,
            "maxItems": 50,
            "description": "What you found; each opens a thread on its line.",
        },
        "score": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Score of the work: 0 is useless, 1 is ready to merge.",
        },
    },
    "findings",
)
async def report_findings(session: McpSession, findings: list[Row], score: float | None = None) -> Any:
    """Report what your review of the work found, and a score. Only for an agent whose run is a review."""
    given = [{FINDING_FIELDS.get(name, name): value for name, value in one.items()} for one in findings]
    return await session.do("ReportFindings", findings=given, score=score)


def _digest(question_input: Row) -> str:
    """Derive the key of a question from its content."""
    return "q-" + hashlib.sha256(json.dumps(question_input, sort_keys=True).encode()).hexdigest()[:32]
