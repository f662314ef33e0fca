"""Validation of text and numbers from clients: trimmed, bounded, without control characters.

Each function takes the path of its field, returns the normalized value, and raises Invalid.
"""

import json
import re
import unicodedata
from datetime import date
from typing import Any

from kit.graphql.json import decode
from models.refusal import Invalid

UNMEANT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
UNSEEN = {
    "Cc",
    "Cf",
    "Mn",
    "Me",
    "Zs",
    "Zl",
    "Zp",
}  # categories of characters that are invisible by themselves
BLANK = set("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that are invisible too
TURNS = {
    **dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"),
    **dict.fromkeys("\u2066\u2067\u2068", "\u2069"),
}
EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[^@\s.<>()\[\],;:\\\"]+(\.[^@\s.<>()\[\],;:\\\"]+)+")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
USERNAME = re.compile(r"\w[\w.-]{2,39}")
KEY = re.compile(r"[A-Z][A-Z0-9]{0,9}")
PASSWORD = 8, 1_024  # bytes, minimum and maximum
PROSE = 50_000  # characters of a description


def single_line(path: str, text: str | None, most: int, *, least: int = 1) -> str:
    """Return one line, trimmed. It has a visible character and leaves no direction of writing open."""
    text = " ".join((text or "").split())
    if not least <= len(text) <= most:
        raise Invalid((path, f"must have {least} to {most} characters, not {len(text)}"))
    if not text.isascii():
        if all(unicodedata.category(char) in UNSEEN or char in BLANK for char in text):
            raise Invalid((path, "has no visible character"))
        if _turns(text):
            raise Invalid((path, "changes the direction of writing and does not change it back"))
    return _meant(path, text)


def _turns(text: str) -> bool:
    """Return whether the text begins a direction of writing that it does not end."""
    begun: list[str] = []  # the characters that end them
    for char in text:
        if char in TURNS:
            begun.append(TURNS[char])
        elif char == "\u2069" and char in begun:
            while begun.pop() != char:  # an isolate ends everything that began in it
                pass
        elif begun and char == begun[-1]:
            begun.pop()
    return bool(begun)


def multiline(path: str, text: str | None, most: int = PROSE, *, least: int = 0) -> str:
    """Return several lines without surrounding space."""
    text = (text or "").strip()
    if not least <= len(text) <= most:
        raise Invalid((path, f"must have {least} to {most} characters, not {len(text)}"))
    return _meant(path, text)


def sanitize(text: str) -> str:
    """Replace control characters in the output of a program, which cannot be asked to correct it."""
    return UNMEANT.sub("\ufffd", text)


def _meant(path: str, text: str) -> str:
    if UNMEANT.search(text):
        raise Invalid((path, "has a control character"))
    return text


def in_range(path: str, number: int | None, low: int, high: int) -> int | None:
    if number is not None and not low <= number <= high:
        raise Invalid((path, f"must be {low} to {high}, not {number}"))
    return number


def required(path: str, value: Any) -> Any:
    if value is None:
        raise Invalid((path, "cannot be cleared"))
    return value


def email(path: str, text: str | None) -> str | None:
    if text is None:
        return None
    text = single_line(path, text, 254)
    if not EMAIL.fullmatch(text):
        raise Invalid((path, "is not an e-mail address"))
    return text


def required_email(path: str, text: str) -> str:
    """Return an e-mail address, which cannot be left out."""
    return str(email(path, required(path, text)))


def username(path: str, text: str | None) -> str:
    text = _composed(text or "")
    if not USERNAME.fullmatch(text):
        raise Invalid((path, "must have 3 to 40 letters, digits, dots, dashes and underscores"))
    return text


def password(path: str, text: str) -> str:
    """Return a password unchanged. A refusal never quotes it."""
    least, most = PASSWORD
    if not least <= len(text.encode(errors="replace")) <= most:
        raise Invalid((path, f"must have {least} to {most} bytes"))
    return text


def colour(path: str, text: str | None) -> str:
    if not COLOUR.fullmatch(text or ""):
        raise Invalid((path, "must be #RRGGBB"))
    return str(text).upper()


def board_key(path: str, text: str | None) -> str:
    text = (text or "").strip().upper()
    if not KEY.fullmatch(text):
        raise Invalid((path, "must be a letter, then up to nine letters or digits"))
    return text


def folded(text: str) -> str:
    """Return the form in which names are compared, ignoring case."""
    return _composed(text).casefold()


def _composed(text: str) -> str:
    # Compatible characters become one, so names that look the same are the same.
    return unicodedata.normalize("NFKC", text.strip())


def day(path: str, value: date | None) -> date | None:
    if value is not None and not 1970 <= value.year <= 9999:
        raise Invalid((path, "must be a day from 1970 on"))
    return value


def at_most(path: str, values: list[Any], most: int, *, least: int = 1) -> list[Any]:
    if not least <= len(values) <= most:
        raise Invalid((path, f"must name {least} to {most}, not {len(values)}"))
    return values


def distinct(path: str, values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise Invalid((path, "contains a duplicate"))
    return values


def json_document(path: str, value: Any, most: int) -> dict[str, Any]:
    """Return a JSON object of at most `most` bytes."""
    if not isinstance(value, dict):
        raise Invalid((path, "must be an object"))
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
        decode(text)
    except (ValueError, RecursionError):
        raise Invalid((path, "contains NUL, infinity, or too many levels")) from None
    if len(text) > most:
        raise Invalid((path, f"must have at most {most} bytes, not {len(text)}"))
    return value


def pairs(path: str, value: Any, most: int, *, longest: int) -> dict[str, str]:
    """Return at most `most` pairs of text, each value of at most `longest` characters."""
    found = json_document(path, value or {}, most * (longest + 100) * 4)
    if len(found) > most:
        raise Invalid((path, f"must have at most {most} entries, not {len(found)}"))
    clean = {}
    for name, text in found.items():
        if not isinstance(text, str):
            raise Invalid((f"{path}.{name[:100]}", "must be text"))
        clean[single_line(path, name, 100)] = multiline(f"{path}.{name[:100]}", text, longest)
    return clean
