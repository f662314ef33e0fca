"""Ids: typed, sortable, globally unique. `card_01jd8…` is a prefix, an underscore and the 26 characters
of a UUIDv7 in Crockford's base32, so ids sort by the time they were made and tell what they name.
"""

from collections.abc import Callable

import uuid_utils

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]  # ten bits at a time
LENGTH = 26


def base32(number: int) -> str:
    """Write 128 bits as 26 characters whose order is the order of the numbers."""
    return "".join([PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def new_id(prefix: str) -> str:
    return f"{prefix}_{base32(uuid_utils.uuid7().int)}"


def maker(prefix: str) -> Callable[[], str]:
    """Return a function that makes ids of one kind: a column's default."""
    return lambda: new_id(prefix)


def prefix_of(id: str) -> str | None:
    """The prefix of a well-formed id, or None for anything else."""
    prefix, _, rest = id.rpartition("_")
    return prefix if len(rest) == LENGTH and not set(rest) - set(ALPHABET) else None
