"""Capabilities, as clients state them: of a worker, or required by an agent profile."""

from typing import Annotated

from kit.graphql.types import as_row, input_type
from models.worker import Skill

__all__ = ["Capability", "CapabilityInput"]


@input_type
class CapabilityInput:
    """A capability and its level."""

    name: Annotated[str, "1 to 40 letters, digits, and . + # _ -; case is ignored."]
    level: Annotated[Skill, "The level."] = Skill.BEGINNER


as_row(CapabilityInput)(lambda given: (given["name"], Skill(given["level"])))
Capability = Annotated[tuple[str, Skill], CapabilityInput]
