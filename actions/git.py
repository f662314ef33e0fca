"""Validation of git values: names of refs, URLs of repositories, paths, commit ids.

Each value becomes an argument of a git command on a worker's machine. So it is never an option, a command, another
protocol, or a path outside of the repository. The functions are pure; each returns the normalized value, or raises
Invalid with the path of the field.
Source: git-check-ref-format(1), and git's default of protocol.allow for transports.
"""

import re
from urllib.parse import SplitResult, urlsplit

from models.refusal import Invalid

MAX_REF_CHARACTERS = 200
MAX_BRANCH_CHARACTERS = 300
MAX_REF_PART_BYTES = 250  # a part of a ref is a file name, also with .lock
MAX_REPOSITORY_CHARACTERS = 500
MAX_PATH_CHARACTERS = 4_096
SHA = re.compile(r"[0-9a-fA-F]{4,64}")

_NOT_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEMES = ("https", "http", "ssh", "git")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")  # git runs a program of that name: ext::sh -c …
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCP = re.compile(r"(?:([^@/:]+)@)?([^@/:]+):(.*)")  # git@host:path
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PLACEHOLDER = re.compile(r"\{(card|slug|run)\}")
# Longest values of the placeholders: letters, digits and single dashes.
_EXAMPLES = {"card": "ABCDEFGHIJ-1234567890", "slug": "s" * 50, "run": "run_" + "0" * 26}


def validate_ref(path: str, text: str, *, most: int = MAX_REF_CHARACTERS) -> str:
    """Return a ref to start from: `main`, `origin/main`, a commit id, `HEAD`."""
    text = text.strip(" ")
    if not 1 <= len(text) <= most:
        raise Invalid((path, f"must have 1 to {most} characters, not {len(text)}"))
    if why := _against_ref(text):
        raise Invalid((path, why))
    return text


def validate_branch(path: str, text: str) -> str:
    """Return the name of a branch: a ref other than `HEAD`."""
    text = validate_ref(path, text, most=MAX_BRANCH_CHARACTERS)
    if text == "HEAD":
        raise Invalid((path, "is not a branch"))
    return text


def validate_branch_template(path: str, text: str) -> str:
    """Return a template of branch names: {card}, {slug} and {run} are its only placeholders."""
    text = text.strip(" ")
    if not 1 <= len(text) <= MAX_REF_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_REF_CHARACTERS} characters, not {len(text)}"))
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        raise Invalid((path, "must have no placeholders but {card}, {slug} and {run}"))
    validate_branch(path, _PLACEHOLDER.sub(lambda found: _EXAMPLES[found[1]], text))
    return text


def validate_repository_url(path: str, text: str) -> str:
    """Return the place of a repository: https://, http://, ssh://, git://, `git@host:path`, or a worker's folder.

    Credentials are refused: everyone who sees the board can read it.
    """
    text = text.strip(" ")
    if not 1 <= len(text) <= MAX_REPOSITORY_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_REPOSITORY_CHARACTERS} characters, not {len(text)}"))
    if why := _against_repository(text):
        raise Invalid((path, why))
    return text


def validate_path(path: str, text: str) -> str:
    """Return the path of a file in a repository: relative, with slashes, not in `.git`."""
    if not 1 <= len(text) <= MAX_PATH_CHARACTERS:
        raise Invalid((path, f"must have 1 to {MAX_PATH_CHARACTERS} characters, not {len(text)}"))
    if "\0" in text or not _is_encodable(text):
        raise Invalid((path, "has a character that no file name has"))
    if text.startswith("/") or _DRIVE.match(text):
        raise Invalid((path, "must be relative to the root of the repository"))
    parts = text.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise Invalid((path, "must name a file of the repository, without empty parts, `.` and `..`"))
    if any(part.lower() == ".git" for part in parts):
        raise Invalid((path, "is inside .git"))
    return text


def validate_sha(path: str, text: str) -> str:
    """Return the id of a commit in lower case: 4 to 64 hexadecimal digits."""
    if not SHA.fullmatch(text):
        raise Invalid((path, "must be a commit id: 4 to 64 hexadecimal digits"))
    return text.lower()


def _against_ref(text: str) -> str | None:
    """Return why a text is not a ref, or None."""
    if text.startswith("-"):
        return "must not begin with a dash"
    if not _is_encodable(text):
        return "has a character that no name has"
    if text == "@" or text.endswith(".") or _NOT_IN_REFS.search(text):
        return "is not a ref of git: no space, control character, `..`, `//`, `@{`, or any of ~ ^ : ? * [ \\"
    for part in text.split("/"):
        if not part or part.startswith(".") or part.endswith(".lock"):
            return "is not a ref of git: no part is empty, begins with a dot or ends with .lock"
        if len(part.encode()) > MAX_REF_PART_BYTES:
            return f"has a part of more than {MAX_REF_PART_BYTES} bytes"
    return None


def _against_repository(text: str) -> str | None:
    """Return why a text is not a repository, or None."""
    if text.startswith("-"):
        return "must not begin with a dash"
    if _CONTROL.search(text) or not _is_encodable(text):
        return "has a control character"
    if _HELPER.match(text):
        return "must not name a remote helper of git: `name::`"
    if found := _SCHEME.match(text):
        if found[1].lower() not in _SCHEMES:
            return "must begin with https://, http://, ssh:// or git://, or name a folder"
        return _against_url(text, found[1].lower())
    if "://" in text:
        return "is not a URL"
    if text.lower().startswith("file:"):
        return "must not be a file: address"
    if "@" in text.split("/", 1)[0] and text.split("@", 1)[0].count(":"):
        return "must not hold credentials"
    if not _DRIVE.match(text) and (found := _SCP.fullmatch(text)):
        user, host, place = found.groups()
        if not _HOST.fullmatch(host) or (user is not None and not _USER.fullmatch(user)):
            return "names no host"
        return None if place and not place.startswith("-") else "names no repository"
    return None


def _against_url(text: str, scheme: str) -> str | None:
    if re.search(r"\s", text):
        return "has a space"
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return "is not a URL"
    if url.password is not None or (url.username is not None and scheme != "ssh"):
        return "must not hold credentials"
    if url.username is not None and not _USER.fullmatch(url.username):
        return "names no user"
    if not host or not _HOST.fullmatch(_bracketed(url, host)):
        return "names no host"
    if port == 0 or url.path in ("", "/"):
        return "names no repository" if port != 0 else "is not a URL"
    return None


def _bracketed(url: SplitResult, host: str) -> str:
    return f"[{host}]" if "[" in url.netloc else host


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
