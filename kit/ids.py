"""Ids: typed, sortable and globally unique.

An id is a prefix that names its type, an underscore, and a UUIDv7 as 26 characters of Crockford's base32:
`card_01jd8…`. Ids of one type sort by their creation time.
"""

from collections.abc import Callable

import uuid_utils

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]  # ten bits at a time
LENGTH = 26


def base32(number: int) -> str:
    """Encode 128 bits as 26 characters. Their order is that of the numbers."""
    return "".join([PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def new_id(prefix: str) -> str:
    return f"{prefix}_{base32(uuid_utils.uuid7().int)}"


def maker(prefix: str) -> Callable[[], str]:
    """Return a function that creates ids with `prefix`: the default of a column."""
    return lambda: new_id(prefix)


def prefix_of(id: str) -> str | None:
    """Return the prefix of a well-formed id, None for any other text."""
    prefix, _, rest = id.rpartition("_")
    return prefix if len(rest) == LENGTH and not set(rest) - set(ALPHABET) else None
