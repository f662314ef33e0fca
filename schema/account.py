"""What clients may say and hear about people."""

from datetime import datetime
from typing import Annotated

import strawberry

from runtime.transport.describe import Node
from schema.view import view


@view("user")
class User(Node):
    """A person."""

    username: Annotated[str, "Unique, whatever its case."]
    nickname: Annotated[str | None, "The name to show, where there is one."]
    first_name: Annotated[str | None, "First name."]
    last_name: Annotated[str | None, "Last name."]
    created_at: Annotated[datetime, "When the person registered."]


UserLater = Annotated["User", strawberry.lazy("schema.account")]
