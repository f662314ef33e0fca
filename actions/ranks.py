"""The order of things people drag: fractional ranks, compared as bytes.

The server decides the rank; clients name neighbours. Whoever computes one holds the lock of the list's
owner, so two drags into one gap get two ranks.
"""

from fractional_indexing import generate_key_between, generate_n_keys_between

MAX_RANK_LENGTH = 48  # characters after which a lane is written anew
REWRITTEN = 100  # new ranks that one event tells


def between(left: str | None, right: str | None) -> str:
    return str(generate_key_between(left, right))


def after(last: str | None, count: int) -> list[str]:
    """`count` ranks, in order, behind `last`."""
    return list(generate_n_keys_between(last, None, count))


def among(left: str | None, right: str | None, count: int) -> list[str]:
    """`count` ranks, in order, between two."""
    return list(generate_n_keys_between(left, right, count))
