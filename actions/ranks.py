"""Ranks: fractional indices, compared byte by byte.

The algorithm is `fractional-indexing` with its default base 62 alphabet, so a client that has the same library
computes the same ranks. docs/api.md states it.
"""

from fractional_indexing import generate_key_between, generate_n_keys_between

MAX_RANK_LENGTH = 48  # characters; a lane with a longer rank is rewritten
MAX_RANKS_PER_EVENT = 100  # new ranks that one event tells


def rank_between(left: str | None, right: str | None) -> str:
    """Return a rank between two; None is an open end."""
    return str(generate_key_between(left, right))


def ranks_after(last: str | None, count: int) -> list[str]:
    """Return `count` ranks after `last`, in order."""
    return ranks_between(last, None, count)


def ranks_between(left: str | None, right: str | None, count: int) -> list[str]:
    """Return `count` ranks between two, in order; None is an open end."""
    return list(generate_n_keys_between(left, right, count))
