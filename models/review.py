"""Where knowledge comes from, and whether people accept it."""

from kit.described_enum import DescribedEnum


class ReviewState(DescribedEnum):
    """Whether people accept a piece of knowledge."""

    DRAFT = "DRAFT", "Nobody decided about it yet."
    APPROVED = "APPROVED", "It holds."
    REJECTED = "REJECTED", "It does not hold."


class Origin(DescribedEnum):
    """The source of a piece of knowledge."""

    HUMAN = "HUMAN", "A person."
    AGENT = "AGENT", "An agent, or another program with a key."
    IMPORT = "IMPORT", "A file of another system."
