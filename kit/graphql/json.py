"""JSON, strictly.

Promise of `decode`: UTF-8 only; no NaN, Infinity or number beyond a double; no lone surrogate; no
U+0000 anywhere, which PostgreSQL cannot store; at most MAX_DEPTH levels, and MAX_HOLDERS arrays and
objects. All else is a ValueError, and never a RecursionError. An integer beyond 64 bits arrives as
a float, which no Int accepts.
`encode` gives bytes; a socket sends text, so its adapter decodes them.
"""

import json
from typing import Any

import orjson

MAX_DEPTH = 32  # levels of arrays and objects
MAX_HOLDERS = 50_000  # arrays and objects: each takes the event loop half a microsecond, several times
MAX_BRACKETS = 200_000  # that open; text holds some as well, and never so many
HOLDERS = {dict, list}


class NotAccepted(json.JSONDecodeError):
    """It is JSON, and refused all the same: the message says why, `maximum` how large it may be."""

    def __init__(self, message: str, maximum: int | None = None) -> None:
        super().__init__(message, "", 0)
        self.maximum = maximum


def decode(data: bytes | str) -> Any:
    """Decode one JSON text. Errors: json.JSONDecodeError; NotAccepted, which is one, for what is JSON."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")  # orjson then refuses the surrogate
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_BRACKETS:
        raise _too_many()
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:  # deeper than the parser goes
            raise _too_deep() from error
        raise
    # The counts only say "perhaps": brackets and \\u0000 may be text.
    if brackets > MAX_DEPTH:
        _check_shape(value)
    if b"\\u0000" in data:
        _inspect(value)
    return value


def _too_deep() -> NotAccepted:
    return NotAccepted(f"JSON nests at most {MAX_DEPTH} levels", MAX_DEPTH)


def _too_many() -> NotAccepted:
    return NotAccepted(f"JSON holds at most {MAX_HOLDERS} arrays and objects", MAX_HOLDERS)


def _check_shape(value: Any) -> None:
    """Raise if `value` is too deep or holds too many arrays and objects. Iterative: depth costs no stack."""
    level: list[Any] = [value] if value.__class__ in HOLDERS else []
    count = depth = 0
    while level:
        count, depth = count + len(level), depth + 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if count > MAX_HOLDERS:
            raise _too_many()
        inner = [one.values() if one.__class__ is dict else one for one in level]
        level = [one for many in inner for one in many if one.__class__ in HOLDERS]


def _inspect(value: Any) -> None:
    """Raise if `value` holds U+0000."""
    level = [value]
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str) and "\0" in one:
                raise NotAccepted("U+0000 is not accepted")
        level = below


def encode(value: Any) -> bytes:
    """Encode an answer. An integer beyond 64 bits or a lone surrogate takes the slower library."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_written).encode()


def _written(value: Any) -> Any:
    """Decode a fragment that is encoded already. Raises TypeError for any other value."""
    if isinstance(value, orjson.Fragment):
        return json.loads(value.contents)
    raise TypeError(f"{type(value).__name__} is no JSON")
