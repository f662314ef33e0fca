"""Columns that several tables share, and the storage of enums."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Enum, Integer, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import utcnow
from models.refusal import Stale


def enum_column(kind: type[enum.StrEnum], name: str | None = None) -> Enum:
    """Return the type of an enum that is stored as text, with a CHECK constraint `name`.

    A new member needs a migration of the constraint."""
    name = name or kind.__name__.lower()
    return Enum(kind, native_enum=False, create_constraint=True, length=20, name=name)


class Ordered(TypeDecorator[Any]):
    """An IntEnum that is stored as its number, so that it sorts."""

    impl = Integer
    cache_ok = True

    def __init__(self, kind: type[enum.IntEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Any) -> int | None:
        return None if value is None else int(value)

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        members: dict[Any, Any] = {one.value: one for one in self.kind}
        return {**members, None: None}.__getitem__


class Stamped:
    created_at: Mapped[datetime] = mapped_column(default=utcnow, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow, sort_order=91)


class Editable(Stamped):
    version: Mapped[int] = mapped_column(default=1, sort_order=92)  # grows by one with every change

    def expect(self, version: int | None) -> None:
        """Raise Stale if `version` is not the current version; None is always accepted."""
        if version is not None and version != self.version:
            raise Stale(self.version)
