"""The contents of the demo's boards, as data; demo/seed.py creates them."""

from dataclasses import dataclass, field
from typing import Any

from demo.tour import CARD
from models.board import Template
from models.card import CardSize, CardType, LinkKind, Priority
from models.stage import Stage
from models.worker import AgentProgram


@dataclass
class Sample:
    """A card of the demo."""

    title: str
    stage: Stage
    text: str = ""
    labels: str = ""
    who: str = ""
    steps: tuple[str, ...] = ()  # "x " marks a completed one
    comments: tuple[tuple[str, str], ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    on_top: bool = False  # of its column


@dataclass
class Sampler:
    """A board of the demo."""

    name: str
    key: str
    template: Template
    by: str
    text: str
    cards: list[Sample]
    limits: dict[Stage, int] = field(default_factory=dict)
    links: tuple[tuple[int, int, LinkKind], ...] = ()  # by the cards' numbers
    parents: tuple[tuple[int, int], ...] = ()  # (card, parent card)
    profile: dict[str, Any] | None = None  # agent profile of its cards


def more(
    type: CardType = CardType.FEATURE,
    priority: Priority = Priority.MEDIUM,
    size: CardSize | None = None,
    points: int | None = None,
    due: int | None = None,
) -> dict[str, Any]:
    """Return the other fields of a sample; `due` in days from now."""
    return {"type": type, "priority": priority, "size": size, "story_points": points, "due": due}


BACKLOG, PLAN, TODO, DOING, REVIEW, DONE = Stage

SERVER = [
    Sample(
        "Number events under the topic's lock",
        DONE,
        "A sequence hands out numbers before COMMIT, so a reader can miss one that commits late. Count in the"
        " topic's row instead: dense, in commit order.",
        "feed, reliability",
        "ada",
        ("x Write the failing test", "x Count in the topic's row", "x Measure the cost"),
        (("kim", "0 of 200 missed in five runs. Before: 1 to 27."),),
        more(priority=Priority.CRITICAL, size=CardSize.MEDIUM, points=5),
    ),
    Sample(
        "Refuse a move the law does not have",
        DONE,
        "One table in models/, one judge, every path asks it.",
        "api",
        "robin",
        ("x Draw the table", "x One judge for moves, bulk and import", "x Say what would be allowed"),
        (),
        more(size=CardSize.SMALL, points=3),
    ),
    Sample(
        "Serve GraphiQL offline",
        DONE,
        "No request leaves this server.",
        "interface",
        "kim",
        ("x Bundle it", "x Strict CSP"),
    ),
    Sample(
        "Keep SQLite writers in a fair line",
        DONE,
        "",
        "database, reliability",
        "ada",
        (),
        (),
        more(CardType.BUG, Priority.HIGH),
    ),
    Sample(
        "Resume a feed from any number",
        REVIEW,
        "A reader says `after`, and is given everything behind it once, or is told that it cannot be.",
        "feed",
        "ada kim",
        (
            "x Build: Replay from the log",
            "x Build: Follow behind the replay",
            "x Prove: Kill the server in the middle",
            "Prove: A cursor of another board",
            "Write: How a client detects loss",
        ),
        (
            ("kim", "What happens to a cursor when the database is restored from a backup?"),
            ("ada", "Another epoch: CURSOR_EXPIRED, so the client reads the board again."),
        ),
        more(priority=Priority.HIGH, size=CardSize.LARGE, points=8, due=2),
    ),
    Sample(
        "Import boards from Trello",
        REVIEW,
        "Through the same actions as clients, all or nothing, with a report of what stayed behind.",
        "api",
        "robin",
        ("x Lists to stages by their names", "x Checklists to phases", "A file of 64 MB"),
        (("robin", "Closed lists become archived cards. Is that what people expect?"),),
        more(size=CardSize.MEDIUM, points=5),
    ),
    Sample(
        "Describe every field of the schema",
        REVIEW,
        "",
        "api, good first task",
        "kim",
        ("x Types", "x Arguments", "Enum values"),
        (),
        more(CardType.DOCS),
    ),
    Sample(
        "Answer a list a level at a time",
        DOING,
        "The executor asks each loader once for a whole list, with only the columns that were selected.",
        "api, database",
        "ada",
        (
            "x Plan: Declare links as data",
            "x Build: One call for a list",
            "Build: Only the columns selected",
            "Prove: Equal answers to graphql-core",
            "Prove: Statements are counted",
        ),
        (("ada", "The differential test found two cases with aliases. Both fixed."),),
        more(CardType.REFACTOR, Priority.HIGH, CardSize.LARGE, 13, 5),
    ),
    Sample(
        "Let an agent ask a question and wait",
        DOING,
        "Its run waits without holding a worker; any client answers; the run goes on, also when the worker died.",
        "api",
        "kim",
        ("x Ask from a run", "Answer from any client", "Resume on another worker"),
        (),
        more(priority=Priority.CRITICAL, size=CardSize.LARGE, points=8, due=3),
    ),
    Sample(
        "Count open sockets per person",
        DOING,
        "",
        "reliability",
        "robin",
        ("x Count", "Refuse the eleventh"),
        (),
        more(CardType.CHORE),
    ),
    Sample(
        "Claim work with a lease",
        TODO,
        "SKIP LOCKED on PostgreSQL, one UPDATE on SQLite. The attempt's number is the fencing token.",
        "database, reliability",
        "ada",
        ("Claim", "Heartbeat", "Reclaim what was lost"),
        (),
        more(priority=Priority.HIGH, size=CardSize.LARGE, points=8, due=9),
    ),
    Sample(
        "Show who is looking at a board",
        TODO,
        "",
        "feed, interface",
        "",
        ("Join", "Leave", "Time out"),
        (),
        more(size=CardSize.SMALL, points=2),
    ),
    Sample("Export a board as one file", TODO, "", "api, good first task", "kim", (), (), more(points=3)),
    Sample(
        "A test with 50 writers and 20 readers",
        TODO,
        "Every reader's list equals the log at the end.",
        "reliability",
        "",
        (),
        (),
        more(CardType.TEST, Priority.HIGH),
    ),
    Sample(
        "Seal secrets with keys that rotate",
        TODO,
        "",
        "reliability",
        "robin",
        (),
        (),
        more(size=CardSize.MEDIUM),
    ),
    Sample(
        "Review what agents propose",
        PLAN,
        "A diff, comments on lines, approve or send back. What does approval move?",
        "interface, api",
        "robin",
        ("Talk to two teams", "Draw the states", "Write the mutations down"),
        (("kim", "Vera asks to comment on a line without being a member."),),
        more(size=CardSize.LARGE, points=13),
    ),
    Sample("Webhooks for pull requests", PLAN, "", "api", "", ("Which events", "How to check the signature")),
    Sample(
        "Search over cards and messages",
        PLAN,
        "FTS5 on SQLite, tsvector on PostgreSQL: one answer on both?",
        "database",
        "ada",
    ),
    Sample("Automations: when, if, then", BACKLOG, "", "api", "", (), (), more(priority=Priority.LOW)),
    Sample("A board for phones", BACKLOG, "", "interface", "", (), (), more(priority=Priority.LOW)),
    Sample(
        "Dark colours for labels",
        BACKLOG,
        "",
        "interface, good first task",
        "",
        (),
        (),
        more(priority=Priority.NONE, size=CardSize.SMALL),
    ),
    Sample("Upload files to a card", BACKLOG, "Checked by their bytes, not by their names.", "api"),
    Sample("Metrics that operators ask for", BACKLOG, "", "reliability", "", (), (), more(CardType.CHORE)),
    Sample("A worker that runs in CI", BACKLOG, "", "api"),
    Sample("Sign in with GitHub", BACKLOG, "", "api", "", (), (), more(size=CardSize.MEDIUM)),
    Sample(
        "Slow query when a board has 500 cards",
        BACKLOG,
        "Seen once in a trace: 180 ms.",
        "database",
        "",
        (),
        (),
        more(CardType.BUG, Priority.HIGH, due=-1),
    ),
    Sample(
        CARD,
        BACKLOG,
        "The demo's people leave this card to you.\n\n- **Done** is refused: a card gets there by way of review.\n"
        "- **To do** is allowed: an agent takes it from there.",
        "good first task",
        on_top=True,
    ),
]

SITE = [
    Sample("Write the first page", DONE, "What it is, in three sentences.", "", "vera"),
    Sample(
        "A picture of a board at work",
        REVIEW,
        "",
        "interface",
        "kim",
        ("x In light colours", "In dark colours"),
    ),
    Sample("Move the documentation", DOING, "", "", "robin", ("x Running it", "The API", "Stages")),
    Sample(
        "Explain the law of stages",
        TODO,
        "With the table, and why.",
        "good first task",
        "",
        (),
        (),
        more(CardType.DOCS),
    ),
    Sample("Answer three common questions", TODO),
    Sample("Say how to make a backup", TODO, "", "database", "ada", (), (), more(CardType.DOCS, due=7)),
    Sample("Measure the page on a slow line", TODO, "", "reliability"),
]

IDEAS = [
    Sample("Let agents vote on estimates", BACKLOG),
    Sample("A signal sound when a run fails", BACKLOG, "Off by default, please."),
    Sample(
        "Boards as text files in a repository",
        BACKLOG,
        "",
        "",
        "",
        (),
        (("ada", "The export is half of it."),),
    ),
    Sample("Read a board aloud", BACKLOG),
]

SIGNALMAN = {
    "name": "Signalman",
    "executor": AgentProgram.SCRIPTED,
    "persona": "You keep the signals of a small line. Never show clear by mistake.",
}

BOARDS = [
    Sampler(
        "Signalbox server",
        "BOX",
        Template.PIPELINE,
        "robin",
        "The server itself. Cards obey the law of stages here: try to move one from Backlog to Done.",
        SERVER,
        {Stage.IN_PROGRESS: 5, Stage.REVIEW: 5},
        (
            (5, 12, LinkKind.BLOCKS),
            (11, 24, LinkKind.BLOCKS),
            (26, 8, LinkKind.RELATED),
            (13, 6, LinkKind.RELATED),
        ),
        ((24, 11), (10, 11)),
        SIGNALMAN,
    ),
    Sampler("Website", "WEB", Template.KANBAN, "kim", "No law here: cards go where you drag them.", SITE),
    Sampler("Ideas", "IDEA", Template.BLANK, "ada", "Whatever comes to mind.", IDEAS),
]
