"""The page docs/stages.md, generated from the law, so that it states exactly what is checked."""

from models.stage import ENTRY, MOVES, SYSTEM_MOVES, MoveGate, Stage

HEAD = """# The law of stages

Generated from `models/stage.py` by `python server.py stages`; a test keeps it current.

The law applies to the stage of a card's column. On a board with the law PIPELINE, people and their agents move
cards as the table says; moves within a stage are always allowed. On a board with the law FREE they may move cards
anywhere. A new card is in {entry}, so it can be created in every column that a card of that stage may move to.
Creating, moving, bulk changes, restoring, changing or deleting a column, keys and imports all obey the same law. A
refusal is a `StageRefused` with `at`, `to`, `allowed` and `reasons`, and nothing was changed; `card.moves` tells
the same in advance.
"""
MIDDLE = """
Gates restrict the moves further. Each closed gate is a reason in the refusal. A move within a stage passes every
gate but those of archived boards and cards and, into another column, its WIP limit.
"""


def draw() -> str:
    """Return the page as Markdown."""
    rows = [f"| **{at}** | {_names(MOVES[at])} | {_names(SYSTEM_MOVES.get(at, ()))} |" for at in Stage]
    table = ["| from | people may move to | Signalbox also moves to |", "|---|---|---|", *rows]
    gates = [f"| `{gate}` | {gate.description} |" for gate in MoveGate]
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
