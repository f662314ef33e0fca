"""Cleans printed text for databases, JSON and terminals."""

import re
from typing import Any

REPLACEMENT = "\ufffd"
ESCAPES = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC: window titles, links
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, movements
    r"|\x1b[ -/]*[0-~]?"  # other sequences, and truncated ones
)
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def plain(text: str) -> str:
    """Remove terminal escape sequences and invisible control characters, for a title or a summary."""
    return INVISIBLE.sub("", ESCAPES.sub("", clean(text)).replace("\r\n", "\n")).strip()


def clean(text: Any) -> Any:
    """Replace NUL and lone surrogates, which databases refuse, by U+FFFD. Other values are returned unchanged."""
    if not isinstance(text, str) or (text.isascii() and "\0" not in text):
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", REPLACEMENT)


def clean_json(value: Any) -> Any:
    """Clean all text of a JSON value, keys included. Raises RecursionError for a value nested too deeply."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return [clean_json(inner) for inner in value]
    if isinstance(value, dict):
        return {clean(str(key)): clean_json(inner) for key, inner in value.items()}
    return value
