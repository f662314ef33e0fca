"""Prompts of agents, built from the snapshot that is frozen when a run is first claimed."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

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


def slug(title: str) -> str:
    """Return a title as a part of a branch name."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "card"


def prompt_of(kind: RunKind, snapshot: dict[str, Any], instruction: str | None) -> str:
    """Return the prompt of an agent: its task, then the texts of people, marked as such."""
    card, lines = snapshot["card"], [TASKS[kind]]
    if work := snapshot.get("work"):
        base = f", which began from {work['base']}" if work["base"] else ""
        lines += [
            "",
            f"The work on this card is on the branch {work['branch']}{base}. Your folder begins with it.",
        ]
    if instruction:
        lines += ["", "What you were asked in particular:", instruction]
    message = snapshot.get("message")
    if message and message["body"] != instruction:
        by = f", by {message['author']}" if message["author"] else ""
        lines += ["", f"The message that asks for it{by}:", message["body"]]
    lines += ["", f"# {card['name']}: {card['title']}"]
    if card["description"]:
        lines += ["", card["description"]]
    phase = None
    for step in snapshot["subtasks"]:
        if not lines[-1].startswith("- ["):
            lines += ["", "Steps:"]
        if step["phase"] != phase:
            phase = step["phase"]
            lines += [f"{phase or 'Other'}:"]
        lines.append(f"- [{'x' if step['completed'] else ' '}] {step['title']}")
    if snapshot["comments"]:
        lines += ["", "What people said on the card last:"]
        lines += [f"- {comment['author']}: {comment['body']}" for comment in snapshot["comments"]]
    return "\n".join(lines)


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
