"""Enums whose members carry their descriptions, for the schema. As in kit/, which this package does not import."""

import enum
from typing import Self


class ProtocolEnum(enum.StrEnum):
    """An enum of strings: `DEBUG = "DEBUG", "For the search of errors."`."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_, member.description = value, description
        return member
