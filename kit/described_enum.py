"""Enums whose members carry their descriptions; the docstring of the class describes the enum."""

import enum
from typing import Self


class DescribedEnum(enum.StrEnum):
    """An enum of strings: `READY = "READY", "May be claimed."`."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_, member.description = value, description
        return member


class DescribedIntEnum(enum.IntEnum):
    """An enum of numbers: `LOW = 1, "Can wait."`."""

    description: str

    def __new__(cls, value: int, description: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_, member.description = value, description
        return member
