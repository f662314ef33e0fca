"""Applying changes to a row, and what an event says of them."""

from enum import IntEnum
from typing import Any

from models.events.base import Changes


def apply_changes(row: Any, changes: dict[str, Any]) -> Changes:
    """Apply `changes` to a row, and raise its version. Returns the fields that differ, with both values as JSON."""
    differing: Changes = {}
    for name, value in changes.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            differing[name] = [_json(before), _json(value)]
    if differing:
        row.version += 1
    return differing


def _json(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name  # the number is only how it is stored
    return value.isoformat() if hasattr(value, "isoformat") else value
