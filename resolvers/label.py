"""The adapters of what can be done to labels; how they are read stands in resolvers/workspace.py."""

from typing import Annotated, Any

from strawberry import ID, Maybe

import actions.label
from resolvers.context import IfVersion, Info, provided_fields


async def create_label(
    info: Info,
    workspace_id: Annotated[ID, "In which workspace."],
    name: Annotated[str, "1 to 50 characters; unique in the workspace, whatever its case."],
    colour: Annotated[str, "#RRGGBB."],
) -> Any:
    """Make a label for the cards of a workspace. A workspace has at most 200."""
    async with info.context.transaction() as tx:
        return await actions.label.create_label(tx, info.context.actor, workspace_id, name, colour)


async def update_label(
    info: Info,
    id: Annotated[ID, "Which label."],
    name: Annotated[Maybe[str], "1 to 50 characters; unique in the workspace, whatever its case."],
    colour: Annotated[Maybe[str], "#RRGGBB."],
    if_version: IfVersion = None,
) -> Any:
    """Change a label. What is left out stays."""
    changes = provided_fields(name=name, colour=colour)
    async with info.context.transaction() as tx:
        return await actions.label.update_label(tx, info.context.actor, id, changes, if_version=if_version)


async def delete_label(info: Info, id: Annotated[ID, "Which label."], if_version: IfVersion = None) -> Any:
    """Delete a label and take it off every card. Answers the label as it was, and how many cards carried it."""
    async with info.context.transaction() as tx:
        return await actions.label.delete_label(tx, info.context.actor, id, if_version=if_version)
