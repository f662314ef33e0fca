"""docs/stages.md, drawn from the law: so what people read is what is judged."""

from typing import Any

from models.stage import ENTRY, MOVES, SYSTEM_MOVES, MoveGate, Stage

HEAD = """# The law of stages

Drawn from `models/stage.py` by `python server.py stages`; a test holds that it is current.

A card stands in a column, and the law binds to the column's stage. On a board whose law is PIPELINE, people
and their agents move cards as the table says; the same stage is always allowed, that is reordering. On a board
whose law is FREE they may move anywhere. A card is born in {entry}, so it is made where a card of that stage
may go. Every path asks the same judge: making, moving, bulk, restoring, changing or deleting a column, a key,
an import. A refusal is a `StageRefused` with `at`, `to`, `allowed` and `reasons`, and nothing has changed;
`card.moves` tells the same beforehand.
"""
MIDDLE = """
On top of the law there are gates. Each closed one is a reason in the refusal; a move inside one stage passes
all but those of the archive and, into another column, its limit.
"""


def draw() -> str:
    """The page, as Markdown."""
    rows = [f"| **{at}** | {_names(MOVES[at])} | {_names(SYSTEM_MOVES.get(at, ()))} |" for at in Stage]
    table = ["| from | people may move to | Signalbox also moves to |", "|---|---|---|", *rows]
    gates = [f"| `{gate}` | {_said(gate)} |" for gate in MoveGate]
    return "\n".join(
        [
            HEAD.format(entry=ENTRY),
            *table,
            "",
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {ENTRY}",
            *(f"    {at} --> {to}" for at in Stage for to in Stage if to in MOVES[at]),
            *(f"    {at} --> {to}: by Signalbox only" for at in Stage for to in _only_system(at)),
            "```",
            MIDDLE,
            "| gate | why |",
            "|---|---|",
            *gates,
            "",
        ]
    )


def _names(stages: tuple[Stage, ...]) -> str:
    return ", ".join(stage for stage in Stage if stage in stages)


def _only_system(at: Stage) -> list[Stage]:
    return [stage for stage in SYSTEM_MOVES.get(at, ()) if stage not in MOVES[at]]


def _said(gate: MoveGate) -> str:
    """What the schema says of a gate."""
    definition: Any = MoveGate.__strawberry_definition__  # type: ignore[attr-defined]
    return str(next(value.description for value in definition.values if value.name == gate.name))
