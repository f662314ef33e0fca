"""Enums with descriptions for the schema. Like kit's DescribedEnum; this package imports nothing of the server."""

import enum
from typing import Self


class ProtocolEnum(enum.StrEnum):
    """An enum of strings with descriptions: `DEBUG = "DEBUG", "Details for debugging."`."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_, member.description = value, description
        return member
