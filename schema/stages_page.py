"""Generator of docs/stages.md. The page comes from the law, so it cannot differ from the checks."""

from typing import Any

from models.stage import ENTRY, MOVES, SYSTEM_MOVES, MoveGate, Stage

HEAD = """# The law of stages

    mutation {{ moveCard(input: {{id: "card_…", destination: {{stage: DONE}}}}) {{
      ... on StageRefused {{ at to allowed reasons {{ code message }} }} }} }}

Generated from `models/stage.py` by `python server.py stages`; a test checks that this page is current.

A card is in a column, and the law applies to the column's stage. On a board with the PIPELINE law, people and
agents move cards as the table says. Moves inside a stage are always allowed. On a board with the FREE law, all
moves are allowed. A new card counts as a card in {entry}: it can be created there and in each stage it could move
to.

Every path checks the law: creating, moving, bulk changes, restoring, changing or deleting a column, API keys and
imports. A refusal is a `StageRefused` with `at`, `to`, `allowed` and `reasons`, and changes nothing. `card.moves`
gives the same answer in advance.
"""
MIDDLE = """
## Gates

Gates apply in addition to the law. Each closed gate is a reason in the refusal. Moves inside a stage pass all
gates except those of the archive and, into another column, the WIP limit.
"""


def draw() -> str:
    """Return the page as Markdown."""
    rows = [f"| **{at}** | {_names(MOVES[at])} | {_names(SYSTEM_MOVES.get(at, ()))} |" for at in Stage]
    table = ["| from | people may move to | Signalbox also moves to |", "|---|---|---|", *rows]
    gates = [f"| `{gate}` | {_description(gate)} |" for gate in MoveGate]
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
            "| gate | closed when |",
            "|---|---|",
            *gates,
            "",
        ]
    )


def _names(stages: tuple[Stage, ...]) -> str:
    return ", ".join(stage for stage in Stage if stage in stages)


def _only_system(at: Stage) -> list[Stage]:
    return [stage for stage in SYSTEM_MOVES.get(at, ()) if stage not in MOVES[at]]


def _description(gate: MoveGate) -> str:
    """Return the description of a gate in the schema."""
    definition: Any = MoveGate.__strawberry_definition__  # type: ignore[attr-defined]
    return str(next(value.description for value in definition.values if value.name == gate.name))
