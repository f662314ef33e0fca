"""The context of a board: the facts that every agent is told, and variables of its environment."""

import re
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id, Json
from models.columns import Editable

# The fields, with the headings that an agent sees.
CONTEXT_FIELDS = {
    "overview": "About the project",
    "tech_stack": "Technology",
    "conventions": "Conventions",
    "testing": "Testing",
    "api": "API",
    "infrastructure": "Infrastructure",
    "environments": "Environments",
    "deployment": "Deployment",
    "communication": "Communication",
    "design": "Design",
}
MAX_FIELD_LENGTH = 20_000  # characters
MAX_VARIABLES = 100
MAX_VALUE_LENGTH = 4_000  # characters of a variable
MAX_PERSONAS = 20
MAX_PERSONA_LENGTH = 4_000
VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
# Names that would change which programs run, or what they trust.
RESERVED_NAME = re.compile(
    r"PATH|HOME|SHELL|USER|IFS|ENV|BASH_.*|LD_.*|DYLD_.*|PYTHON.*|NODE_.*|PERL.*|RUBY.*|GIT_.*|SSH_.*|SIGNALBOX_.*"
    r"|TMPDIR|.*_PROXY|.*_BASE_URL|PROMPT_COMMAND|EDITOR|PAGER|XDG_.*"
)


class BoardContext(Editable, Base):
    __tablename__ = "board_context"

    board_id: Mapped[str] = mapped_column(Id, ForeignKey("board.id", ondelete="CASCADE"), primary_key=True)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)  # those that are not empty, by name
    personas: Mapped[list[Any]] = mapped_column(Json, default=list)  # name, text
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict)  # by name: a value, or sealed and a hint
