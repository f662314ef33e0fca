"""The line that a chat is told of an event."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from actions.webhook_endpoint.payload import type_of
from kit.db.database import Database
from models.board import Board
from models.card import Card

# The beginning of a line, by the type of the event; of other types the words of their name.
PHRASES = {
    "ApprovalDecided": "Approval",
    "ApprovalRequested": "Waits for approval",
    "CardApproved": "Approved",
    "CardCreated": "New card",
    "CardMoved": "Moved",
    "MergeCompleted": "Merged",
    "MergeConflicts": "Merge has conflicts",
    "MergeFailed": "Merge failed",
    "PullRequestMerged": "Pull request merged",
    "QuestionAsked": "Question",
    "QuestionExpired": "Question expired without an answer",
    "RunFailed": "Run failed",
    "RunSucceeded": "Run succeeded",
    "WebhookEndpointDisabled": "Webhook disabled",
}


async def read_texts(database: Database, events: Sequence[Any], page_url: str) -> dict[int, str]:
    """Return the line of each event of one topic, by its number. Takes one statement."""
    ids = {event.data["card_id"] for event in events if event.data.get("card_id")}
    query = select(Card.id, Card.title, Card.number, Board.key, Board.name)
    rows = await database.read(query.join(Board, Board.id == Card.board_id).where(Card.id.in_(ids)))
    cards = {row.id: row for row in rows}
    return {event.seq: _text_of(event, cards, page_url) for event in events}


def _text_of(event: Any, cards: dict[str, Any], page_url: str) -> str:
    name = type_of(event.kind)
    phrase = (
        PHRASES.get(name) or "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip().capitalize()
    )
    card = cards.get(event.data.get("card_id"))
    if card is not None:
        about = f"{card.key}-{card.number} {card.title}"
    else:
        about = str(event.data.get("called") or event.data.get("name") or event.data.get("title") or "")
    stage = event.data.get("to_stage") or (event.data.get("status") if name == "ApprovalDecided" else None)
    parts = [phrase, about, f"now {stage}" if stage else "", event.data.get("reason") or "", page_url]
    return ": ".join([parts[0], parts[1]]) + "".join(f" — {part}" for part in parts[2:] if part)
