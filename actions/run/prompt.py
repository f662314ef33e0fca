"""Prompts of agents, built from the snapshot that is frozen when a run is first claimed."""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.context import CONTEXT_FIELDS
from models.run import RunKind

TASKS = {
    RunKind.CODE: "Work on this card. Commit what you change. End with a short summary of what you did.",
    RunKind.PLAN: "Plan this card: write its steps as subtasks, phase by phase. Change no file.",
    RunKind.REVIEW: (
        "Review the work on this card. Change no file; say what you found. If you have the tool report_findings,"
        " report each finding on its line with it, and a score from 0 to 1."
    ),
    RunKind.TEST: "Test the work on this card, and say what holds and what does not. Change no file.",
    RunKind.INTEGRATE: "Bring the work on this card together with its base branch.",
    RunKind.DOCUMENT: "Write the documents this card asks for.",
    RunKind.BREAKDOWN: "Break this card down into smaller ones, and describe each.",
}

ON_WORK = (RunKind.REVIEW, RunKind.TEST, RunKind.INTEGRATE, RunKind.DOCUMENT)  # begin with the card's work


DEFAULT_PROMPT_LENGTH = 200_000  # characters
ROLES = {
    "SOURCE": "the work comes from it",
    "SUPPORTS": "it helps with the work",
    "CONSTRAINS": "the work must comply with it",
    "REFERENCE": "for reference",
}


def slug(title: str) -> str:
    """Return a title as a part of a branch name."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "card"


@dataclass(frozen=True)
class PromptPart:
    """A part of a prompt. `left_out` names what did not fit into the budget."""

    name: str
    text: str
    left_out: list[str] = field(default_factory=list)


def prompt_of(kind: RunKind, snapshot: dict[str, Any], instruction: str | None) -> str:
    """Return the prompt of an agent: its task, then the texts of people, marked as such."""
    return "\n\n".join(part.text for part in parts_of(kind, snapshot, instruction) if part.text)


def parts_of(kind: RunKind, snapshot: dict[str, Any], instruction: str | None) -> list[PromptPart]:
    """Return the parts of a prompt in order.

    The task and the card are always whole. Comments, knowledge, planned files, handoffs, memory, context and
    documents share what they leave of the budget, in that order; what does not fit is left out, and the prompt
    names it.
    """
    card = snapshot["card"]
    parts = [PromptPart("TASK", TASKS[kind])]
    if work := snapshot.get("work"):
        base = f", which began from {work['base']}" if work["base"] else ""
        text = f"The work on this card is on the branch {work['branch']}{base}. Your folder begins with it."
        parts.append(PromptPart("WORK", text))
    if instruction:
        parts.append(PromptPart("INSTRUCTION", f"What you were asked in particular:\n{instruction}"))
    message = snapshot.get("message")
    if message and message["body"] != instruction:
        by = f", by {message['author']}" if message["author"] else ""
        parts.append(PromptPart("MESSAGE", f"The message that asks for it{by}:\n{message['body']}"))
    text = f"# {card['name']}: {card['title']}"
    parts.append(PromptPart("CARD", f"{text}\n\n{card['description']}" if card["description"] else text))
    if snapshot["subtasks"]:
        parts.append(PromptPart("STEPS", _steps(snapshot["subtasks"])))
    if snapshot.get("files"):
        parts.append(PromptPart("FILES", _files(snapshot["files"])))
    comments = ""
    if snapshot["comments"]:
        lines = ["What people said on the card last:"]
        lines += [f"- {comment['author']}: {comment['body']}" for comment in snapshot["comments"]]
        comments = "\n".join(lines)
    budget = snapshot["policy"].get("prompt_length") or DEFAULT_PROMPT_LENGTH
    budget -= sum(len(part.text) + 2 for part in parts) + len(comments)
    sections: tuple[tuple[Callable[[Any, int], PromptPart], Any], ...] = (
        (_knowledge, snapshot.get("knowledge") or []),
        (_planned_files, snapshot.get("planned_files") or []),
        (_handoffs, snapshot.get("handoffs") or []),
        (_memory, snapshot.get("memory") or []),
        (_context, snapshot.get("context") or {}),
        (_documents, snapshot.get("documents") or []),
    )
    for make, material in sections:
        part = make(material, budget)
        if part.text:
            budget -= len(part.text) + 2
            parts.append(part)
    return [*parts, PromptPart("COMMENTS", comments)] if comments else parts


def _steps(steps: Sequence[dict[str, Any]]) -> str:
    lines, phase = ["Steps:"], None
    for step in steps:
        if step["phase"] != phase:
            phase = step["phase"]
            lines += [f"{phase or 'Other'}:"]
        lines.append(f"- [{'x' if step['completed'] else ' '}] {step['title']}")
    return "\n".join(lines)


def _knowledge(knowledge: Sequence[dict[str, Any]], budget: int) -> PromptPart:
    """Return the card's knowledge that was not rejected, as far as it fits."""
    items = []
    for one in knowledge:
        text = f"- {one['kind']}, {one['state'].lower()}: {one['text']}"
        items.append(
            (one["text"][:80], f"{text}\n  Evidence: {one['evidence']}" if one["evidence"] else text)
        )
    return _fitting("KNOWLEDGE", items, budget, "Known about this card:")


def _planned_files(files: Sequence[dict[str, Any]], budget: int) -> PromptPart:
    """Return the card's planned files with their intents and contracts, as far as they fit."""
    items = []
    for one in files:
        lines = [f"- {one['action']} {one['path']} ({one['kind']}, {one['status'].lower()})"]
        lines += [f"  {label}: {one[name]}" for name, label in PLANNED if one[name]]
        items.append((one["path"], "\n".join(lines)))
    return _fitting("PLANNED_FILES", items, budget, "Files planned for this card:")


def _memory(memories: Sequence[dict[str, Any]], budget: int) -> PromptPart:
    """Return what the board remembers, as far as it fits."""
    items = [(one["text"][:80], f"- {one['text']}") for one in memories]
    return _fitting("MEMORY", items, budget, "Learned by work on this board:")


def _handoffs(handoffs: Sequence[dict[str, Any]], budget: int) -> PromptPart:
    """Return the last summaries of the cards that this one builds on, as far as they fit."""
    items = [(one["name"], f"## {one['name']}: {one['title']}\n{one['summary']}") for one in handoffs]
    return _fitting("HANDOFFS", items, budget, "Work that this card builds on, as its agents summed it up:")


PLANNED = (("module", "Module"), ("intent", "Intent"), ("contract", "Contract"))  # lines of a planned file


def _files(files: Sequence[dict[str, Any]]) -> str:
    lines = ["Files on the card. Read one with the tool file, or from the server at its address:"]
    lines += [
        f"- {one['name']} ({one['media_type']}, {one['size']:,} bytes): /files/{one['id']}" for one in files
    ]
    return "\n".join(lines)


def _context(context: dict[str, Any], budget: int) -> PromptPart:
    """Return the board's context: its fields, then its personas, as far as they fit."""
    fields = context.get("fields") or {}
    items = [(title, fields[name]) for name, title in CONTEXT_FIELDS.items() if fields.get(name)]
    items += [(f"A user: {one['name']}", one["text"]) for one in context.get("personas") or []]
    return _fitting("CONTEXT", [(title, f"## {title}\n{text}".strip()) for title, text in items], budget)


def _documents(documents: Sequence[dict[str, Any]], budget: int) -> PromptPart:
    """Return the linked documents with their roles and hints, as far as they fit."""
    items = []
    for one in documents:
        lines = [f"## {one['title']} ({one['kind']}): {ROLES[one['role']]}"]
        if one["usage_hint"]:
            lines.append(f"Use: {one['usage_hint']}")
        where = " ".join(text for text in (one["uri"], one["locator"]) if text)
        lines += [f"Where: {where}"] * bool(where)
        if one["content"] is not None:
            cut = "\n(The rest is left out.)" if one.get("is_cut") else ""
            lines.append(f"{one['content']}{cut}")
        items.append((one["title"], "\n".join(lines)))
    return _fitting("DOCUMENTS", items, budget)


def _fitting(name: str, items: Sequence[tuple[str, str]], budget: int, heading: str = "") -> PromptPart:
    """Return the texts of named items that fit into a budget of characters, below a heading if there are items."""
    if not items:
        return PromptPart(name, "")
    texts, left_out = [heading] if heading else [], []
    budget -= len(heading)
    for title, text in items:
        if len(text) + 2 > budget:
            left_out.append(title)
        else:
            budget -= len(text) + 2
            texts.append(text)
    if left_out:
        texts.append(f"Left out of {name.lower().replace('_', ' ')} for their length: {'; '.join(left_out)}")
    return PromptPart(name, "\n\n".join(texts), left_out)


def without(snapshot: dict[str, Any], messages: Collection[str]) -> dict[str, Any]:
    """Return a snapshot without some messages."""
    trigger = snapshot.get("message")
    return snapshot | {
        "comments": [comment for comment in snapshot["comments"] if comment.get("id") not in messages],
        "message": trigger if trigger and trigger.get("id") not in messages else None,
    }


def answered_of(answers: Sequence[Any]) -> str:
    """Return answers as a prompt."""
    lines = ["Your questions were answered:"]
    for question in answers:
        nobody = "nobody answered; go on by your best judgement"
        lines += [f"- {question.text}", f"  {'; '.join(question.answer) if question.answer else nobody}"]
    return "\n".join(lines)
