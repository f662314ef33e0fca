"""JSON, strictly.

Promise of `decode`: UTF-8 only; no NaN, Infinity or number beyond a double; no lone surrogate; no
U+0000 anywhere, which PostgreSQL cannot store; at most DEPTH levels. All else is a ValueError, and
never a RecursionError. An integer beyond 64 bits arrives as a float, which no Int accepts.
`encode` gives bytes; a socket sends text, so its adapter decodes them.
"""

import json
from typing import Any

import orjson

MAX_DEPTH = 32  # levels of arrays and objects
HOLDERS = {dict, list}


def decode(data: bytes | str) -> Any:
    """Decode one JSON text. Errors: json.JSONDecodeError, a ValueError, for all that is refused."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")  # orjson then refuses the surrogate
    value = orjson.loads(data)
    # The counts only say "perhaps": brackets and \\u0000 may be text.
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise json.JSONDecodeError(f"nested deeper than {MAX_DEPTH} levels", "", 0)
    if b"\\u0000" in data:
        _inspect(value)
    return value


def _is_deep(value: Any) -> bool:
    """Whether anything stands in more than DEPTH arrays and objects. Iterative: depth costs no stack."""
    level: list[Any] = [value] if value.__class__ in HOLDERS else []
    for _ in range(MAX_DEPTH):
        inner = [one.values() if one.__class__ is dict else one for one in level]
        level = [one for many in inner for one in many if one.__class__ in HOLDERS]
        if not level:
            return False
    return any(level)


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
                raise json.JSONDecodeError("U+0000 is not accepted", "", 0)
        level = below


def encode(value: Any) -> bytes:
    """Encode an answer. An integer beyond 64 bits or a lone surrogate takes the slower library."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_written).encode()


def _written(value: Any) -> Any:
    """What is JSON already."""
    if isinstance(value, orjson.Fragment):
        return json.loads(value.contents)
    raise TypeError(f"{type(value).__name__} is no JSON")
