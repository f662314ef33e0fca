"""The base of all events: how a class becomes a row of the event log.

An event is a frozen dataclass. Its fields are its payload: a field with a description is shown to clients, a field
without one is only stored. The class says on which feeds it may appear (`BoardEvent`, `WorkspaceEvent`,
`UserEvent`), under which name it is stored (`kind`), and which field has the id of the changed
object (`subject_field`).
"""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, dataclass_transform

from sqlalchemy.orm.identity import IdentityMap
from sqlalchemy.orm.util import identity_key

Changes = dict[str, list[Any]]  # the changed fields as JSON: {field: [before, after]}
WORD = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass_transform(kw_only_default=True, frozen_default=True)
@dataclass(frozen=True, kw_only=True)
class BaseEvent:
    """An event. Every subclass becomes a frozen dataclass with keyword-only fields."""

    kind: ClassVar[str]  # the stored name; CARD_MOVED for CardMoved
    subject_field: ClassVar[str | None] = None  # the field with the subject's id; None for the scope's own id
    subject_name: ClassVar[tuple[type, str] | None] = None  # the subject's row and the column with its name

    called: str | None = None  # the subject's name at that time, for the audit log

    def __init_subclass__(cls, *, kind: str | None = None) -> None:
        super().__init_subclass__()
        cls.kind = kind or WORD.sub("_", cls.__name__).upper()
        dataclass(frozen=True, kw_only=True)(cls)

    @property
    def subject(self) -> str | None:
        """The id of the changed object; None if that is the scope itself."""
        return None if self.subject_field is None else str(getattr(self, self.subject_field))

    def payload(self, rows: IdentityMap) -> dict[str, Any]:
        """Return the payload as JSON. `rows` are the rows that the transaction has loaded, by identity.

        The name of a subject that is among them is stored too, unless the payload has a name or a title.
        """
        data = {field.name: _json(getattr(self, field.name)) for field in fields(self)}
        if self.called is None:
            del data["called"]
            if self.subject_name is not None and not data.keys() & {"name", "title"}:
                data |= self._name_among(rows)
        return data

    def _name_among(self, rows: IdentityMap) -> dict[str, Any]:
        assert self.subject_name is not None
        table, column = self.subject_name
        row = rows.get(identity_key(table, self.subject))
        # An expired column is not in `__dict__`; reading it would cost a statement.
        return {"called": row.__dict__[column]} if row is not None and column in row.__dict__ else {}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


class BoardEvent(BaseEvent):
    """An item of a board's feed."""


class WorkspaceEvent(BaseEvent):
    """An event of a workspace's feed."""


class UserEvent(BaseEvent):
    """An event of a person's feed."""
