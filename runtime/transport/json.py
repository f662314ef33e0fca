"""JSON, strictly.

Promise of `decode`: UTF-8 only; no NaN, Infinity or number beyond a double; no lone surrogate; no
U+0000 anywhere, which PostgreSQL cannot store; at most DEPTH levels. All else is a ValueError, and
never a RecursionError. An integer beyond 64 bits arrives as a float, which no Int accepts.
`encode` gives bytes; a socket sends text, so its adapter decodes them.
"""

import json
from typing import Any

import orjson

DEPTH = 32  # levels of arrays and objects


def decode(data: bytes | str) -> Any:
    """Decode one JSON text. Errors: json.JSONDecodeError, a ValueError, for all that is refused."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")  # orjson then refuses the surrogate
    value = orjson.loads(data)
    if data.count(b"[") + data.count(b"{") > DEPTH or b"\\u0000" in data:
        _inspect(value)  # the counts only say "perhaps": brackets and \\u0000 may be text
    return value


def _inspect(value: Any) -> None:
    """Raise if `value` is too deep or holds U+0000. Iterative: depth costs no stack."""
    level = [value]
    for _ in range(DEPTH + 1):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str) and "\0" in one:
                raise json.JSONDecodeError("U+0000 is not accepted", "", 0)
        if not below:
            return
        level = below
    raise json.JSONDecodeError(f"nested deeper than {DEPTH} levels", "", 0)


def encode(value: Any) -> bytes:
    """Encode an answer. An integer beyond 64 bits or a lone surrogate takes the slower library."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
