"""What clients may say and hear about workspaces, their members and labels."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import ID

import models.workspace
from models.workspace import Role
from resolvers import board as boards
from resolvers import workspace as workspaces
from resolvers.workspace import LABELS_OF_WORKSPACE, USER
from runtime.transport.describe import Node
from runtime.transport.sizes import list_size
from schema.account import User
from schema.page import Connection
from schema.view import ask, link, view

BoardLater: Any = Annotated["Board", strawberry.lazy("schema.board")]


@view("label")
class Label(Node):
    """A label of a workspace, for the cards of its boards."""

    workspace_id: Annotated[ID, "Whose it is."]
    name: Annotated[str, "Unique in the workspace, whatever its case."]
    colour: Annotated[str, "#RRGGBB."]
    version: Annotated[int, "Grows by one with every change."]


@view("membership")
class Membership(Node):
    """That a person belongs to a workspace."""

    role: Annotated[Role, "What the person may do there."]
    created_at: Annotated[datetime, "Since when."]
    user: User | None = link(USER, "user_id", text="The person.")


@view("workspace")
class Workspace(Node):
    """Where boards stand and people belong. Nothing is visible across workspaces."""

    name: Annotated[str, "1 to 100 characters."]
    version: Annotated[int, "Grows by one with every change."]
    created_at: Annotated[datetime, "When it was made."]
    labels: list[Label] = link(
        LABELS_OF_WORKSPACE, text="Its labels, by name.", size=models.workspace.MOST_LABELS
    )
    boards: Connection[BoardLater] = ask(boards.boards_of_workspace, directives=[list_size(50)])


@strawberry.type
class WorkspaceQuery:
    workspaces: Connection[Workspace] = ask(workspaces.workspaces, directives=[list_size(50)])
